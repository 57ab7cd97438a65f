"""When each clock is due, to the second, and why."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.policies import regimes
from authz.policies.calendars import calendars
from authz.policies.history import Happened, Kind, What
from authz.policies.regime import Example, Regime, Span
from authz.prior_auths.deadlines import Clock, Clocks, clocks
from authz.prior_auths.elapsing import Place

NEW_YORK = ZoneInfo("America/New_York")
SECOND, TICK = timedelta(seconds=1), timedelta(microseconds=1)


def at(text: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    """Return the instant that a clock on the wall shows, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def told(code: str, *history: tuple[What, str], zone: ZoneInfo = NEW_YORK, with_notice: bool = True) -> Clocks:
    happened = [Happened(what, at(when, zone), with_notice=with_notice) for what, when in history]
    return clocks(happened, regime=regimes.versions(code)[-1], zone=zone)


def the(kind: Kind, found: Clocks) -> Clock:
    clock = found.get(kind)
    assert clock is not None
    return clock


# -- the regimes' own examples


def examples() -> Iterator[object]:
    for regime in regimes.every_version():
        for example in regime.examples:
            yield pytest.param(regime, example, id=f"{regime.key}: {example.name}")


@pytest.mark.parametrize(("regime", "example"), list(examples()))
def test_a_regime_agrees_with_its_own_examples(regime: Regime, example: Example) -> None:
    found = clocks(example.history, regime=regime, zone=ZoneInfo(example.zone))

    assert {kind: the(kind, found).due_at for kind in example.due} == dict(example.due)


# -- to the second

PHOENIX, CHICAGO, PACIFIC = (ZoneInfo(f"America/{name}") for name in ("Phoenix", "Chicago", "Los_Angeles"))
END = "23:59:59.999999"
GOLDEN = [
    ("part_d", NEW_YORK, "2026-03-06 14:10:00", "2026-03-09 15:10:00", "2026-03-07 14:10:00"),
    ("part_d_exception", CHICAGO, "2026-06-01 09:00:00", "2026-06-04 09:00:00", "2026-06-02 09:00:00"),
    ("medicaid", CHICAGO, "2026-10-31 14:10:00", "2026-11-01 13:10:00", "2026-11-01 13:10:00"),
    ("erisa", NEW_YORK, "2028-02-28 00:00:00", f"2028-03-14 {END}", "2028-03-02 00:00:00"),
    ("california", PACIFIC, "2026-11-01 00:30:00", "2026-11-03 23:30:00", "2026-11-01 23:30:00"),
    ("oklahoma", CHICAGO, "2026-12-23 23:59:59", f"2026-12-30 {END}", "2026-12-24 23:59:59"),
    ("medicare_advantage", PHOENIX, "2026-03-02 23:59:59", f"2026-03-09 {END}", "2026-03-05 23:59:59"),
    ("generic", PHOENIX, "2028-02-27 08:00:00", "2028-03-01 08:00:00", "2028-02-28 08:00:00"),
]


@pytest.mark.parametrize(("code", "zone", "received", "standard", "expedited"), GOLDEN, ids=lambda value: str(value))
def test_due_to_the_second(code: str, zone: ZoneInfo, received: str, standard: str, expedited: str) -> None:
    asked = [(What.RECEIVED, received), (What.STATEMENT_RECEIVED, received)]
    for due_at, speed in ((standard, []), (expedited, [(What.EXPEDITED_ASKED, received)])):
        due = at(due_at, zone)
        for decided_at, is_late in ((due - SECOND, False), (due, False), (due + TICK, True), (due + SECOND, True)):
            open_clock = the(Kind.DECIDE_BY, told(code, *asked, *speed, zone=zone))
            decided = the(Kind.DECIDE_BY, told_and_decided(code, [*asked, *speed], decided_at, zone))

            assert (open_clock.due_at, decided.due_at) == (due, due)
            assert (open_clock.is_missed(by=decided_at), decided.is_missed(by=due)) == (is_late, is_late)


