"""What became of something told to us: 201 with its address when it is new, 200 when it was known."""

from typing import Any

from django.urls import reverse
from rest_framework.response import Response

from authz.prescriptions.services import RecordOutcome


def recorded(body: dict[str, Any], outcome: RecordOutcome, address: str) -> Response:
    """Return the answer to a record: its own body and the outcome. `address` names the URL pattern of its id."""
    answer = Response({**body, "outcome": outcome.value}, status=201 if outcome is RecordOutcome.CREATED else 200)
    answer["Location"] = reverse(f"api:{address}", args=[body["id"]])
    return answer
