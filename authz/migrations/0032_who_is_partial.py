"""The database says whether a request is a person's own, and shows nobody whose clinic or prescriber it is.

That a clinic is a reviewer's own is not the insurer's to know, so the answer looks across organizations by itself.
"""

from django.db import migrations

IS_PARTIAL = """
CREATE FUNCTION authz_is_partial(who bigint, clinic bigint, prescribed_by bigint) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    tenant text := current_setting('authz.tenant', true);
    answer boolean;
BEGIN
    PERFORM set_config('authz.tenant', 'all', true);
    answer := EXISTS (SELECT FROM authz_membership WHERE organization_id = clinic AND person_id = who)
        OR EXISTS (SELECT FROM authz_prescriber WHERE id = prescribed_by AND person_id = who);
    PERFORM set_config('authz.tenant', COALESCE(tenant, ''), true);
    RETURN answer;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("authz", "0031_sealed_identifiers")]

    operations = [
        migrations.RunSQL(IS_PARTIAL, "DROP FUNCTION authz_is_partial(bigint, bigint, bigint)"),
    ]
