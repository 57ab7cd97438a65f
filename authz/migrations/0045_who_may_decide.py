"""Of which specialties a licence must be to decide against a request, where its policy names some."""

from importlib import import_module

import django.contrib.postgres.fields
from django.db import migrations, models

MAY_DENY = import_module("authz.migrations.0043_who_may_deny_and_what_stays")

# Said exactly, by name or by a code of the provider taxonomy; whatever else was said stays as it is, and is none of
# those that a policy can name. The tables' owner is held by row-level security, too; and a licence that was decided by
# is said in other words here, not changed.
NAMES = {
    "addiction_medicine": ["207LA0401X", "207QA0401X", "207RA0401X", "2083A0300X", "2084A0401X"],
    "addiction_psychiatry": ["2084P0802X"],
    "anesthesiology": ["207L00000X"],
    "emergency_medicine": ["207P00000X"],
    "family_medicine": ["207Q00000X"],
    "hematology_and_oncology": ["207RH0003X"],
    "hospice_and_palliative_medicine": [
        "207LH0002X", "207PH0002X", "207QH0002X", "207RH0002X", "207VH0002X", "2080H0002X", "2081H0002X",
        "2084H0002X", "2085H0002X", "2086H0002X",
    ],
    "internal_medicine": ["207R00000X"],
    "medical_oncology": ["207RX0202X"],
    "neurological_surgery": ["207T00000X"],
    "neurology": ["2084N0400X"],
    "orthopaedic_surgery": ["207X00000X"],
    "pain_medicine": ["207LP2900X", "2081P2900X", "2084P2900X", "208VP0000X", "208VP0014X"],
    "physical_medicine_and_rehabilitation": ["208100000X"],
    "psychiatry": ["2084P0800X"],
    "rheumatology": ["207RR0500X"],
    "surgery": ["208600000X"],
}  # fmt: skip
_ROWS = ", ".join(f"('{name}', ARRAY{codes})" for name, codes in NAMES.items())
BY_NAME = f"""
SELECT set_config('authz.tenant', 'all', true);
ALTER TABLE authz_licence DISABLE TRIGGER licence_stays;
UPDATE authz_licence SET specialty = known.name FROM (VALUES {_ROWS}) AS known (name, codes)
WHERE known.name = regexp_replace(trim(lower(replace(specialty, '&', ' and '))), '[\\s_]+', '_', 'g')
    OR upper(trim(specialty)) = ANY (known.codes);
ALTER TABLE authz_licence ENABLE TRIGGER licence_stays;
"""

# Whoever decides against what was asked, or upholds that on appeal, does so on a licence; nobody else does.
OF_A_NAMED_SPECIALTY = """
CREATE FUNCTION authz_of_a_named_specialty() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    request bigint;
    named varchar[];
BEGIN
    IF TG_TABLE_NAME = 'authz_determination' THEN
        request := NEW.prior_auth_id;
    ELSE
        SELECT prior_auth_id INTO request FROM authz_appeal WHERE id = NEW.appeal_id;
    END IF;
    SELECT decider_specialties INTO named FROM authz_priorauth WHERE id = request;
    IF named <> '{}' AND NOT EXISTS (
        SELECT FROM authz_licence WHERE id = NEW.licence_id AND specialty = ANY (named)
    ) THEN
        RAISE EXCEPTION 'only the specialties that its policy names decide against a request'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_named_specialties_decide_against_a_request';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER of_a_named_specialty BEFORE INSERT ON authz_determination
    FOR EACH ROW WHEN (NEW.licence_id IS NOT NULL) EXECUTE FUNCTION authz_of_a_named_specialty();
CREATE TRIGGER of_a_named_specialty BEFORE INSERT ON authz_appealdecision
    FOR EACH ROW WHEN (NEW.licence_id IS NOT NULL) EXECUTE FUNCTION authz_of_a_named_specialty();
"""
OF_ANY = """
DROP TRIGGER of_a_named_specialty ON authz_determination;
DROP TRIGGER of_a_named_specialty ON authz_appealdecision;
DROP FUNCTION authz_of_a_named_specialty();
"""


class Migration(migrations.Migration):
    dependencies = [("authz", "0044_how_an_insurer_is_reached")]

    operations = [
        migrations.RunSQL(BY_NAME, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="priorauth",
            name="decider_specialties",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40), db_default=[], default=list, size=None
            ),
        ),
        migrations.RunSQL(
            MAY_DENY._submitted("denied_by", "decider_specialties"), MAY_DENY._submitted("denied_by")
        ),
        migrations.RunSQL(OF_A_NAMED_SPECIALTY, OF_ANY),
    ]
