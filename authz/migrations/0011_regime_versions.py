from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('authz', '0010_formulary_releases'),
    ]

    operations = [
        # Until now there was one version of one regime, and hours, which pass alike in every time zone.
        migrations.AddField(
            model_name='priorauth',
            name='regime_version',
            field=models.CharField(default='1', max_length=20),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='priorauth',
            name='time_zone',
            field=models.CharField(default='America/New_York', max_length=64),
            preserve_default=False,
        ),
    ]
