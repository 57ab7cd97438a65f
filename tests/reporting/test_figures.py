"""Which figures a request counts in, what the figures say together, and means, medians and percentages exactly."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.prior_auths.determination import BY_LAW, Basis, Outcome
from authz.prior_auths.lifecycle import State
from authz.reporting.courses import Course, Ruling
from authz.reporting.figures import PERCENTAGES, Figure, Share, Speed, Tally, Times, counted, speeds_of

RECEIVED = datetime(2025, 3, 3, 12, tzinfo=UTC)
F = Figure


def ruling(outcome: Outcome, basis: Basis = Basis.PERSON, *, after: float = 10, **other: bool) -> Ruling:
    return Ruling(outcome=outcome, basis=basis, at=RECEIVED + timedelta(hours=after), **other)


def _basis(outcome: Outcome) -> Basis:
    return Basis.LAW if outcome in BY_LAW else Basis.PERSON


def course(*rulings: Ruling, **other: object) -> Course:
    return Course(received_at=RECEIVED, rulings=rulings, **other)  # type: ignore[arg-type]


APPROVED, DENIED = ruling(Outcome.APPROVED), ruling(Outcome.DENIED)
BY_RULE = ruling(Outcome.APPROVED, Basis.RULE)
IN_PART = ruling(Outcome.PARTIALLY_APPROVED)
BY_LAW_FOR = ruling(Outcome.DEEMED_APPROVED, Basis.LAW, was_late=True)
BY_LAW_AGAINST = ruling(Outcome.DEEMED_ADVERSE, Basis.LAW, was_late=True)
OVERTURNED = ruling(Outcome.APPROVED, after=900, on_appeal=True)
OVERTURNED_IN_PART = ruling(Outcome.PARTIALLY_APPROVED, after=900, on_appeal=True)
WITHDRAWN = course(given_up=State.WITHDRAWN, given_up_at=RECEIVED)
DISMISSED = course(given_up=State.DISMISSED, given_up_at=RECEIVED)

EXAMPLES = [
    ("open", course(), set()),
    ("withdrawn", WITHDRAWN, {F.WITHDRAWN}),
    ("dismissed", DISMISSED, {F.DISMISSED}),
    ("approved", course(APPROVED), {F.DECIDED, F.APPROVED}),
    ("late", course(ruling(Outcome.APPROVED, was_late=True)), {F.DECIDED, F.APPROVED, F.DECIDED_LATE}),
    ("told late", course(APPROVED, is_notified_late=True), {F.DECIDED, F.APPROVED, F.NOTIFIED_LATE}),
    ("by rule", course(BY_RULE), {F.DECIDED, F.APPROVED, F.APPROVED_BY_RULE}),
    ("by law", course(BY_LAW_FOR), {F.DECIDED, F.APPROVED, F.DEEMED_APPROVED, F.DECIDED_LATE}),
    ("extended", course(APPROVED, is_extended=True), {F.DECIDED, F.APPROVED, F.EXTENDED_AND_APPROVED}),
    ("extended, denied", course(DENIED, is_extended=True), {F.DECIDED, F.DENIED, F.DENIED_FULLY_OR_PARTLY}),
    ("in part", course(IN_PART), {F.DECIDED, F.PARTIALLY_APPROVED, F.DENIED_FULLY_OR_PARTLY}),
    ("denied", course(DENIED), {F.DECIDED, F.DENIED, F.DENIED_FULLY_OR_PARTLY}),
    (
        "adverse by law",
        course(BY_LAW_AGAINST),
        {F.DECIDED, F.DEEMED_ADVERSE, F.DENIED_FULLY_OR_PARTLY, F.DECIDED_LATE},
    ),
    (
        "overturned",
        course(DENIED, OVERTURNED),
        {F.DECIDED, F.DENIED, F.DENIED_FULLY_OR_PARTLY, F.APPROVED_AFTER_APPEAL},
    ),
    ("overturned in part", course(DENIED, OVERTURNED_IN_PART), {F.DECIDED, F.DENIED, F.DENIED_FULLY_OR_PARTLY}),
    ("reopened", course(DENIED, ruling(Outcome.APPROVED)), {F.DECIDED, F.DENIED, F.DENIED_FULLY_OR_PARTLY}),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "figures"), [case[1:] for case in EXAMPLES], ids=[case[0] for case in EXAMPLES])
def test_a_request_counts_in_these_figures_and_in_no_other(request_: Course, figures: set[Figure]) -> None:
    assert [figure for figure, _ in counted(request_)].count(F.RECEIVED) == 1
    assert {figure for figure, _ in counted(request_)} == figures | {F.RECEIVED}


def test_what_was_decided_counts_on_the_day_of_the_first_determination_whatever_came_later() -> None:
    days = dict(counted(course(DENIED, OVERTURNED)))

    assert days.pop(F.RECEIVED) == RECEIVED
    assert set(days.values()) == {DENIED.at}


@pytest.mark.parametrize(("is_expedited", "speed"), [(False, Speed.STANDARD), (True, Speed.EXPEDITED)])
def test_a_request_counts_at_its_speed_and_among_all(is_expedited: bool, speed: Speed) -> None:
    assert speeds_of(course(is_expedited=is_expedited)) == (speed, Speed.ALL)


DECIDED = [
    course(ruling(first, _basis(first), after=hours, was_late=hours > 72), *more)
    for first in Outcome
    for hours in (1, 80)
    for more in (
        (),
        *((ruling(second, _basis(second), on_appeal=truth),) for second in Outcome for truth in (True, False)),
    )
]
requests_of_all_kinds = st.lists(st.sampled_from([*DECIDED, WITHDRAWN, DISMISSED, course()]), max_size=20)


def tally_of(requests: list[Course]) -> Tally:
    tally = Tally()
    for request in requests:
        for figure, _ in counted(request):
            tally.count(figure, request)
    return tally


@given(requests_of_all_kinds)
def test_the_figures_add_up(requests: list[Course]) -> None:
    tally = tally_of(requests)
    n = tally.counts
    still_open = sum(not request.rulings and request.given_up is None for request in requests)

    assert n[F.APPROVED] + n[F.DENIED_FULLY_OR_PARTLY] == n[F.DECIDED] == len(tally.times.microseconds)
    assert n[F.PARTIALLY_APPROVED] + n[F.DENIED] + n[F.DEEMED_ADVERSE] == n[F.DENIED_FULLY_OR_PARTLY]
    assert n[F.APPROVED_BY_RULE] + n[F.DEEMED_APPROVED] <= n[F.APPROVED]
    assert n[F.DECIDED] + n[F.WITHDRAWN] + n[F.DISMISSED] + still_open == n[F.RECEIVED] == len(requests)
    assert all(0 <= (tally.share(figure).percent or 0) <= 100 for figure in PERCENTAGES)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=9), st.integers(1, 10**6))
def test_a_mean_and_a_median_move_with_what_they_are_of(lengths: list[int], more: int) -> None:
    before, after = Times(), Times()
    for length in lengths:
        before.add(timedelta(microseconds=length))
        after.add(timedelta(microseconds=length + more))
    hours = Fraction(more, 3_600_000_000)

    assert before.mean_hours is not None
    assert before.median_hours is not None
    assert (after.mean_hours, after.median_hours) == (before.mean_hours + hours, before.median_hours + hours)


def test_the_median_of_an_even_number_lies_halfway_between_the_two_in_the_middle() -> None:
    times = Times()
    for hours in (10, 1, 2, 100):
        times.add(timedelta(hours=hours))

    assert (times.mean_hours, times.median_hours) == (Fraction(113, 4), 6)


def test_of_nothing_there_is_no_percentage_no_mean_and_no_median() -> None:
    assert (Share(0, 0).percent, Times().mean_hours, Times().median_hours) == (None, None, None)


def test_a_percentage_is_exact() -> None:
    assert Share(2, 3).percent == Fraction(200, 3)
