"""What was submitted is compared only where a statement writes it: a step of a request's life writes none of it."""

from django.db import migrations

SUBMITTED = [
    "submitted_at", "packet_sha256", "clinic_id", "insurer_id", "evaluation_id", "policy", "policy_version", "regime",
    "regime_version", "time_zone",
]  # fmt: skip


def _row(of: str) -> str:
    return f"ROW ({', '.join(f'{of}.{column}' for column in SUBMITTED)})"


def _stands(of: str) -> str:
    return f"""
CREATE OR REPLACE TRIGGER what_was_submitted_stands BEFORE UPDATE{of} ON authz_priorauth FOR EACH ROW
    WHEN (OLD.submitted_at IS NOT NULL AND {_row("OLD")} IS DISTINCT FROM {_row("NEW")})
    EXECUTE FUNCTION authz_what_was_submitted_stands();
"""


class Migration(migrations.Migration):
    dependencies = [("authz", "0040_a_reason_of_a_line")]

    operations = [migrations.RunSQL(_stands(f" OF {', '.join(SUBMITTED)}"), _stands(""))]
