"""Two answers to when a decision is due, found in unlike ways, agree on any history."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from authz.policies import regimes
from authz.policies.history import Happened, Kind, What
from authz.prior_auths.deadlines import clocks
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
HISTORIES = 30


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


@pytest.mark.parametrize("code", sorted(regimes.regimes()))
def test_the_engine_and_the_slow_clock_agree(code: str) -> None:
    chance = random.Random(f"clocks of {code}")
    for _ in range(HISTORIES):
        events, zone = some_history(chance), chance.choice(ZONES)
        history = [Happened(WORDS[word], at, with_notice=word == "asked with notice") for word, at in events]

        clock = clocks(history, regime=regimes.versions(code)[-1], zone=zone).get(Kind.DECIDE_BY)

        assert clock is not None
        assert clock.due_at == clock_oracle.decide_by(code, events, zone), (zone.key, [(w, str(t)) for w, t in events])