def told_and_decided(code: str, history: list[tuple[What, str]], decided_at: datetime, zone: ZoneInfo) -> Clocks:
    happened = [*(Happened(what, at(when, zone)) for what, when in history), Happened(What.DECIDED, decided_at)]
    return clocks(happened, regime=regimes.versions(code)[-1], zone=zone)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", "2025-03-09", 23),
        ("America/New_York", "2025-11-02", 25),
        ("America/Havana", "2025-03-09", 23),  # clocks go from 00:00 to 01:00: the day begins at one
        ("America/Havana", "2025-03-08", 24),
        ("America/Havana", "2025-11-02", 25),  # and from 01:00 back to 00:00: midnight comes twice
        ("America/Havana", "2025-11-01", 24),
        ("America/Sao_Paulo", "2018-02-17", 25),  # from 00:00 back to 23:00: the day's last hour comes twice
        ("America/Phoenix", "2028-02-29", 24),
        ("Pacific/Apia", "2011-12-29", 24),  # the next day did not exist there
    ],
)
def test_a_day_ends_when_the_next_one_begins(zone: str, day: str, hours: int) -> None:
    place = Place(ZoneInfo(zone), calendars()["us_federal-1"])
    that_day = date.fromisoformat(day)
    length = place.end_of(that_day) - place.end_of(that_day - timedelta(days=1))

    assert length == timedelta(hours=hours)
    assert place.day_of(place.end_of(that_day)) == that_day
    assert place.day_of(place.end_of(that_day) + TICK) > that_day


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        ("2024-02-29 12:00", "1 year", "2025-02-28"),
        ("2024-02-29 12:00", "4 years", "2028-02-29"),
        ("2025-02-28 12:00", "1 year", "2026-02-28"),
        ("2028-02-28 12:00", "1 calendar day", "2028-02-29"),
        ("2026-07-02 12:00", "1 business day", "2026-07-06"),
        ("2026-12-31 12:00", "2 business days", "2027-01-05"),
    ],
)
def test_days_and_years_end_with_a_day(start: str, span: str, end: str) -> None:
    place = Place(NEW_YORK, calendars()["us_federal-1"])

    assert place.after(at(start), Span.read(span)) == at(f"{end} {END}")


# -- what moves a clock, and what does not


@pytest.mark.parametrize("what", [What.INFO_ASKED, What.RETURNED_INCOMPLETE, What.EXTENDED, What.EXPEDITED_REFUSED])
@pytest.mark.parametrize("code", ["california", "erisa", "medicare_advantage", "oklahoma"])
def test_what_comes_a_second_after_the_due_instant_comes_too_late(code: str, what: What) -> None:
    history = [Happened(kind, at("2026-06-01 09:00")) for kind in (What.RECEIVED, What.EXPEDITED_ASKED)]
    regime = regimes.versions(code)[-1]
    before = the(Kind.DECIDE_BY, clocks(history, regime=regime, zone=NEW_YORK))
    assert before.due_at is not None
    late = Happened(what, before.due_at + SECOND, with_notice=True)

    after = clocks([*history, late], regime=regime, zone=NEW_YORK)

    assert the(Kind.DECIDE_BY, after).due_at == before.due_at


def test_what_comes_at_the_due_instant_is_in_time() -> None:
    history = [(What.RECEIVED, "2026-06-01 09:00"), (What.RETURNED_INCOMPLETE, "2026-06-04 09:00")]

    assert the(Kind.DECIDE_BY, told("california", *history)).due_at is None


def test_a_refusal_in_time_brings_the_standard_time_back_and_asking_again_the_expedited_one() -> None:
    asked, refused = (What.EXPEDITED_ASKED, "2026-06-01 10:00"), (What.EXPEDITED_REFUSED, "2026-06-01 18:00")
    history = [(What.RECEIVED, "2026-06-01 09:00"), asked, refused]

    assert the(Kind.DECIDE_BY, told("generic", *history)).due_at == at("2026-06-04 09:00")
    again = told("generic", *history, (What.EXPEDITED_GRANTED, "2026-06-02 12:00"))
    assert the(Kind.DECIDE_BY, again).due_at == at("2026-06-03 12:00")


def test_a_clock_that_stops_stops_once() -> None:
    history = [
        (What.RECEIVED, "2026-06-01 09:00"),
        (What.INFO_ASKED, "2026-06-02 09:00"),
        (What.INFO_ANSWERED, "2026-06-05 09:00"),
        (What.INFO_ASKED, "2026-06-08 09:00"),
        (What.INFO_ANSWERED, "2026-06-12 09:00"),
    ]

    clock = the(Kind.DECIDE_BY, told("erisa", *history))

    assert clock.due_at == at(f"2026-06-19 {END}")
    (pause,) = clock.pauses
    assert (pause.since, pause.until, pause.is_open) == (at("2026-06-02 09:00"), at("2026-06-05 09:00"), False)


