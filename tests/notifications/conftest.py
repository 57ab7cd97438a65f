import pytest
from django.conf import LazySettings


@pytest.fixture(autouse=True)
def _no_nudges(settings: LazySettings) -> None:
    settings.OUTBOX_NUDGE = "tests.outbox.bell.ring"
