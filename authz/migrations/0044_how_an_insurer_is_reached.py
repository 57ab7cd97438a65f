"""How an insurer is reached, which its letters print: empty until its administrator says it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("authz", "0043_who_may_deny_and_what_stays")]

    operations = [
        migrations.AddField(
            model_name='organization',
            name='fax',
            field=models.CharField(blank=True, db_default='', max_length=30),
        ),
        migrations.AddField(
            model_name='organization',
            name='hours',
            field=models.CharField(blank=True, db_default='', help_text='When calls are answered.', max_length=200),
        ),
        migrations.AddField(
            model_name='organization',
            name='phone',
            field=models.CharField(blank=True, db_default='', max_length=30),
        ),
        migrations.AddField(
            model_name='organization',
            name='postal_address',
            field=models.CharField(blank=True, db_default='', max_length=400),
        ),
        migrations.AddConstraint(
            model_name='organization',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('fax', ''), ('hours', ''), ('phone', ''), ('postal_address', '')), models.Q(('kind', 'insurer'), models.Q(('postal_address', ''), _negated=True), models.Q(('phone', ''), _negated=True)), _connector='OR'), name='an_insurer_is_reached_by_post_and_by_phone'),
        ),
    ]
