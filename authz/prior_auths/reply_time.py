"""PURE: by when the answer to a question of the insurer is wanted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from authz.policies.history import Happened, What
from authz.policies.regime import MissingInformation, Span, Track
from authz.prior_auths.clock_facts import Gap
from authz.prior_auths.decision_clock import Running
from authz.prior_auths.elapsing import Place

TIME_TO_DECIDE: Final = timedelta(hours=8)
"""So long before a decision is due its review goes on without an answer; asked late, when half of the time is left."""

ASKED: Final = frozenset({What.INFO_ASKED, What.RETURNED_INCOMPLETE})
ANSWERED: Final = frozenset({What.INFO_ANSWERED, What.COMPLETED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTime:
    """By when an answer is wanted: `at`.

    `within` is how long after the question that is by the regime, and no sooner where it `is_law`; None where the
    decision is due at `latest` whatever is missing. `is_said` means that the insurer itself said when.
    """

    at: datetime
    within: Span | None = None
    is_law: bool = False
    is_said: bool = False
    latest: datetime | None = None


def reply_time(
    asked: Happened, clock: Running | None, track: Track, gaps: Sequence[Gap], place: Place
) -> ReplyTime | None:
    """Return it for the newest question; None for what was returned while no time to give it ends.

    `clock` is the decision's, None where that was made before; `gaps` are those that count for its track.
    """
    latest = clock.due_at if clock and clock.due_at and clock.due_at > asked.at else None
    since = _waits_since(clock, track, gaps)
    if track.reply_within and since and since >= asked.at:
        usual = ReplyTime(at=place.after(since, track.reply_within), within=track.reply_within, is_law=True)
    elif asked.what is What.RETURNED_INCOMPLETE:
        return None
    elif latest:
        usual = ReplyTime(at=max(latest - TIME_TO_DECIDE, asked.at + (latest - asked.at) / 2))
    else:
        usual = ReplyTime(at=place.after(asked.at, track.decide_within), within=track.decide_within)
    said = asked.reply_by
    is_said = said is not None and said != usual.at and (latest is None or said <= latest)
    at = said if said and is_said else usual.at
    return ReplyTime(at=at, within=usual.within, is_law=usual.is_law, is_said=is_said, latest=latest)


def _waits_since(clock: Running | None, track: Track, gaps: Sequence[Gap]) -> datetime | None:
    """Return from when the regime's time to reply counts: only the first question of a gap lets a clock wait."""
    if clock is None:
        return None
    if track.missing_information is MissingInformation.STOPS:
        return clock.pause.since if clock.pause else None
    return gaps[-1].opened_at if gaps else None
