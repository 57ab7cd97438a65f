from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.operations.models import Heartbeat, Part
from authz.operations.selectors import Pulse, pulses
from authz.operations.services import note_heartbeat
from tests.cast import NOW

pytestmark = pytest.mark.django_db


def test_a_part_is_late_once_it_was_silent_for_longer_than_a_minute() -> None:
    note_heartbeat(part=Part.BEAT, now=NOW)

    assert pulses(now=NOW + timedelta(seconds=59))[Part.BEAT] is Pulse.OK
    assert pulses(now=NOW + timedelta(seconds=60))[Part.BEAT] is Pulse.LATE
    assert pulses(now=NOW)[Part.SENDING] is Pulse.NEVER


def test_a_part_that_is_always_at_work_writes_only_now_and_then() -> None:
    note_heartbeat(part=Part.TELLING, now=NOW)

    with CaptureQueriesContext(connection) as asked:
        note_heartbeat(part=Part.TELLING, now=NOW + timedelta(seconds=9))
    note_heartbeat(part=Part.TELLING, now=NOW + timedelta(seconds=10))

    assert len(asked) == 1
    assert Heartbeat.objects.get().at == NOW + timedelta(seconds=10)
