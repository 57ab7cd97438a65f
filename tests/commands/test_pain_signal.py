"""`manage.py pain_signal`."""

import pytest
from django.core.management import CommandError, call_command

from authz.audit.models import AuditEntry
from tests.cast import Cast


def test_an_operator_switches_a_clinics_signal_and_the_trail_says_so(cast: Cast) -> None:
    for state, is_on in (("on", True), ("off", False)):
        call_command("pain_signal", "Riverside Clinic", state)

        cast.riverside.refresh_from_db()
        assert cast.riverside.has_pain_signal is is_on
    trail = AuditEntry.objects.filter(subject_id=cast.riverside.public_id).order_by("pk")
    assert list(trail.values_list("actor_name", "action")) == [
        ("manage.py pain_signal", "pain-signal-on"),
        ("manage.py pain_signal", "pain-signal-off"),
    ]


@pytest.mark.parametrize("name", ["Evergreen Health", "Nowhere"])
def test_only_a_clinic_has_one(cast: Cast, name: str) -> None:
    with pytest.raises(CommandError, match="no clinic"):
        call_command("pain_signal", name, "on")
