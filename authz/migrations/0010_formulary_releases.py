"""Releases of the formulary taken in by an operator: immutable, but for being taken into use and out of it."""

import authz.ids
import django.db.models.deletion
from django.db import migrations, models

APPEND_ONLY = ["authz_formularyproduct", "authz_ndccode"]

ONE_TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION authz_refuse_change();
"""

RELEASE_HISTORY = """
CREATE FUNCTION authz_release_history() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_use CONSTANT text[] := ARRAY['is_current', 'activated_at'];
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - of_use = to_jsonb(OLD) - of_use THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'a release of the formulary is immutable: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER release_history BEFORE UPDATE OR DELETE ON authz_formularyrelease
    FOR EACH ROW EXECUTE FUNCTION authz_release_history();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('authz', '0009_pain'),
    ]

    operations = [
        migrations.CreateModel(
            name='FormularyRelease',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=authz.ids.new_id, editable=False, unique=True)),
                ('version', models.CharField(max_length=40, unique=True)),
                ('files_sha256', models.CharField(max_length=64)),
                ('imported_at', models.DateTimeField()),
                ('is_current', models.BooleanField(default=False)),
                ('activated_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_current', True)), fields=('is_current',), name='one_release_is_current'), models.CheckConstraint(condition=models.Q(('is_current', False), ('activated_at__isnull', False), _connector='OR'), name='current_release_was_activated')],
            },
        ),
        migrations.CreateModel(
            name='FormularyProduct',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rxcui', models.CharField(max_length=8)),
                ('name', models.TextField()),
                ('clinical_rxcui', models.CharField(blank=True, max_length=8)),
                ('ingredient_rxcui', models.CharField(blank=True, max_length=8)),
                ('ingredient', models.CharField(blank=True, max_length=100)),
                ('strength', models.DecimalField(decimal_places=8, max_digits=16, null=True)),
                ('strength_unit', models.CharField(blank=True, max_length=10)),
                ('dose_form', models.TextField(blank=True)),
                ('acts', models.CharField(blank=True, max_length=5)),
                ('standing', models.CharField(blank=True, max_length=20)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('sources', models.CharField(blank=True, max_length=100)),
                ('factors', models.JSONField(default=dict)),
                ('unread_because', models.TextField(blank=True)),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='products', to='authz.formularyrelease')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('release', 'rxcui'), name='product_once_per_release'), models.CheckConstraint(condition=models.Q(models.Q(('standing', ''), models.Q(('unread_because', ''), _negated=True)), models.Q(models.Q(('standing', ''), _negated=True), ('unread_because', '')), _connector='OR'), name='product_is_read_or_says_why_not'), models.CheckConstraint(condition=models.Q(models.Q(('standing', 'counts'), _negated=True), models.Q(('factors', {}), _negated=True), ('note__startswith', 'no factor: '), _connector='OR'), name='product_has_a_factor_or_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='NdcCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ndc', models.CharField(max_length=11)),
                ('rxcui', models.CharField(max_length=8)),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ndc_codes', to='authz.formularyrelease')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('release', 'ndc', 'rxcui'), name='ndc_meaning_once_per_release')],
            },
        ),
        *(
            migrations.RunSQL(ONE_TRIGGER.format(table=table), f"DROP TRIGGER append_only ON {table}")
            for table in APPEND_ONLY
        ),
        migrations.RunSQL(
            RELEASE_HISTORY,
            "DROP TRIGGER release_history ON authz_formularyrelease; DROP FUNCTION authz_release_history()",
        ),
    ]
