"""A licence has a name of its own, by which an administrator changes it."""

import django.contrib.postgres.functions
from django.db import migrations, models

import authz.ids


class Migration(migrations.Migration):
    dependencies = [("authz", "0045_who_may_decide")]

    operations = [
        migrations.AddField(
            model_name="licence",
            name="public_id",
            field=models.UUIDField(
                db_default=django.contrib.postgres.functions.RandomUUID(),
                default=authz.ids.new_id,
                editable=False,
                unique=True,
            ),
        )
    ]
