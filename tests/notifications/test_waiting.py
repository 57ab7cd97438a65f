from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authz.notifications.matrix import TO_ACT_AT_ONCE, TO_ACT_NOW, TO_KNOW_AT_ONCE, TO_KNOW_NOW, Notice, Pace
from authz.notifications.waiting import NEAR, QuietHours, Sending, Wishes, when_to_send

NEW_YORK = ZoneInfo("America/New_York")
NIGHT = QuietHours(time(22), time(7))
SIESTA = QuietHours(time(13), time(15))


def at(text: str) -> datetime:
    """Return an instant of New York's wall clock, in UTC; of two, the first."""
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


@pytest.mark.parametrize(
    ("quiet", "now", "sent"),
    [
        (NIGHT, "2025-03-03 21:59", "2025-03-03 21:59"),
        (NIGHT, "2025-03-03 22:00", "2025-03-04 07:00"),
        (NIGHT, "2025-03-04 00:00", "2025-03-04 07:00"),
        (NIGHT, "2025-03-04 06:59", "2025-03-04 07:00"),
        (NIGHT, "2025-03-04 07:00", "2025-03-04 07:00"),
        (SIESTA, "2025-03-03 12:59", "2025-03-03 12:59"),
        (SIESTA, "2025-03-03 14:00", "2025-03-03 15:00"),
        # The clock goes forward from 2 to 3 on 9 March: the night is an hour shorter.
        (NIGHT, "2025-03-08 23:00", "2025-03-09 07:00"),
        (QuietHours(time(22), time(2, 30)), "2025-03-08 23:00", "2025-03-09 03:30"),
        (QuietHours(time(2, 15), time(2, 45)), "2025-03-09 03:20", "2025-03-09 03:45"),
        # It goes back from 2 to 1 on 2 November: the first half past one is meant.
        (QuietHours(time(22), time(1, 30)), "2025-11-01 23:00", "2025-11-02 01:30"),
        (QuietHours(time(1, 15), time(1, 45)), "2025-11-02 01:20", "2025-11-02 01:45"),
    ],
)
def test_what_can_wait_goes_out_when_the_quiet_hours_end(quiet: QuietHours, now: str, sent: str) -> None:
    wishes = Wishes(zone=NEW_YORK, quiet=quiet)

    assert when_to_send(TO_KNOW_NOW, wishes, now=at(now)) == Sending(at(sent))


def test_the_night_in_which_an_hour_comes_twice_is_an_hour_longer() -> None:
    woken = when_to_send(TO_KNOW_NOW, Wishes(zone=NEW_YORK, quiet=NIGHT), now=at("2025-11-01 22:00"))

    assert woken.at - at("2025-11-01 22:00") == timedelta(hours=10)


@pytest.mark.parametrize(
    ("now", "sent"),
    [
        ("2025-03-03 07:59", "2025-03-03 08:00"),
        ("2025-03-03 08:00", "2025-03-03 08:00"),
        ("2025-03-03 08:01", "2025-03-04 08:00"),
        ("2025-03-08 23:00", "2025-03-09 08:00"),
    ],
)
def test_what_can_wait_goes_with_the_next_digest(now: str, sent: str) -> None:
    wishes = Wishes(zone=NEW_YORK, quiet=NIGHT, digest_hour=8)

    assert when_to_send(TO_KNOW_NOW, wishes, now=at(now)) == Sending(at(sent), by_digest=True)


def test_a_digest_at_an_hour_that_the_clock_leaves_out_comes_an_hour_later() -> None:
    wishes = Wishes(zone=NEW_YORK, digest_hour=2)

    assert when_to_send(TO_KNOW_NOW, wishes, now=at("2025-03-09 01:00")).at == at("2025-03-09 03:00")


