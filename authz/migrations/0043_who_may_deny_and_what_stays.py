"""Who may deny a request by its regime, a licence that stays as it was decided by, and requests that share records."""

from importlib import import_module

from django.db import migrations, models

RESTS_ON = import_module("authz.migrations.0036_what_a_decision_rests_on")

# The regimes shipped until now under which a pharmacist may deny. The tables' owner is held by row-level security, too.
PHARMACISTS = """
SELECT set_config('authz.tenant', 'all', true);
UPDATE authz_priorauth SET denied_by = 'physician_or_pharmacist'
WHERE (regime, regime_version) IN (('part_d', '2025'), ('part_d_exception', '2025'), ('medicaid', '2017'));
"""


def _submitted(*more: str) -> str:
    """Return the trigger that keeps what was submitted, with more columns than it kept before."""
    kept = [*RESTS_ON.SUBMITTED, *more]
    old, new = (f"ROW ({', '.join(f'{of}.{column}' for column in kept)})" for of in ("OLD", "NEW"))
    return f"""
CREATE OR REPLACE TRIGGER what_was_submitted_stands BEFORE UPDATE OF {", ".join(kept)} ON authz_priorauth FOR EACH ROW
    WHEN (OLD.submitted_at IS NOT NULL AND {old} IS DISTINCT FROM {new})
    EXECUTE FUNCTION authz_what_was_submitted_stands();
"""


def _held(function: str) -> str:
    """Return a function that holds the licence it finds valid, or it could be changed before the decision is there."""
    valid = "BETWEEN valid_from AND valid_until"
    return function.replace(valid, f"{valid} FOR SHARE")


# A physician denies, or whoever hears the appeal; a pharmacist where the regime lets them.
WHO_MAY_DENY = """
CREATE FUNCTION authz_who_may_deny() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM authz_licence AS licence, authz_priorauth AS request
        WHERE licence.id = NEW.licence_id AND request.id = NEW.prior_auth_id
          AND (licence.profession = 'physician' OR request.denied_by = 'physician_or_pharmacist')
    ) THEN
        RAISE EXCEPTION 'a pharmacist denies only where the regime of the request lets them'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'the_regime_says_who_denies';
    END IF;
    IF NOT EXISTS (
        SELECT FROM authz_membership AS m JOIN authz_priorauth AS request ON request.insurer_id = m.organization_id
        WHERE request.id = NEW.prior_auth_id AND m.person_id = NEW.decided_by_id
          AND m.role IN ('physician', 'appeal_reviewer')
    ) THEN
        RAISE EXCEPTION 'only physicians and appeal reviewers of the insurer deny, wholly or in part'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_physicians_and_appeal_reviewers_deny';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER who_may_deny BEFORE INSERT ON authz_determination FOR EACH ROW
    WHEN (NEW.outcome IN ('denied', 'partially_approved') AND NEW.licence_id IS NOT NULL)
    EXECUTE FUNCTION authz_who_may_deny();
"""

ONLY_THE_ACTIVE = """
CREATE FUNCTION authz_only_active_people_decide() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM authz_person WHERE id = NEW.decided_by_id AND is_active) THEN
        RAISE EXCEPTION 'nobody decides whose account is deactivated'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_active_people_decide';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_active_people_decide BEFORE INSERT ON authz_determination FOR EACH ROW
    WHEN (NEW.decided_by_id IS NOT NULL) EXECUTE FUNCTION authz_only_active_people_decide();
CREATE TRIGGER only_active_people_decide BEFORE INSERT ON authz_appealdecision
    FOR EACH ROW EXECUTE FUNCTION authz_only_active_people_decide();
"""

# Whichever insurer decided by it. It can be renewed, and it can end, but not before the last day it was used.
LICENCES_STAY = """
CREATE FUNCTION authz_licence_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked_for text := current_setting('authz.tenant', true);
BEGIN
    PERFORM set_config('authz.tenant', 'all', true);
    IF EXISTS (
        WITH decided AS (
            SELECT prior_auth_id, decided_at FROM authz_determination WHERE licence_id = OLD.id
            UNION ALL
            SELECT appeal.prior_auth_id, decision.decided_at FROM authz_appealdecision AS decision
            JOIN authz_appeal AS appeal ON appeal.id = decision.appeal_id WHERE decision.licence_id = OLD.id
        )
        SELECT FROM decided JOIN authz_priorauth AS request ON request.id = decided.prior_auth_id
        WHERE ROW (OLD.person_id, OLD.number, OLD.state, OLD.profession, OLD.specialty)
              IS DISTINCT FROM ROW (NEW.person_id, NEW.number, NEW.state, NEW.profession, NEW.specialty)
           OR (decided.decided_at AT TIME ZONE request.time_zone)::date NOT BETWEEN NEW.valid_from AND NEW.valid_until
    ) THEN
        RAISE EXCEPTION 'a licence stays what it was when somebody decided by it, and valid on that day'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_licence_stays_as_it_was_decided_by';
    END IF;
    PERFORM set_config('authz.tenant', COALESCE(asked_for, ''), true);
    RETURN NEW;
END $$;
CREATE TRIGGER licence_stays BEFORE UPDATE ON authz_licence
    FOR EACH ROW EXECUTE FUNCTION authz_licence_stays();
"""

