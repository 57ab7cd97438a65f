"""Whether anything of a request's use was dispensed, or it rests on an order alone."""

from django.db import migrations, models

# The tables' owner is held by row-level security, too.
ORDERED_ONLY = """
SELECT set_config('authz.tenant', 'all', true);
UPDATE authz_priorauth SET is_dispensed = false
WHERE NOT EXISTS (SELECT FROM authz_fill WHERE public_id = ANY(record_ids));
"""


class Migration(migrations.Migration):
    dependencies = [("authz", "0036_what_a_decision_rests_on")]

    operations = [
        migrations.AddField(
            model_name="priorauth",
            name="is_dispensed",
            field=models.BooleanField(default=True, db_default=True, help_text="Whether anything of its use was."),
        ),
        migrations.AlterField(
            model_name="priorauth",
            name="runs_out_on",
            field=models.DateField(help_text="While nothing was dispensed, the day before the use begins."),
        ),
        migrations.RunSQL(ORDERED_ONLY, migrations.RunSQL.noop),
    ]
