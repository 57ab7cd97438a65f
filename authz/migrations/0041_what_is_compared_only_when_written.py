"""What was submitted is compared only where a statement writes it: a step of a request's life writes none of it."""

from importlib import import_module

from django.db import migrations

RESTS_ON = import_module("authz.migrations.0036_what_a_decision_rests_on")


def _stands(of: str) -> str:
    return f"""
CREATE OR REPLACE TRIGGER what_was_submitted_stands BEFORE UPDATE{of} ON authz_priorauth FOR EACH ROW
    WHEN (OLD.submitted_at IS NOT NULL AND {RESTS_ON._row("OLD")} IS DISTINCT FROM {RESTS_ON._row("NEW")})
    EXECUTE FUNCTION authz_what_was_submitted_stands();
"""


class Migration(migrations.Migration):
    dependencies = [("authz", "0040_a_reason_of_a_line")]

    operations = [migrations.RunSQL(_stands(f" OF {', '.join(RESTS_ON.SUBMITTED)}"), _stands(""))]
