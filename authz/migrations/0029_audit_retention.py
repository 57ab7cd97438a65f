"""The database itself keeps how long the trail is kept at least, and deletes nothing earlier, by whomever.

The years can grow and never shrink. `authz_audit_prune` deletes at most so many entries at once.
"""

from django.db import migrations, models

YEARS = """
CREATE FUNCTION authz_audit_years() RETURNS integer LANGUAGE sql STABLE
    SET search_path = public, pg_temp AS $$ SELECT COALESCE(max(years), 6) FROM authz_auditretention $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON authz_auditretention
    FOR EACH ROW EXECUTE FUNCTION authz_refuse_change();
REVOKE UPDATE, DELETE ON authz_auditretention FROM authz_app;
"""
NO_YEARS = """
DROP TRIGGER append_only ON authz_auditretention;
DROP FUNCTION authz_audit_years();
"""


def trigger(kept: str) -> str:
    """Return the function that lets an entry be sealed once, and deleted once it is `kept` no longer."""
    return f"""
CREATE OR REPLACE FUNCTION authz_audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.sequence IS NULL AND NEW.sequence IS NOT NULL
        AND to_jsonb(OLD) - '{{sequence,hash}}'::text[] = to_jsonb(NEW) - '{{sequence,hash}}'::text[] THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND OLD.at < now() - {kept} AND EXISTS (
        SELECT FROM authz_auditroot
        WHERE organization_id IS NOT DISTINCT FROM OLD.organization_id AND ends_pruned AND sequence >= OLD.sequence
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
"""


def prune(parameters: str, *, least: str, most: str) -> str:
    """Return the function that deletes what nothing younger precedes: what is left is one piece, after the last root."""
    types = ", ".join(parameter.split()[1] for parameter in parameters.split(", "))
    return f"""
CREATE FUNCTION authz_audit_prune({parameters}) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    until timestamptz := date_trunc('day', now() - make_interval(years => years), 'UTC');
    first_there bigint;
    first_kept bigint;
    last_pruned authz_auditentry;
    pruned bigint;
BEGIN
    IF years < {least} THEN
        RAISE EXCEPTION 'the audit trail is kept for % years at least', {least} USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('authz.audit', whose));
    SELECT min(sequence) INTO first_there FROM authz_auditentry
        WHERE COALESCE(organization_id, 0) = whose AND sequence IS NOT NULL;
    SELECT min(sequence) INTO first_kept FROM authz_auditentry
        WHERE COALESCE(organization_id, 0) = whose AND sequence < first_there + {most} AND at >= until;
    SELECT * INTO last_pruned FROM authz_auditentry
        WHERE COALESCE(organization_id, 0) = whose AND sequence < COALESCE(first_kept, first_there + {most})
        ORDER BY sequence DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    INSERT INTO authz_auditroot (organization_id, at, sequence, hash, ends_pruned)
        VALUES (NULLIF(whose, 0), now(), last_pruned.sequence, last_pruned.hash, true);
    DELETE FROM authz_auditentry WHERE COALESCE(organization_id, 0) = whose AND sequence <= last_pruned.sequence;
    GET DIAGNOSTICS pruned = ROW_COUNT;
    RETURN pruned;
END $$;
REVOKE EXECUTE ON FUNCTION authz_audit_prune({types}) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION authz_audit_prune({types}) TO authz_app;
"""


BEFORE = trigger("interval '6 years'") + prune("whose bigint, years integer", least="6", most="4611686018427387904")
SINCE = trigger("make_interval(years => authz_audit_years())") + prune(
    "whose bigint, years integer, most integer", least="authz_audit_years()", most="most"
)
DROP_BEFORE = "DROP FUNCTION authz_audit_prune(bigint, integer);"
DROP_SINCE = "DROP FUNCTION authz_audit_prune(bigint, integer, integer);"


class Migration(migrations.Migration):
    dependencies = [("authz", "0028_part_2")]

    operations = [
        migrations.CreateModel(
            name="AuditRetention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("years", models.PositiveSmallIntegerField(unique=True)),
                ("held_since", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        name="the_trail_is_kept_for_six_to_ten_years", condition=models.Q(years__gte=6, years__lte=10)
                    )
                ]
            },
        ),
        migrations.RunSQL(YEARS, NO_YEARS),
        migrations.RunSQL(DROP_BEFORE + SINCE, DROP_SINCE + BEFORE),
    ]
