"""Touches and time for each request of a clinic."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from authz.reporting.productivity import Productivity, Work, productivity

OPENED = datetime(2025, 3, 3, 12, tzinfo=UTC)
STELLA, JONES = 1, 2


def work(*touches: int, submitted_after: int, decided_after: int | None = None) -> Work:
    submitted_at = OPENED + timedelta(hours=submitted_after)
    return Work(
        opened_at=OPENED,
        submitted_at=submitted_at,
        decided_at=None if decided_after is None else submitted_at + timedelta(hours=decided_after),
        touches=touches,
    )


def test_touches_and_hours_are_told_a_request_and_touches_a_person() -> None:
    found = productivity(
        [
            work(STELLA, STELLA, JONES, submitted_after=2, decided_after=20),
            work(STELLA, submitted_after=4, decided_after=30),
            work(STELLA, STELLA, STELLA, JONES, JONES, submitted_after=12),
        ]
    )

    assert (found.mean_touches, found.median_touches) == (3, 3)
    assert (found.to_submit.mean_hours, found.to_submit.median_hours) == (6, 4)
    assert (found.to_decide.mean_hours, found.to_decide.median_hours) == (25, 25)
    assert (found.touches_by, found.requests_by) == ({STELLA: 6, JONES: 3}, {STELLA: 3, JONES: 2})


def test_of_two_requests_the_median_lies_between() -> None:
    assert productivity([work(STELLA, submitted_after=1), work(submitted_after=2)]).median_touches == Fraction(1, 2)


def test_of_no_request_there_is_neither_mean_nor_median() -> None:
    nothing = Productivity()

    assert (nothing.mean_touches, nothing.median_touches, nothing.to_submit.mean_hours) == (None, None, None)
