"""Policies that payers hold themselves: from the draft on, the database keeps their history and their days apart."""

import authz.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

HISTORY = """
CREATE FUNCTION authz_policy_history() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_activation CONSTANT text[] := ARRAY['state', 'activated_by_id', 'activated_at'];
    of_retirement CONSTANT text[] := ARRAY['state', 'retired_by_id', 'retired_on'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state = 'draft' THEN RETURN NEW; END IF;
        RAISE EXCEPTION 'a policy begins as a draft' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state = 'draft' THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        IF NEW.state = 'draft' THEN RETURN NEW; END IF;
        -- What is activated is what was drafted: nobody slips other terms in with the second signature.
        IF NEW.state = 'active' AND to_jsonb(NEW) - of_activation = to_jsonb(OLD) - of_activation THEN RETURN NEW; END IF;
    ELSIF OLD.state = 'active' AND TG_OP = 'UPDATE' AND NEW.state = 'retired'
        AND to_jsonb(NEW) - of_retirement = to_jsonb(OLD) - of_retirement THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an activated policy is immutable: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER policy_history BEFORE INSERT OR UPDATE OR DELETE ON authz_payerpolicy
    FOR EACH ROW EXECUTE FUNCTION authz_policy_history();
"""

# A range of text makes "the same payer and code" something that an exclusion constraint can ask without an extension.
ONE_RULE_A_DAY = """
CREATE TYPE authz_textrange AS RANGE (subtype = text);
ALTER TABLE authz_payerpolicy ADD CONSTRAINT one_policy_version_a_day EXCLUDE USING gist (
    authz_textrange(insurer_id::text || ':' || code, insurer_id::text || ':' || code, '[]') WITH &&,
    daterange(in_force_from, LEAST(in_force_until + 1, retired_on), '[)') WITH &&
) WHERE (state <> 'draft');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('authz', '0002_promises'),
    ]

    operations = [
        migrations.CreateModel(
            name='PayerPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=authz.ids.new_id, editable=False, unique=True)),
                ('code', models.CharField(max_length=60)),
                ('version', models.CharField(max_length=20)),
                ('title', models.CharField(max_length=200)),
                ('in_force_from', models.DateField()),
                ('in_force_until', models.DateField(null=True)),
                ('terms', models.JSONField()),
                ('state', models.CharField(choices=[('draft', 'draft'), ('active', 'active'), ('retired', 'retired')], default='draft', max_length=10)),
                ('drafted_at', models.DateTimeField()),
                ('activated_at', models.DateTimeField(null=True)),
                ('retired_on', models.DateField(null=True)),
                ('activated_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('insurer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payer_policies', to='authz.organization')),
                ('retired_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('insurer', 'code', 'version'), name='policy_version_once_per_insurer'), models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'active', 'retired'])), name='policy_state_is_known'), models.CheckConstraint(condition=models.Q(('in_force_until', None), ('in_force_until__gte', models.F('in_force_from')), _connector='OR'), name='policy_validity_runs_forward'), models.CheckConstraint(condition=models.Q(models.Q(('activated_at', None), ('activated_by', None), ('state', 'draft')), models.Q(models.Q(('state', 'draft'), _negated=True), ('activated_at__isnull', False), ('activated_by__isnull', False), models.Q(('activated_by', models.F('author')), _negated=True)), _connector='OR'), name='policy_is_activated_by_somebody_else'), models.CheckConstraint(condition=models.Q(models.Q(('retired_by__isnull', False), ('retired_on__gte', models.F('in_force_from')), ('state', 'retired')), models.Q(models.Q(('state', 'retired'), _negated=True), ('retired_by', None), ('retired_on', None)), _connector='OR'), name='policy_is_retired_by_somebody_on_a_day')],
            },
        ),
        migrations.RunSQL(
            HISTORY, "DROP TRIGGER policy_history ON authz_payerpolicy; DROP FUNCTION authz_policy_history()"
        ),
        migrations.RunSQL(
            ONE_RULE_A_DAY,
            "ALTER TABLE authz_payerpolicy DROP CONSTRAINT one_policy_version_a_day; DROP TYPE authz_textrange",
        ),
    ]
