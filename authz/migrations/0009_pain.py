"""Pain scores, surgeries and hints. What was told of the first two is append-only, as of orders and fills."""

import authz.ids
import django.db.models.deletion
from django.db import migrations, models

ONE_TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION authz_refuse_change();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('authz', '0008_simulations'),
    ]

    operations = [
        migrations.CreateModel(
            name='PainHint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=authz.ids.new_id, editable=False, unique=True)),
                ('found_on', models.DateField(help_text="As of which day, in the clinic's calendar.")),
                ('found_at', models.DateTimeField()),
                ('facts_sha256', models.CharField(max_length=64)),
                ('ended_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='PainScore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=authz.ids.new_id, editable=False, unique=True)),
                ('identifier', models.CharField(max_length=100)),
            ],
        ),
        migrations.CreateModel(
            name='PainScoreVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('status', models.CharField(choices=[('active', 'active'), ('entered_in_error', 'entered_in_error')], max_length=20)),
                ('recorded_at', models.DateTimeField()),
                ('recorded_on', models.DateField(help_text="The day we learned it, in the clinic's calendar.")),
                ('recorded_by', models.CharField(help_text='The person or machine that told it.', max_length=200)),
                ('source_updated_at', models.DateTimeField(help_text='When the sender says it last changed.', null=True)),
                ('scored_on', models.DateField(help_text="The day it was asked, in the clinic's calendar.")),
                ('instrument', models.CharField(choices=[('peg', 'peg'), ('pain_past_week', 'pain_past_week'), ('pain_now', 'pain_now')], max_length=20)),
                ('pain', models.PositiveSmallIntegerField()),
                ('enjoyment', models.PositiveSmallIntegerField(null=True)),
                ('activity', models.PositiveSmallIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Surgery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=authz.ids.new_id, editable=False, unique=True)),
                ('identifier', models.CharField(max_length=100)),
            ],
            options={
                'verbose_name_plural': 'surgeries',
            },
        ),
        migrations.CreateModel(
            name='SurgeryVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('status', models.CharField(choices=[('active', 'active'), ('entered_in_error', 'entered_in_error')], max_length=20)),
                ('recorded_at', models.DateTimeField()),
                ('recorded_on', models.DateField(help_text="The day we learned it, in the clinic's calendar.")),
                ('recorded_by', models.CharField(help_text='The person or machine that told it.', max_length=200)),
                ('source_updated_at', models.DateTimeField(help_text='When the sender says it last changed.', null=True)),
                ('performed_on', models.DateField(help_text="In the clinic's calendar.")),
            ],
        ),
        migrations.AddField(
            model_name='organization',
            name='has_pain_signal',
            field=models.BooleanField(default=False, help_text='Whether its prescribers want the pain signal.'),
        ),
        migrations.AlterField(
            model_name='inboxentry',
            name='prior_auth',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.priorauth'),
        ),
        migrations.AddConstraint(
            model_name='organization',
            constraint=models.CheckConstraint(condition=models.Q(('has_pain_signal', False), ('kind', 'clinic'), _connector='OR'), name='only_a_clinic_has_a_pain_signal'),
        ),
        migrations.AddField(
            model_name='painhint',
            name='clinic',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.organization'),
        ),
        migrations.AddField(
            model_name='painhint',
            name='patient',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pain_hints', to='authz.patient'),
        ),
        migrations.AddField(
            model_name='painhint',
            name='prescriber',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.prescriber'),
        ),
        migrations.AddField(
            model_name='inboxentry',
            name='pain_hint',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.painhint'),
        ),
        migrations.AddConstraint(
            model_name='inboxentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('pain_hint', None), ('prior_auth__isnull', False)), models.Q(('pain_hint__isnull', False), ('prior_auth', None)), _connector='OR'), name='notice_is_about_exactly_one'),
        ),
        migrations.AddField(
            model_name='painscore',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.organization'),
        ),
        migrations.AddField(
            model_name='painscore',
            name='patient',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='authz.patient'),
        ),
        migrations.AddField(
            model_name='painscoreversion',
            name='record',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='authz.painscore'),
        ),
        migrations.AddField(
            model_name='surgery',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.organization'),
        ),
        migrations.AddField(
            model_name='surgery',
            name='patient',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='authz.patient'),
        ),
        migrations.AddField(
            model_name='surgeryversion',
            name='record',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='authz.surgery'),
        ),
        migrations.AddConstraint(
            model_name='painhint',
            constraint=models.UniqueConstraint(fields=('patient', 'clinic', 'facts_sha256'), name='pain_hint_once_for_its_facts'),
        ),
        migrations.AddConstraint(
            model_name='painhint',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('patient', 'clinic'), name='one_pain_hint_holds_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='painscore',
            constraint=models.UniqueConstraint(fields=('organization', 'identifier'), name='pain_score_once_per_organization'),
        ),
        migrations.AddConstraint(
            model_name='painscoreversion',
            constraint=models.UniqueConstraint(fields=('record', 'version'), name='pain_score_version_once'),
        ),
        migrations.AddConstraint(
            model_name='painscoreversion',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('active', 'entered_in_error'))), name='pain_score_stands_or_is_in_error'),
        ),
        migrations.AddConstraint(
            model_name='painscoreversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('activity__isnull', False), ('enjoyment__isnull', False), ('instrument', 'peg')), models.Q(models.Q(('instrument', 'peg'), _negated=True), ('activity', None), ('enjoyment', None)), _connector='OR'), name='a_peg_has_three_answers_and_a_rating_one'),
        ),
        migrations.AddConstraint(
            model_name='painscoreversion',
            constraint=models.CheckConstraint(condition=models.Q(('pain__lte', 10), models.Q(('enjoyment', None), ('enjoyment__lte', 10), _connector='OR'), models.Q(('activity', None), ('activity__lte', 10), _connector='OR')), name='pain_answers_go_up_to_10'),
        ),
        migrations.AddConstraint(
            model_name='surgery',
            constraint=models.UniqueConstraint(fields=('organization', 'identifier'), name='surgery_once_per_organization'),
        ),
        migrations.AddConstraint(
            model_name='surgeryversion',
            constraint=models.UniqueConstraint(fields=('record', 'version'), name='surgery_version_once'),
        ),
        migrations.AddConstraint(
            model_name='surgeryversion',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('active', 'entered_in_error'))), name='surgery_stands_or_is_in_error'),
        ),
        *(
            migrations.RunSQL(ONE_TRIGGER.format(table=table), f"DROP TRIGGER append_only ON {table}")
            for table in ("authz_painscoreversion", "authz_surgeryversion")
        ),
    ]