def test_it_stands_still_from_the_first_notice_of_what_is_missing() -> None:
    asked, again = Happened(What.INFO_ASKED, at("2026-06-02 09:00")), at("2026-06-04 09:00")
    noticed = [Happened(What.INFO_ASKED, again + timedelta(days=n), with_notice=True) for n in (0, 2)]
    received = Happened(What.RECEIVED, at("2026-06-01 09:00"))

    found = clocks([received, asked, *noticed], regime=regimes.versions("erisa")[-1], zone=NEW_YORK)

    (pause,) = the(Kind.DECIDE_BY, found).pauses
    assert pause.since == again


def test_only_the_first_extension_counts() -> None:
    days = [Happened(What.EXTENDED, at(f"2026-06-0{n} 09:00"), days) for n, days in ((2, 3), (3, 14))]
    received = Happened(What.RECEIVED, at("2026-06-01 09:00"))

    found = clocks([received, *days], regime=regimes.versions("medicare_advantage")[-1], zone=NEW_YORK)

    assert the(Kind.DECIDE_BY, found).due_at == at(f"2026-06-11 {END}")


# -- the other clocks


def test_what_was_delivered_before_the_decision_is_no_notice_of_it() -> None:
    history = [(What.RECEIVED, "2026-06-01 09:00"), (What.NOTICE_DELIVERED, "2026-06-01 10:00")]

    assert the(Kind.NOTIFY_BY, told("part_d", *history)).stopped_at is None
    decided = told("part_d", *history, (What.DECIDED, "2026-06-02 09:00"))
    assert the(Kind.NOTIFY_BY, decided).stopped_at is None


def test_a_decision_in_time_with_a_late_notice_is_late_with_its_notice() -> None:
    history = [(What.RECEIVED, "2026-06-01 09:00"), (What.DECIDED, "2026-06-04 09:00")]

    for delivered, is_late in (("2026-06-04 09:00:00", False), ("2026-06-04 09:00:01", True)):
        found = told("part_d", *history, (What.NOTICE_DELIVERED, delivered))
        assert the(Kind.DECIDE_BY, found).is_missed(by=at("2026-06-05 00:00")) is False
        assert the(Kind.NOTIFY_BY, found).is_missed(by=at("2026-06-05 00:00")) is is_late


def test_a_request_that_ended_without_a_decision_has_nothing_to_notify() -> None:
    found = told("part_d", (What.RECEIVED, "2026-06-01 09:00"), (What.CLOSED, "2026-06-02 09:00"))

    assert the(Kind.DECIDE_BY, found).is_missed(by=at("2026-07-01 00:00")) is False
    assert [clock.kind for clock in found.clocks] == [Kind.DECIDE_BY]


@pytest.mark.parametrize(("decided", "is_forwarded"), [("2026-06-04 09:00:00", False), ("2026-06-04 09:00:01", True)])
def test_only_what_was_not_decided_in_time_is_forwarded(decided: str, is_forwarded: bool) -> None:
    found = told("part_d", (What.RECEIVED, "2026-06-01 09:00"), (What.DECIDED_ADVERSE, decided))

    forward = found.get(Kind.FORWARD_BY)
    assert (forward is not None) is is_forwarded
    assert forward is None or forward.due_at == at("2026-06-05 09:00")


@pytest.mark.parametrize("anew", [What.DECIDED, What.DECIDED_ADVERSE])
def test_what_became_adverse_by_law_is_not_forwarded_any_more_once_it_is_decided_anew(anew: What) -> None:
    by_law = [(What.RECEIVED, "2026-06-01 09:00"), (What.DECIDED_ADVERSE, "2026-06-04 09:01")]

    reopened = the(Kind.FORWARD_BY, told("part_d", *by_law))
    decided = the(Kind.FORWARD_BY, told("part_d", *by_law, (anew, "2026-06-05 08:00")))
    too_late = the(Kind.FORWARD_BY, told("part_d", *by_law, (anew, "2026-06-05 09:01")))

    assert (reopened.stopped_at, decided.stopped_at) == (None, at("2026-06-05 08:00"))
    assert (decided.is_missed(by=at("2026-07-01 00:00")), too_late.is_missed(by=at("2026-07-01 00:00"))) == (
        False,
        True,
    )


