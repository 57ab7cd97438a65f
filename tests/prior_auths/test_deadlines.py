"""When a decision is due, and why."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.policies import catalog
from authz.prior_auths.deadlines import Urgency, decide_by

GENERIC = catalog.regime("generic")


@pytest.mark.parametrize(
    ("urgency", "received_at", "due_at"),
    [
        (Urgency.STANDARD, "2025-03-03T15:00:00Z", "2025-03-06T15:00:00Z"),
        (Urgency.EXPEDITED, "2025-03-03T15:00:00Z", "2025-03-04T15:00:00Z"),
        # Clocks go forward in New York on 9 March 2025: hours stay hours.
        (Urgency.STANDARD, "2025-03-08T04:30:00Z", "2025-03-11T04:30:00Z"),
        (Urgency.STANDARD, "2024-02-28T12:00:00Z", "2024-03-02T12:00:00Z"),
    ],
)
def test_hours_are_hours(urgency: Urgency, received_at: str, due_at: str) -> None:
    due = decide_by(regime=GENERIC, urgency=urgency, received_at=datetime.fromisoformat(received_at))

    assert due.at == datetime.fromisoformat(due_at)


def test_the_reason_names_the_hours_the_receipt_and_the_source() -> None:
    due = decide_by(regime=GENERIC, urgency=Urgency.STANDARD, received_at=datetime(2025, 3, 3, 15, tzinfo=UTC))

    assert due.why.startswith("72 hours after the insurer received the standard request at 2025-03-03 15:00 UTC")
    assert GENERIC.citation in due.why


@given(st.datetimes(min_value=datetime(2019, 1, 1), max_value=datetime(2050, 1, 1), timezones=st.just(UTC)))
def test_expedited_is_never_due_after_standard(received_at: datetime) -> None:
    expedited = decide_by(regime=GENERIC, urgency=Urgency.EXPEDITED, received_at=received_at)
    standard = decide_by(regime=GENERIC, urgency=Urgency.STANDARD, received_at=received_at)

    assert received_at < expedited.at <= standard.at == received_at + timedelta(hours=72)