@pytest.mark.parametrize(
    ("presses_at", "sent"),
    [
        ("2025-03-06 08:00", Sending(at("2025-03-04 08:00"), by_digest=True)),
        ("2025-03-05 08:00", Sending(at("2025-03-04 08:00"), by_digest=True)),
        ("2025-03-05 07:30", Sending(at("2025-03-04 07:00"))),
        ("2025-03-05 06:30", Sending(at("2025-03-03 23:00"))),
        ("2025-03-01 00:00", Sending(at("2025-03-03 23:00"))),
    ],
)
def test_what_needs_an_act_waits_for_nothing_that_comes_too_near_to_its_clock(presses_at: str, sent: Sending) -> None:
    wishes = Wishes(zone=NEW_YORK, quiet=NIGHT, digest_hour=8)

    assert when_to_send(TO_ACT_NOW, wishes, now=at("2025-03-03 23:00"), presses_at=at(presses_at)) == sent


def test_what_merely_tells_heeds_no_clock() -> None:
    wishes = Wishes(zone=NEW_YORK, quiet=NIGHT)

    sent = when_to_send(TO_KNOW_NOW, wishes, now=at("2025-03-03 23:00"), presses_at=at("2025-03-04 01:00"))

    assert sent == Sending(at("2025-03-04 07:00"))


@pytest.mark.parametrize("digest_hour", [-1, 24, 22, 6])
def test_a_digest_that_no_day_has_or_that_comes_in_the_night_is_refused(digest_hour: int) -> None:
    with pytest.raises(ValueError, match="hours"):
        Wishes(zone=NEW_YORK, quiet=NIGHT, digest_hour=digest_hour)


def test_quiet_hours_that_never_or_always_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="different"):
        QuietHours(time(7), time(7))


ZONES = st.sampled_from(
    [ZoneInfo(name) for name in ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "UTC")]
)
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
INSTANTS = st.datetimes(datetime(2011, 12, 20), datetime(2026, 12, 31), timezones=st.just(UTC))
NOTICES = st.builds(Notice, goes_out=st.just(True), needs_act=st.booleans(), pace=st.sampled_from(Pace))


@st.composite
def wishes(draw: st.DrawFn) -> Wishes:
    starts, ends = draw(TIMES), draw(TIMES)
    quiet = QuietHours(starts, ends) if starts != ends else None
    hour = draw(st.none() | st.integers(0, 23))
    if quiet is not None and hour is not None and quiet.has(time(hour)):
        hour = None
    return Wishes(zone=draw(ZONES), quiet=quiet, digest_hour=hour)


@given(NOTICES, wishes(), INSTANTS, st.none() | st.timedeltas(timedelta(days=-3), timedelta(days=9)))
def test_nothing_goes_out_before_it_is_said_nor_later_than_two_days_and_a_bit(
    notice: Notice, wanted: Wishes, now: datetime, left: timedelta | None
) -> None:
    presses_at = None if left is None else now + left

    sent = when_to_send(notice, wanted, now=now, presses_at=presses_at)

    assert now <= sent.at <= now + timedelta(hours=50)
    if notice.pace is Pace.PRESSING:
        assert sent == Sending(now)
    if notice.needs_act and presses_at is not None:
        assert sent.at == now or sent.at <= presses_at - NEAR


@given(wishes(), INSTANTS)
def test_what_has_waited_waits_no_longer(wanted: Wishes, now: datetime) -> None:
    once = when_to_send(TO_KNOW_NOW, wanted, now=now)

    assert when_to_send(TO_KNOW_NOW, wanted, now=once.at) == once


@given(st.sampled_from([TO_ACT_AT_ONCE, TO_KNOW_AT_ONCE]), wishes(), INSTANTS)
def test_what_presses_passes_every_wish(notice: Notice, wanted: Wishes, now: datetime) -> None:
    assert when_to_send(notice, wanted, now=now) == Sending(now)


@given(wishes(), INSTANTS.map(lambda instant: instant.replace(minute=instant.minute // 5 * 5, second=0, microsecond=0)))
def test_on_ordinary_days_it_is_the_first_minute_at_which_the_wall_clock_is_not_quiet(
    wanted: Wishes, now: datetime
) -> None:
    offsets = {(now + timedelta(days=n)).astimezone(wanted.zone).utcoffset() for n in (-2, -1, 0, 1, 2)}
    assume(wanted.quiet is not None and len(offsets) == 1)

    expected = now
    while wanted.quiet is not None and wanted.quiet.has(expected.astimezone(wanted.zone).time()):
        expected += timedelta(minutes=5)

    assert wanted.quiet_over_at(now) == expected