ACTIVE = """
    ('detected', 'draft', 'awaiting_prescriber', 'queued', 'incomplete', 'in_review', 'info_requested',
     'clinical_review')"""

# Checked when the transaction ends: one is marked after the other has grown. A renewal asks for the days after.
SHARING_IS_SAID = f"""
CREATE FUNCTION authz_sharing_is_said() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked_for text := current_setting('authz.tenant', true);
BEGIN
    PERFORM set_config('authz.tenant', 'all', true);
    PERFORM FROM authz_patient WHERE id = NEW.patient_id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM authz_priorauth AS one
        JOIN authz_priorauth AS other ON other.patient_id = one.patient_id AND other.id <> one.id
        WHERE one.id = NEW.id AND one.state IN {ACTIVE} AND other.state IN {ACTIVE}
          AND other.coverage_id IS NOT DISTINCT FROM one.coverage_id AND other.record_ids && one.record_ids
          AND COALESCE(one.duplicate_of_id, other.duplicate_of_id, one.renews_id, other.renews_id) IS NULL
    ) THEN
        RAISE EXCEPTION 'of two active requests that come to share an order or a fill one is marked as a duplicate'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'active_requests_that_share_records_say_so';
    END IF;
    PERFORM set_config('authz.tenant', COALESCE(asked_for, ''), true);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER sharing_is_said
    AFTER UPDATE OF patient_id, coverage_id, record_ids, duplicate_of_id, renews_id ON authz_priorauth
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (ROW (OLD.patient_id, OLD.coverage_id, OLD.record_ids, OLD.duplicate_of_id, OLD.renews_id)
          IS DISTINCT FROM ROW (NEW.patient_id, NEW.coverage_id, NEW.record_ids, NEW.duplicate_of_id, NEW.renews_id))
    EXECUTE FUNCTION authz_sharing_is_said();
CREATE CONSTRAINT TRIGGER sharing_is_said_once_active_again AFTER UPDATE OF state ON authz_priorauth
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.state NOT IN {ACTIVE} AND NEW.state IN {ACTIVE})
    EXECUTE FUNCTION authz_sharing_is_said();
"""  # noqa: S608 - our own words


class Migration(migrations.Migration):
    dependencies = [("authz", "0042_by_which_formulary_it_was_decided")]

    operations = [
        migrations.AddField(
            model_name="priorauth",
            name="denied_by",
            field=models.CharField(
                choices=[("physician", "physician"), ("physician_or_pharmacist", "physician_or_pharmacist")],
                db_default="physician",
                default="physician",
                max_length=30,
            ),
        ),
        migrations.RunSQL(PHARMACISTS, migrations.RunSQL.noop),
        migrations.RunSQL(_submitted("denied_by"), _submitted()),
        migrations.RunSQL(_held(RESTS_ON.WHO_DECIDES_BY_ITS_CALENDAR), RESTS_ON.WHO_DECIDES_BY_ITS_CALENDAR),
        migrations.RunSQL(
            _held(RESTS_ON.WHO_DECIDES_AN_APPEAL_BY_ITS_CALENDAR), RESTS_ON.WHO_DECIDES_AN_APPEAL_BY_ITS_CALENDAR
        ),
        migrations.RunSQL(WHO_MAY_DENY, RESTS_ON._gone("who_may_deny", "authz_determination")),
        migrations.RunSQL(
            ONLY_THE_ACTIVE, RESTS_ON._gone("only_active_people_decide", "authz_determination", "authz_appealdecision")
        ),
        migrations.RunSQL(LICENCES_STAY, RESTS_ON._gone("licence_stays", "authz_licence")),
        migrations.RunSQL(
            SHARING_IS_SAID,
            "DROP TRIGGER sharing_is_said_once_active_again ON authz_priorauth; "
            + RESTS_ON._gone("sharing_is_said", "authz_priorauth"),
        ),
    ]
