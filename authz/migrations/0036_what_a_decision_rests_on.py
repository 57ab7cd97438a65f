"""What a determination rests on: what was asked, when it was, and what was submitted, which nobody changes any more."""

from importlib import import_module

from django.db import migrations, models

DECISIONS = import_module("authz.migrations.0013_promises_of_decisions")
APPEALS = import_module("authz.migrations.0017_after_a_decision")


def _function(created: str) -> str:
    """Return a function of an earlier migration without its trigger, to be put in its place."""
    return created.partition("CREATE TRIGGER")[0].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


def _besides(function: str, *, before: str, check: str) -> str:
    """Return the function with one more check before a line of it."""
    return function.replace(before, check + before, 1)


WHO_DECIDES, LINES_FIT = _function(DECISIONS.WHO_DECIDES), _function(DECISIONS.LINES_FIT)
WHO_DECIDES_AN_APPEAL = _function(APPEALS.WHO_DECIDES_AN_APPEAL)

# A licence is valid by the day in the request's own calendar, the plan's, in which all its legal days are reckoned.
UTC, ITS_CALENDAR = "AT TIME ZONE 'UTC'", "AT TIME ZONE (SELECT time_zone FROM authz_priorauth WHERE id = {request})"
WHO_DECIDES_BY_ITS_CALENDAR = WHO_DECIDES.replace(UTC, ITS_CALENDAR.format(request="NEW.prior_auth_id"))
WHO_DECIDES_AN_APPEAL_BY_ITS_CALENDAR = _besides(
    WHO_DECIDES_AN_APPEAL.replace(UTC, ITS_CALENDAR.format(request="appeal.prior_auth_id")),
    before="    IF appeal.state <> 'in_review' THEN",
    check="""    IF NEW.decided_at < appeal.filed_at THEN
        RAISE EXCEPTION 'no appeal is decided before it was filed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'no_appeal_is_decided_before_it_was_filed';
    END IF;
""",
)

# The request's row still says what it was: the determination is written first. On appeal it is decided, and in review.
ONLY_WHAT_IS_OPEN = """
CREATE FUNCTION authz_only_what_is_open_is_decided() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    request record;
BEGIN
    SELECT state, submitted_at, reopened_at, due_at INTO request FROM authz_priorauth WHERE id = NEW.prior_auth_id;
    IF request.submitted_at IS NULL OR NOT (
        request.state IN ('queued', 'incomplete', 'in_review', 'info_requested', 'clinical_review')
        OR EXISTS (SELECT FROM authz_appeal WHERE determination_id = NEW.supersedes_id AND state = 'in_review')
    ) THEN
        RAISE EXCEPTION 'only what was submitted and is undecided, or under appeal, is decided'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_what_is_open_is_decided';
    END IF;
    IF NEW.decided_at < GREATEST(request.submitted_at, request.reopened_at,
                                 (SELECT decided_at FROM authz_determination WHERE id = NEW.supersedes_id)) THEN
        RAISE EXCEPTION 'nothing is decided before it was submitted, reopened or last decided'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'nothing_is_decided_before_it_was_asked';
    END IF;
    IF NEW.basis = 'law' AND (request.reopened_at IS NOT NULL OR NEW.due_at IS DISTINCT FROM request.due_at) THEN
        RAISE EXCEPTION 'the law decides at the due instant of the request, and nothing that was reopened'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'the_law_decides_at_the_due_instant';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_what_is_open_is_decided BEFORE INSERT ON authz_determination
    FOR EACH ROW EXECUTE FUNCTION authz_only_what_is_open_is_decided();
"""

# A line's own word for what was asked is held against the request: or a part would pass for the whole.
LINES_ARE_THOSE_ASKED = _besides(
    LINES_FIT,
    before="    SELECT outcome INTO said",
    check="""    IF NOT EXISTS (
        SELECT FROM authz_requestedline AS asked
        JOIN authz_determination AS d ON d.prior_auth_id = asked.prior_auth_id
        WHERE d.id = NEW.determination_id AND asked.line = NEW.line
          AND ROW (asked.rxcui, asked.days_supply, asked.quantity, asked.daily_units, asked.refills, asked.starts_on,
                   asked.ends_on)
              IS NOT DISTINCT FROM ROW (NEW.rxcui, NEW.asked_days, NEW.asked_quantity, NEW.asked_daily_units,
                                        NEW.asked_refills, NEW.asked_from, NEW.asked_until)
    ) THEN
        RAISE EXCEPTION 'a line decides what the request asks for on that line'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_what_was_asked_is_decided';
    END IF;
""",
)

# Checked when the transaction ends: the lines are written after the determination.
EVERY_LINE = """
CREATE FUNCTION authz_every_line_is_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM authz_determinationline WHERE determination_id = NEW.id) OR EXISTS (
        SELECT line FROM authz_requestedline WHERE prior_auth_id = NEW.prior_auth_id
        EXCEPT SELECT line FROM authz_determinationline WHERE determination_id = NEW.id
    ) THEN
        RAISE EXCEPTION 'a determination decides every line that was asked'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'every_line_is_decided';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER every_line_is_decided AFTER INSERT ON authz_determination
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION authz_every_line_is_decided();
"""

