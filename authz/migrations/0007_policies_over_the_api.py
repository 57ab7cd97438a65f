"""Policies count their drafts, and patients wait for a recheck that no recording of a fact brings about."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('authz', '0006_what_was_answered'),
    ]

    operations = [
        migrations.AddField(
            model_name='payerpolicy',
            name='drafts',
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.CreateModel(
            name='Recheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('due_at', models.DateTimeField()),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('dead_at', models.DateTimeField(null=True)),
                ('last_error', models.CharField(blank=True, max_length=200)),
                ('asked_at', models.DateTimeField()),
                ('done_at', models.DateTimeField(null=True)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rechecks', to='authz.patient')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('dead_at', None), ('done_at', None)), fields=['due_at', 'id'], name='recheck_waiting')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('attempts', 0), ('dead_at', None), ('done_at', None)), fields=('patient',), name='one_waiting_recheck_a_patient')],
            },
        ),
    ]
