"""What stands behind a determination, held by the database whoever asks: raw SQL, the ORM, a worker, an administrator."""

from django.db import migrations

# Of a person who decides: a member of the insurer; against what was asked: with a licence of their own, of a denying
# profession, valid on that day; and after a decision against it, somebody else.
WHO_DECIDES = """
CREATE OR REPLACE FUNCTION authz_licence_valid_at_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before authz_determination%ROWTYPE;
BEGIN
    IF NEW.outcome IN ('denied', 'partially_approved') AND NOT EXISTS (
        SELECT 1 FROM authz_licence
        WHERE id = NEW.licence_id
          AND person_id = NEW.decided_by_id
          AND profession IN ('physician', 'pharmacist')
          AND (NEW.decided_at AT TIME ZONE 'UTC')::date BETWEEN valid_from AND valid_until
    ) THEN
        RAISE EXCEPTION 'only a human with a licence valid at that instant denies'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_a_licensed_human_denies';
    END IF;
    IF NEW.decided_by_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM authz_membership AS m JOIN authz_priorauth AS p ON p.insurer_id = m.organization_id
        WHERE p.id = NEW.prior_auth_id AND m.person_id = NEW.decided_by_id
          AND m.role IN ('reviewer', 'physician', 'appeal_reviewer')
    ) THEN
        RAISE EXCEPTION 'only people of the insurer decide'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_people_of_the_insurer_decide';
    END IF;
    IF NEW.supersedes_id IS NOT NULL THEN
        SELECT * INTO before FROM authz_determination WHERE id = NEW.supersedes_id;
        IF before.prior_auth_id <> NEW.prior_auth_id THEN
            RAISE EXCEPTION 'a determination supersedes one of the same request'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'supersedes_within_a_request';
        END IF;
    END IF;
    IF EXISTS (
        SELECT 1 FROM authz_determination
        WHERE prior_auth_id = NEW.prior_auth_id AND decided_by_id = NEW.decided_by_id
          AND outcome IN ('denied', 'partially_approved')
    ) THEN
        RAISE EXCEPTION 'who decided against a request does not decide it again'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'nobody_reviews_their_own_denial';
    END IF;
    RETURN NEW;
END $$;
"""

# A line that grants less than was asked makes a partial approval of it, whatever it is called; a denial grants nothing.
LINES_FIT = """
CREATE FUNCTION authz_line_fits_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    SELECT outcome INTO said FROM authz_determination WHERE id = NEW.determination_id;
    IF said IN ('approved', 'deemed_approved') AND (
        NEW.granted_days <> NEW.asked_days
        OR NEW.granted_quantity IS DISTINCT FROM NEW.asked_quantity
        OR NEW.granted_daily_units IS DISTINCT FROM NEW.asked_daily_units
        OR NEW.granted_refills IS DISTINCT FROM NEW.asked_refills
        OR NEW.granted_rxcui <> NEW.rxcui
        OR NEW.starts_on IS DISTINCT FROM NEW.asked_from
        OR NEW.ends_on IS DISTINCT FROM NEW.asked_until
    ) THEN
        RAISE EXCEPTION 'an approval grants all that was asked; less is a partial approval, which takes a licence'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'less_than_asked_is_no_approval';
    END IF;
    IF said IN ('denied', 'deemed_adverse') AND NEW.granted_days <> 0 THEN
        RAISE EXCEPTION 'a denial grants nothing'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_denial_grants_nothing';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER line_fits_outcome AFTER INSERT ON authz_determinationline
    FOR EACH ROW EXECUTE FUNCTION authz_line_fits_outcome();
"""

# Checked when the transaction ends: the determination and the state are written one after the other.
DECIDED_BY_SOMETHING = """
CREATE FUNCTION authz_decided_needs_determination() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM authz_determination WHERE prior_auth_id = NEW.id) THEN
        RAISE EXCEPTION 'a decided request has a determination'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decided_requests_have_a_determination';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER decided_by_something AFTER INSERT OR UPDATE OF state ON authz_priorauth
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'decided')
    EXECUTE FUNCTION authz_decided_needs_determination();
"""

AS_BEFORE = """
CREATE OR REPLACE FUNCTION authz_licence_valid_at_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.outcome IN ('denied', 'partially_approved') AND NOT EXISTS (
        SELECT 1 FROM authz_licence
        WHERE id = NEW.licence_id
          AND person_id = NEW.decided_by_id
          AND (NEW.decided_at AT TIME ZONE 'UTC')::date BETWEEN valid_from AND valid_until
    ) THEN
        RAISE EXCEPTION 'only a human with a licence valid at that instant denies'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_a_licensed_human_denies';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("authz", "0012_life_in_full")]

    operations = [
        migrations.RunSQL(WHO_DECIDES, AS_BEFORE),
        migrations.RunSQL(
            LINES_FIT,
            "DROP TRIGGER line_fits_outcome ON authz_determinationline; DROP FUNCTION authz_line_fits_outcome()",
        ),
        migrations.RunSQL(
            DECIDED_BY_SOMETHING,
            "DROP TRIGGER decided_by_something ON authz_priorauth; DROP FUNCTION authz_decided_needs_determination()",
        ),
    ]
