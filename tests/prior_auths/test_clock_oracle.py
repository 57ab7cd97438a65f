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
    "received": Happened(What.RECEIVED, datetime.min.replace(tzinfo=UTC)),
    "statement": Happened(What.STATEMENT_RECEIVED, datetime.min.replace(tzinfo=UTC)),
    "asked": Happened(What.INFO_ASKED, datetime.min.replace(tzinfo=UTC)),
    "asked with notice": Happened(What.INFO_ASKED, datetime.min.replace(tzinfo=UTC), with_notice=True),
    "returned": Happened(What.RETURNED_INCOMPLETE, datetime.min.replace(tzinfo=UTC)),
    "answered": Happened(What.INFO_ANSWERED, datetime.min.replace(tzinfo=UTC)),
    "completed": Happened(What.COMPLETED, datetime.min.replace(tzinfo=UTC)),
    "extended": Happened(What.EXTENDED, datetime.min.replace(tzinfo=UTC)),
    "expedite": Happened(What.EXPEDITED_ASKED, datetime.min.replace(tzinfo=UTC)),
    "refused": Happened(What.EXPEDITED_REFUSED, datetime.min.replace(tzinfo=UTC)),
}
HISTORIES = 40


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
        history = [Happened(WORDS[word].what, at, with_notice=WORDS[word].with_notice) for word, at in events]

        clock = clocks(history, regime=regimes.versions(code)[-1], zone=zone).get(Kind.DECIDE_BY)

        assert clock is not None
        assert clock.due_at == clock_oracle.decide_by(code, events, zone), (zone.key, [(w, str(t)) for w, t in events])
