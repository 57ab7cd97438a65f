"""Two answers to when each clock is due, found in unlike ways, agree on any history."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from authz.policies import regimes
from authz.policies.history import Happened, Kind, What
from authz.prior_auths.deadlines import Clocks, clocks
from tests.prior_auths import clock_oracle

ZONES = [ZoneInfo(f"America/{city}") for city in ("New_York", "Chicago", "Denver", "Phoenix", "Los_Angeles")]
WORDS = {
    "received": What.RECEIVED,
    "statement": What.STATEMENT_RECEIVED,
    "asked": What.INFO_ASKED,
    "asked with notice": What.INFO_ASKED,
    "returned": What.RETURNED_INCOMPLETE,
    "answered": What.INFO_ANSWERED,
    "completed": What.COMPLETED,
    "extended": What.EXTENDED,
    "expedite": What.EXPEDITED_ASKED,
    "refused": What.EXPEDITED_REFUSED,
}
LATER_WORDS = {
    "approved": What.DECIDED,
    "denied": What.DECIDED_ADVERSE,
    "closed": What.CLOSED,
    "sent": What.NOTICE_SENT,
    "delivered": What.NOTICE_DELIVERED,
    "forwarded": What.FORWARDED,
    "appeal filed": What.APPEAL_FILED,
    "appeal expedite": What.APPEAL_EXPEDITED_ASKED,
    "appeal refused": What.APPEAL_EXPEDITED_REFUSED,
    "appeal extended": What.APPEAL_EXTENDED,
    "appeal decided": What.APPEAL_DECIDED,
    "appeal closed": What.APPEAL_CLOSED,
}
ALL_WORDS = {**WORDS, **LATER_WORDS}
HISTORIES = 30
LONG_HISTORIES = 20
MANY = 300


def some_history(chance: random.Random) -> list[tuple[str, datetime]]:
    """Return a request of 2026, often near a change of clocks, and up to seven things in the weeks after."""
    day = chance.choice([chance.randrange(365), 63, 300, 325])
    received_at = datetime(2026, 1, 2, tzinfo=UTC) + timedelta(days=day, hours=chance.randrange(48))
    reach = chance.choice([30, 100, 400, 1500])
    later = [
        (word, received_at + timedelta(hours=chance.randrange(reach)))
        for word in chance.choices(list(WORDS)[1:], k=chance.randrange(8))
    ]
    early = [("statement", received_at - timedelta(hours=5))] if chance.random() < 0.1 else []
    return sorted([*early, ("received", received_at), *later], key=lambda event: event[1])


def some_long_history(chance: random.Random) -> list[tuple[str, datetime]]:
    """Return such a request with its end, now and then decided anew, and what comes after: notices and appeals."""
    events = some_history(chance)
    received_at = next(at for word, at in events if word == "received")
    ended_at = received_at + timedelta(hours=chance.randrange(chance.choice([30, 100, 1500])))
    decided = chance.choices(["approved", "denied"], [2, 6], k=chance.choice([1, 1, 1, 2]))
    ends = chance.choice([[], ["closed"], *[decided] * 6])
    later = chance.choices(list(LATER_WORDS)[3:], [2, 4, 1, 4, 1, 1, 1, 1, 1], k=chance.randrange(8))
    spread = chance.choice([24 * 3, 24 * 60])
    events += [(word, ended_at + timedelta(hours=n * chance.randrange(24 * 20))) for n, word in enumerate(ends)]
    events += [(word, ended_at + timedelta(hours=chance.randrange(spread))) for word in later]
    return sorted(events, key=lambda event: event[1])


def found(code: str, events: list[tuple[str, datetime]], zone: ZoneInfo) -> Clocks:
    history = [Happened(ALL_WORDS[word], at, with_notice=word == "asked with notice") for word, at in events]
    return clocks(history, regime=regimes.versions(code)[-1], zone=zone)


@pytest.mark.parametrize("code", sorted(regimes.regimes()))
def test_the_engine_and_the_slow_clock_agree(code: str) -> None:
    chance = random.Random(f"clocks of {code}")
    for _ in range(HISTORIES):
        events, zone = some_history(chance), chance.choice(ZONES)
        clock = found(code, events, zone).get(Kind.DECIDE_BY)

        assert clock is not None
        assert clock.due_at == clock_oracle.decide_by(code, events, zone), (zone.key, [(w, str(t)) for w, t in events])


ORACLES = {
    Kind.DECIDE_BY: clock_oracle.decide_by,
    Kind.NOTIFY_BY: clock_oracle.notify_by,
    Kind.FORWARD_BY: clock_oracle.forward_by,
    Kind.APPEAL_FILE_BY: clock_oracle.appeal_file_by,
    Kind.APPEAL_DECIDE_BY: clock_oracle.appeal_decide_by,
}


@pytest.mark.parametrize(
    ("seed", "many"), [(1, LONG_HISTORIES), pytest.param(2, MANY, marks=pytest.mark.thorough)], ids=["few", "many"]
)
@pytest.mark.parametrize("code", sorted(regimes.regimes()))
def test_they_agree_on_every_clock_of_a_request_and_its_appeal(code: str, seed: int, many: int) -> None:
    chance = random.Random(f"all clocks of {code}, {seed}")
    for _ in range(many):
        events, zone = some_long_history(chance), chance.choice(ZONES)

        told = found(code, events, zone)

        due = {kind: clock.due_at if (clock := told.get(kind)) else None for kind in ORACLES}
        expected = {kind: oracle(code, events, zone) for kind, oracle in ORACLES.items()}
        assert due == expected, (zone.key, [(word, str(at)) for word, at in events])


@pytest.mark.parametrize("speed", [[], ["expedite"]], ids=["standard", "expedited"])
def test_they_agree_on_the_time_that_the_law_gives_for_an_answer(speed: list[str]) -> None:
    chance = random.Random("time to answer")
    for _ in range(LONG_HISTORIES):
        received_at, zone = some_history(chance)[0][1], chance.choice(ZONES)
        asked = ("asked with notice", received_at + timedelta(hours=chance.randrange(24)))
        events = [*((word, received_at) for word in ("received", *speed)), asked]

        clock = found("erisa", events, zone).get(Kind.INFORMATION_REPLY_BY)

        assert clock is not None
        assert clock.due_at == clock_oracle.information_reply_by("erisa", events, zone)
