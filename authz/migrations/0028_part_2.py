"""What comes from a program under 42 CFR Part 2 says so, and so does what rests on it."""

from django.db import migrations, models

SAYS = "It comes from a program under 42 CFR Part 2."


def flag(model: str, says: str = "") -> migrations.AddField:
    field = models.BooleanField(db_default=False, default=False, help_text=says)
    return migrations.AddField(model_name=model, name="is_part2", field=field)


class Migration(migrations.Migration):
    dependencies = [("authz", "0027_audit_chain")]

    operations = [
        flag("attachment"),
        flag("fillversion", SAYS),
        flag("prescriptionversion", SAYS),
        flag("priorauth"),
    ]
