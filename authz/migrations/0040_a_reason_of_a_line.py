"""A line that is denied or granted in part can have a reason of its own; without one the determination's holds."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('authz', '0039_refills_not_asked_for'),
    ]

    operations = [
        migrations.AddField(
            model_name='determinationline',
            name='criterion',
            field=models.CharField(blank=True, db_default='', max_length=500),
        ),
        migrations.AddField(
            model_name='determinationline',
            name='reason_code',
            field=models.CharField(blank=True, db_default='', max_length=40),
        ),
        migrations.AddField(
            model_name='determinationline',
            name='reason_text',
            field=models.CharField(blank=True, db_default='', max_length=2000),
        ),
        migrations.AddField(
            model_name='determinationline',
            name='would_change',
            field=models.CharField(blank=True, db_default='', max_length=1000),
        ),
        migrations.AddConstraint(
            model_name='determinationline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('criterion', ''), ('reason_code', ''), ('reason_text', ''), ('would_change', '')), models.Q(models.Q(('reason_code', ''), _negated=True), models.Q(('reason_text', ''), _negated=True), models.Q(('criterion', ''), _negated=True)), _connector='OR'), name='a_lines_own_reason_is_whole'),
        ),
    ]
