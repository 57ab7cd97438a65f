"""An answer that is kept for its Idempotency-Key knows whom it is about: to answer it again is to show them again."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("authz", "0029_audit_retention")]

    operations = [
        migrations.AddField(
            model_name="idempotentanswer",
            name="patients",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), db_default=[], default=list, size=None
            ),
        ),
    ]
