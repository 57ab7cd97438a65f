"""An evaluation keeps what it rests on, so that it can be recomputed for ever. Earlier ones kept only the hash."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("authz", "0003_payer_policies")]

    operations = [
        migrations.AddField(
            model_name="evaluation",
            name="inputs",
            field=models.JSONField(default=dict),
            preserve_default=False,
        ),
    ]
