"""Touches and time for each request of a clinic."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from authz.ids import CallId, CallTimeId
from authz.prior_auths import calls
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.services import calling, request
from authz.reporting.productivity import Act, Productivity, Work, productivity, touches
from tests import cast as stage
from tests.api.callers import person
from tests.cast import Cast, key_of, later
from tests.reporting.oracle import clinics_work, told_of_work

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


def act(minutes: int, action: str, person: int = STELLA) -> Act:
    return Act(OPENED + timedelta(minutes=minutes), person, action)


def test_answers_saved_as_one_types_are_one_touch_until_half_an_hour_has_passed() -> None:
    typed = [act(minutes, "answer") for minutes in (0, 1, 20, 50)]

    assert touches(typed) == (STELLA,)
    assert touches([*typed, act(81, "answer")]) == (STELLA, STELLA)
    assert touches([*typed, act(2, "answer", JONES), act(3, "attach")]) == (STELLA, JONES, STELLA)


def test_to_submit_as_expedited_is_one_touch_and_to_ask_for_speed_later_is_another() -> None:
    assert touches([act(0, "expedite"), act(0, "submit")]) == (STELLA,)
    assert touches([act(0, "submit"), act(1, "expedite")]) == (STELLA, STELLA)


def test_a_clinics_touches_are_those_that_the_trail_tells_of(cast: Cast) -> None:
    stage.with_document(cast)
    denied = stage.denied(cast)
    stage.appealed(cast, denied, now=later(1))
    call = calling.offer(prior_auth_id=key_of(denied), times=(later(48),), by=cast.patel, now=later(2))
    time = CallTimeId(calls.times(call)[0].public_id)
    calling.accept(call_id=CallId(call.public_id), time_id=time, by=cast.jones, now=later(3))
    drafted = stage.drafted(cast, now=later(4))
    for hours in (4.2, 4.4, 5):
        key = key_of(drafted)
        request.answer_questions(prior_auth_id=key, answers=stage.ANSWERS, by=cast.stella, now=later(hours))
    request.submit(prior_auth_id=key_of(drafted), urgency=Urgency.EXPEDITED, by=cast.stella, now=later(6))

    told = person("stella").get("productivity/", since="2025-03-01", until="2025-03-31").json()

    assert told_of_work(told) == clinics_work(cast.riverside, date(2025, 3, 1), date(2025, 3, 31))
    # Stella takes each up, answers, asks and submits; she attaches, appeals and, an hour on, answers again.
    assert told["people"] == [
        {"id": str(cast.people["jones"].public_id), "name": "Dr Jones", "touches": 4, "requests": 3},
        {"id": str(cast.people["stella"].public_id), "name": "Stella Marsh", "touches": 15, "requests": 3},
    ]