SUBMITTED = [
    "submitted_at", "packet_sha256", "clinic_id", "insurer_id", "evaluation_id", "policy", "policy_version", "regime",
    "regime_version", "time_zone",
]  # fmt: skip


def _row(of: str) -> str:
    return f"ROW ({', '.join(f'{of}.{column}' for column in SUBMITTED)})"


# Of the packet itself, which is sealed anew when keys are replaced, the hash tells.
WHAT_WAS_SUBMITTED = f"""
CREATE FUNCTION authz_what_was_submitted_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'authz_requestedline' THEN
        IF NOT EXISTS (
            SELECT FROM authz_priorauth
            WHERE id IN (NEW.prior_auth_id, OLD.prior_auth_id) AND submitted_at IS NOT NULL
        ) THEN
            RETURN COALESCE(NEW, OLD);
        END IF;
    END IF;
    RAISE EXCEPTION 'what was submitted stands: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'what_was_submitted_stands';
END $$;
CREATE TRIGGER what_was_submitted_stands BEFORE UPDATE ON authz_priorauth FOR EACH ROW
    WHEN (OLD.submitted_at IS NOT NULL AND {_row("OLD")} IS DISTINCT FROM {_row("NEW")})
    EXECUTE FUNCTION authz_what_was_submitted_stands();
CREATE TRIGGER what_was_submitted_stands BEFORE INSERT OR UPDATE OR DELETE ON authz_requestedline
    FOR EACH ROW EXECUTE FUNCTION authz_what_was_submitted_stands();
"""

# Only where a request is opened: two that are open may come to share a record that joins their episodes, and say so.
# The patient's row is locked, as every service does first, so of two at once the second sees the first.
ONE_OF_THE_SAME_RECORDS = """
CREATE FUNCTION authz_one_active_request_of_the_same_records() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM authz_patient WHERE id = NEW.patient_id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM authz_priorauth
        WHERE patient_id = NEW.patient_id AND coverage_id IS NOT DISTINCT FROM NEW.coverage_id
          AND state IN ('detected', 'draft', 'awaiting_prescriber', 'queued', 'incomplete', 'in_review',
                        'info_requested', 'clinical_review')
          AND record_ids && NEW.record_ids
    ) THEN
        RAISE EXCEPTION 'an active request covers one of these orders and fills already'
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'one_active_request_of_the_same_records';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER one_active_request_of_the_same_records BEFORE INSERT ON authz_priorauth FOR EACH ROW
    WHEN (NEW.state IN ('detected', 'draft', 'awaiting_prescriber', 'queued', 'incomplete', 'in_review',
                        'info_requested', 'clinical_review'))
    EXECUTE FUNCTION authz_one_active_request_of_the_same_records();
"""

# A clinic reads what was decided of its requests, and writes none of it. Lines are held to a determination's.
WRITES = "ALTER POLICY mine ON authz_determination WITH CHECK (authz_is_across() OR {whoever}(prior_auth_id))"


def _gone(name: str, *tables: str) -> str:
    triggers = "".join(f"DROP TRIGGER {name} ON {table}; " for table in tables)
    return f"{triggers}DROP FUNCTION authz_{name}()"


class Migration(migrations.Migration):
    dependencies = [("authz", "0035_what_was_decided_stands")]

    operations = [
        migrations.RunSQL(WHO_DECIDES_BY_ITS_CALENDAR, WHO_DECIDES),
        migrations.RunSQL(WHO_DECIDES_AN_APPEAL_BY_ITS_CALENDAR, WHO_DECIDES_AN_APPEAL),
        migrations.RunSQL(LINES_ARE_THOSE_ASKED, LINES_FIT),
        migrations.RunSQL(ONLY_WHAT_IS_OPEN, _gone("only_what_is_open_is_decided", "authz_determination")),
        migrations.RunSQL(EVERY_LINE, _gone("every_line_is_decided", "authz_determination")),
        migrations.RunSQL(
            WHAT_WAS_SUBMITTED, _gone("what_was_submitted_stands", "authz_priorauth", "authz_requestedline")
        ),
        migrations.RunSQL(
            ONE_OF_THE_SAME_RECORDS, _gone("one_active_request_of_the_same_records", "authz_priorauth")
        ),
        migrations.RunSQL(WRITES.format(whoever="authz_reviews"), WRITES.format(whoever="authz_sees_priorauth")),
        migrations.AddConstraint(
            model_name='determination',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('basis', 'rule'), _negated=True), ('trace__isnull', False), _connector='OR'), name='a_rule_shows_what_it_was_shown'),
        ),
        migrations.RemoveConstraint(
            model_name='priorauth',
            name='submitted_requests_have_an_insurer_and_a_packet',
        ),
        migrations.AddConstraint(
            model_name='priorauth',
            constraint=models.CheckConstraint(condition=models.Q(('submitted_at', None), models.Q(('insurer__isnull', False), ('packet__isnull', False), models.Q(('packet_sha256', ''), _negated=True)), _connector='OR'), name='submitted_requests_have_an_insurer_and_a_packet'),
        ),
    ]
