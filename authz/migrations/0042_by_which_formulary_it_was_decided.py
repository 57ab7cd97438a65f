"""A determination keeps which formulary answered then; those of before keep that they do not say."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('authz', '0041_what_is_compared_only_when_written'),
    ]

    operations = [
        migrations.AddField(
            model_name='determination',
            name='formulary_version',
            field=models.CharField(blank=True, db_default='', max_length=60),
        ),
    ]
