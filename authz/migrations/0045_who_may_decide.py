"""Who may decide against a request, where its policy names specialties; and what an independent reviewer decided of it."""

from importlib import import_module

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

RESTS_ON = import_module("authz.migrations.0036_what_a_decision_rests_on")
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
UPDATE authz_licence SET specialty = known.name FROM (VALUES {_ROWS}) AS known (name, codes)
WHERE known.name = regexp_replace(trim(lower(replace(specialty, '&', ' and '))), '[\\s_]+', '_', 'g')
    OR upper(trim(specialty)) = ANY (known.codes);
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


# -- what is decided outside the insurer, once it was forwarded: itself, or on appeal
WITH_REVIEWER = """
CREATE FUNCTION authz_is_with_independent_reviewer(request bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM authz_priorauth WHERE id = request AND state = 'decided')
        AND (
            EXISTS (SELECT FROM authz_event WHERE prior_auth_id = request AND step = 'forward')
            OR EXISTS (SELECT FROM authz_appeal WHERE prior_auth_id = request AND state = 'external')
        )
        AND NOT EXISTS (SELECT FROM authz_independentreview WHERE prior_auth_id = request)
$$;
"""
REVIEWED = """
CREATE FUNCTION authz_reviewed_independently() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT authz_is_with_independent_reviewer(NEW.prior_auth_id) THEN
        RAISE EXCEPTION 'only what is with the independent reviewer is decided there, once'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_what_was_forwarded_is_decided_independently';
    END IF;
    IF NEW.determination_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM authz_determination
        WHERE id = NEW.determination_id AND prior_auth_id = NEW.prior_auth_id AND basis = 'external'
          AND outcome = CASE NEW.outcome WHEN 'overturned' THEN 'approved' ELSE 'partially_approved' END
    ) THEN
        RAISE EXCEPTION 'what the independent reviewer decides supersedes, and says the same'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'what_supersedes_says_what_was_decided_independently';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviewed_independently BEFORE INSERT ON authz_independentreview
    FOR EACH ROW EXECUTE FUNCTION authz_reviewed_independently();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON authz_independentreview
    FOR EACH ROW EXECUTE FUNCTION authz_refuse_change();
REVOKE UPDATE, DELETE ON authz_independentreview FROM authz_app;
ALTER TABLE authz_independentreview ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON authz_independentreview USING (authz_is_across() OR authz_sees_priorauth(prior_auth_id))
    WITH CHECK (authz_is_across() OR authz_reviews(prior_auth_id));
"""
# Checked when the transaction ends: the determination is written first.
RESTS_ON_A_REVIEW = """
CREATE FUNCTION authz_rests_on_a_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM authz_independentreview WHERE determination_id = NEW.id) THEN
        RAISE EXCEPTION 'what rests on an independent review has it recorded'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'what_rests_on_a_review_has_it_recorded';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER rests_on_a_review AFTER INSERT ON authz_determination
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.basis = 'external')
    EXECUTE FUNCTION authz_rests_on_a_review();
"""

# The independent reviewer's licence is not the insurer's to check; nor is what they decided appealed to the insurer.
WHO_DECIDES = MAY_DENY._held(RESTS_ON.WHO_DECIDES_BY_ITS_CALENDAR)
ONLY_WHAT_IS_OPEN = RESTS_ON._function(RESTS_ON.ONLY_WHAT_IS_OPEN)
WHAT_IS_APPEALED = RESTS_ON._function(RESTS_ON.APPEALS.WHAT_IS_APPEALED)
OR_OUTSIDE = {
    WHO_DECIDES: ("AND NOT EXISTS (", "AND NEW.basis <> 'external' AND NOT EXISTS ("),
    ONLY_WHAT_IS_OPEN: (
        "AND state = 'in_review')\n",
        "AND state = 'in_review')\n"
        "        OR (NEW.basis = 'external' AND authz_is_with_independent_reviewer(NEW.prior_auth_id))\n",
    ),
    WHAT_IS_APPEALED: (
        "AND d.outcome IN ('denied', 'partially_approved', 'deemed_adverse')",
        "AND d.outcome IN ('denied', 'partially_approved', 'deemed_adverse') AND d.basis <> 'external'",
    ),
}


class Migration(migrations.Migration):
    dependencies = [("authz", "0044_how_an_insurer_is_reached")]

    operations = [
        migrations.RunSQL("ALTER TABLE authz_licence DISABLE TRIGGER licence_stays", migrations.RunSQL.noop),
        migrations.RunSQL(BY_NAME, migrations.RunSQL.noop),
        migrations.RunSQL("ALTER TABLE authz_licence ENABLE TRIGGER licence_stays", migrations.RunSQL.noop),
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
        migrations.CreateModel(
            name="IndependentReview",
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(choices=[('upheld', 'upheld'), ('overturned', 'overturned'), ('partly_overturned', 'partly_overturned')], max_length=20)),
                ('decided_on', models.DateField()),
                ('reference', models.CharField(max_length=200)),
                ('reason', models.CharField(max_length=2000)),
                ('recorded_at', models.DateTimeField()),
                ('determination', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='independent_review', to='authz.determination')),
                ('prior_auth', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='independent_review', to='authz.priorauth')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('determination', None), ('outcome', 'upheld')), models.Q(models.Q(('outcome', 'upheld'), _negated=True), ('determination__isnull', False)), _connector='OR'), name='what_is_overturned_independently_is_superseded'),
                    models.CheckConstraint(condition=models.Q(models.Q(('reference', ''), _negated=True), models.Q(('reason', ''), _negated=True)), name='an_independent_review_says_under_which_reference_and_why'),
                ],
            },
        ),
        migrations.RemoveConstraint(model_name="determination", name="only_a_licensed_human_denies"),
        migrations.RemoveConstraint(model_name="determination", name="people_decide_or_a_rule_approves_or_the_law_does"),
        migrations.AlterField(
            model_name='determination',
            name='basis',
            field=models.CharField(choices=[('person', 'person'), ('rule', 'rule'), ('law', 'law'), ('external', 'external')], default='person', max_length=10),
        ),
        migrations.AddConstraint(
            model_name='determination',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('basis', 'person'), ('decided_by__isnull', False), ('outcome__in', ['approved', 'denied', 'partially_approved'])), models.Q(('basis', 'rule'), ('decided_by', None), ('licence', None), ('outcome', 'approved')), models.Q(('basis', 'law'), ('decided_by', None), ('licence', None), ('outcome__in', ['deemed_adverse', 'deemed_approved'])), models.Q(('basis', 'external'), ('decided_by', None), ('licence', None), ('outcome__in', ['approved', 'partially_approved'])), _connector='OR'), name='people_decide_or_a_rule_approves_or_the_law_does'),
        ),
        migrations.AddConstraint(
            model_name='determination',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('outcome__in', ['denied', 'partially_approved']), _negated=True), models.Q(('decided_by__isnull', False), ('licence__isnull', False)), ('basis', 'external'), _connector='OR'), name='only_a_licensed_human_denies'),
        ),
        migrations.RunSQL(WITH_REVIEWER, "DROP FUNCTION authz_is_with_independent_reviewer(bigint)"),
        migrations.RunSQL(
            REVIEWED,
            "DROP TRIGGER reviewed_independently ON authz_independentreview; DROP FUNCTION authz_reviewed_independently()",
        ),
        migrations.RunSQL(RESTS_ON_A_REVIEW, RESTS_ON._gone("rests_on_a_review", "authz_determination")),
        *(migrations.RunSQL(function.replace(*changed, 1), function) for function, changed in OR_OUTSIDE.items()),
    ]