@pytest.mark.parametrize(
    ("delivered", "due"),
    [
        ("2026-06-01 12:00", f"2026-08-05 {END}"),  # presumed on the 6th
        ("2026-06-06 12:00", f"2026-08-05 {END}"),
        ("2026-06-07 00:00", f"2026-08-06 {END}"),  # known to have come later
    ],
)
def test_receipt_of_a_notice_is_presumed_unless_it_came_later(delivered: str, due: str) -> None:
    history = [
        (What.RECEIVED, "2026-06-01 09:00"),
        (What.DECIDED_ADVERSE, "2026-06-01 11:00"),
        (What.NOTICE_SENT, "2026-06-01 12:00"),
        (What.NOTICE_DELIVERED, delivered),
    ]

    assert the(Kind.APPEAL_FILE_BY, told("part_d", *history)).due_at == at(due)


def test_before_there_is_a_notice_the_time_to_appeal_does_not_run() -> None:
    found = told("generic", (What.RECEIVED, "2026-06-01 09:00"), (What.DECIDED_ADVERSE, "2026-06-01 11:00"))

    clock = the(Kind.APPEAL_FILE_BY, found)
    assert clock.due_at is None
    assert clock.why.startswith("Not running yet: 60 calendar days after receipt of the notice")


def test_an_approval_cannot_be_appealed_and_california_names_no_appeal() -> None:
    approved = told("generic", (What.RECEIVED, "2026-06-01 09:00"), (What.DECIDED, "2026-06-01 11:00"))
    denied = told("california", (What.RECEIVED, "2026-06-01 09:00"), (What.DECIDED_ADVERSE, "2026-06-01 11:00"))

    assert (approved.get(Kind.APPEAL_FILE_BY), denied.get(Kind.APPEAL_FILE_BY)) == (None, None)


def test_a_refused_expedition_of_an_appeal_and_its_end() -> None:
    history = [
        (What.RECEIVED, "2026-06-01 09:00"),
        (What.DECIDED_ADVERSE, "2026-06-01 11:00"),
        (What.NOTICE_DELIVERED, "2026-06-01 12:00"),
        (What.APPEAL_FILED, "2026-06-10 09:00"),
        (What.APPEAL_EXPEDITED_ASKED, "2026-06-10 09:00"),
    ]

    expedited = the(Kind.APPEAL_DECIDE_BY, told("generic", *history))
    refused = told("generic", *history, (What.APPEAL_EXPEDITED_REFUSED, "2026-06-11 09:00"))
    decided = told("generic", *history, (What.APPEAL_DECIDED, "2026-06-13 09:00"))

    assert expedited.due_at == at("2026-06-13 09:00")
    assert the(Kind.APPEAL_DECIDE_BY, refused).due_at == at(f"2026-07-10 {END}")
    assert the(Kind.APPEAL_DECIDE_BY, decided).stopped_at == at("2026-06-13 09:00")
    assert the(Kind.APPEAL_FILE_BY, decided).is_missed(by=at("2027-01-01 00:00")) is False


def test_before_receipt_there_is_no_clock() -> None:
    assert told("generic", (What.STATEMENT_RECEIVED, "2026-06-01 09:00")).clocks == ()


# -- in words


def test_why_is_it_due_thursday_14_10() -> None:
    clock = the(Kind.DECIDE_BY, told("generic", (What.RECEIVED, "2026-06-01 14:10")))

    assert clock.why == (
        "Due Thursday 4 June 2026, 14:10 EDT: 72 hours after the insurer received the standard request on Monday "
        "1 June 2026, 14:10 EDT. If it is missed, no law says what follows; it is recorded as a breach. "
        "Generic: The product's own choice; no statute."
    )
    assert clock.confirmed is True


