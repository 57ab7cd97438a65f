"""A reviewer passes a request over for a while, and may do so again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("authz", "0032_who_is_partial")]

    operations = [
        migrations.RemoveConstraint(model_name="skip", name="skipped_once_by_a_person"),
        migrations.AddIndex(
            model_name="skip", index=models.Index(fields=["prior_auth", "person", "at"], name="skip_of_a_request")
        ),
    ]
