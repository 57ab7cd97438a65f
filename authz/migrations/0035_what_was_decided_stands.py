"""What was decided once stands until it is superseded, by somebody who did not decide it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("authz", "0034_authorizations_stay_as_granted")]

    operations = [
        migrations.AlterField(
            model_name="call",
            name="state",
            field=models.CharField(
                choices=[
                    ("offered", "offered"),
                    ("proposed", "proposed"),
                    ("agreed", "agreed"),
                    ("concluded", "concluded"),
                    ("declined", "declined"),
                    ("cancelled", "cancelled"),
                ],
                max_length=20,
            ),
        ),
    ]
