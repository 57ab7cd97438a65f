"""Promises that constraints alone cannot keep: what is append-only, and that only a valid licence denies."""

from django.db import migrations

APPEND_ONLY = [
    "authz_event",
    "authz_determination",
    "authz_determinationline",
    "authz_prescriptionversion",
    "authz_fillversion",
    "authz_auditentry",
    "authz_evaluation",
]

REFUSE_CHANGE = """
CREATE FUNCTION authz_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
"""

ONE_TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION authz_refuse_change();
"""

LICENCE_VALID_AT_THAT_INSTANT = """
CREATE FUNCTION authz_licence_valid_at_decision() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER licence_valid_at_that_instant BEFORE INSERT ON authz_determination
    FOR EACH ROW EXECUTE FUNCTION authz_licence_valid_at_decision();
"""

NUMBERS = "CREATE SEQUENCE authz_request_number; CREATE SEQUENCE authz_authorization_number;"


def _both_ways(create: str, drop: str) -> migrations.RunSQL:
    return migrations.RunSQL(create, drop)


class Migration(migrations.Migration):
    dependencies = [("authz", "0001_initial")]

    operations = [
        _both_ways(REFUSE_CHANGE, "DROP FUNCTION authz_refuse_change()"),
        *(
            _both_ways(
                ONE_TRIGGER.format(table=table),
                f"DROP TRIGGER append_only ON {table}",
            )
            for table in APPEND_ONLY
        ),
        _both_ways(
            LICENCE_VALID_AT_THAT_INSTANT,
            "DROP TRIGGER licence_valid_at_that_instant ON authz_determination; DROP FUNCTION authz_licence_valid_at_decision()",
        ),
        _both_ways(NUMBERS, "DROP SEQUENCE authz_request_number; DROP SEQUENCE authz_authorization_number"),
    ]