@pytest.mark.parametrize(
    ("code", "history", "words"),
    [
        (
            "erisa",
            [What.INFO_ASKED],
            "The clock stood still from Tuesday 2 June 2026, 09:00 EDT to Friday 17 July",
        ),
        ("erisa", [What.EXTENDED], "Due by the end of Wednesday 1 July 2026 (EDT): 15 calendar days after"),
        ("erisa", [What.EXTENDED], "It was extended by 15 days with notice."),
        ("part_d", [What.EXPEDITED_ASKED], "24 hours after the insurer was asked to expedite the request on Tuesday 2"),
        ("oklahoma", [What.INFO_ASKED], "Not running: the standard request lacks what the insurer has asked for."),
        ("oklahoma", [What.INFO_ASKED, What.INFO_ANSWERED], "received what was missing from the standard request"),
        ("oklahoma", [], "4 business days after the insurer had all necessary information for the standard request"),
        ("california", [], "If it is missed, it is approved by law. California: Cal. Ins. Code 10123.191(b)(1)"),
        ("part_d_exception", [], "72 hours after the last day on which the clock of the standard request can start"),
        ("part_d", [], "compare it with the rule's wording."),
    ],
)
def test_the_reason_tells_what_moved_the_clock(code: str, history: list[What], words: str) -> None:
    later = [(what, f"2026-06-0{n} 09:00") for n, what in enumerate(history, start=2)]

    assert words in the(Kind.DECIDE_BY, told(code, (What.RECEIVED, "2026-06-01 09:00"), *later)).why


def test_a_clock_that_rests_on_an_unconfirmed_figure_says_so() -> None:
    found = told("part_d", (What.RECEIVED, "2026-06-01 09:00"))

    assert (the(Kind.DECIDE_BY, found).confirmed, the(Kind.FORWARD_BY, found).citation) == (
        False,
        "42 CFR 423.568(h) and 423.572(d)",
    )
    assert (found.regime, found.calendar, found.zone) == ("part_d-2025", "us_federal-1", "America/New_York")


# -- laws

INSTANTS = st.datetimes(min_value=datetime(2019, 1, 1), max_value=datetime(2050, 1, 1), timezones=st.just(UTC))
CODES = st.sampled_from(sorted(regimes.regimes()))
ZONES = st.sampled_from([NEW_YORK, CHICAGO, PHOENIX, ZoneInfo("America/Havana"), ZoneInfo("Pacific/Honolulu")])
LATER = st.lists(
    st.tuples(
        st.sampled_from([what for what in What if what is not What.RECEIVED]),
        st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=90)),
        st.sampled_from([None, 1, 7, 30]),
        st.booleans(),
    ),
    max_size=8,
)


def history_of(received_at: datetime, later: list[tuple[What, timedelta, int | None, bool]]) -> list[Happened]:
    return [
        Happened(What.RECEIVED, received_at),
        *(Happened(what, received_at + after, days, noticed) for what, after, days, noticed in later),
    ]


@given(CODES, ZONES, INSTANTS, LATER)
def test_a_history_has_one_answer_and_none_is_due_before_it_starts(
    code: str, zone: ZoneInfo, received_at: datetime, later: list[tuple[What, timedelta, int | None, bool]]
) -> None:
    history, regime = history_of(received_at, later), regimes.versions(code)[-1]

    found = clocks(history, regime=regime, zone=zone)

    assert found == clocks(sorted(history, key=lambda happened: happened.at), regime=regime, zone=zone)
    assert len({clock.kind for clock in found.clocks}) == len(found.clocks)
    for clock in found.clocks:
        assert clock.due_at is None or (clock.started_at is not None and clock.started_at < clock.due_at)
        assert clock.due_at is None or clock.due_at.tzinfo is UTC


@given(CODES, ZONES, INSTANTS, st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=20)))
def test_to_ask_for_speed_never_gives_more_time(
    code: str, zone: ZoneInfo, received_at: datetime, after: timedelta
) -> None:
    regime, received = regimes.versions(code)[-1], Happened(What.RECEIVED, received_at)

    standard = the(Kind.DECIDE_BY, clocks([received], regime=regime, zone=zone)).due_at
    asked = Happened(What.EXPEDITED_ASKED, received_at + after)
    expedited = the(Kind.DECIDE_BY, clocks([received, asked], regime=regime, zone=zone)).due_at

    assert standard is not None
    assert expedited is not None
    assert expedited <= standard


def test_the_process_s_own_time_zone_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = set()
    try:
        for zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            every = (
                clocks(e.history, regime=r, zone=ZoneInfo(e.zone)) for r in regimes.every_version() for e in r.examples
            )
            answers.add(tuple(every))
    finally:
        monkeypatch.undo()
        time.tzset()

    assert len(answers) == 1
