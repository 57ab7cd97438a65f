"""What changed between two days, in words. Pure text; names record ids, never a patient."""

from collections.abc import Iterable, Iterator
from datetime import date

from authz.rules.changes import SHOWN, Changes, EpisodeChange, Fact, Known, RecordChange, ReleaseChange, Why
from authz.rules.explain import NOT_COUNTED
from authz.rules.selection import Ignored
from authz.rules.verdict import Episode, ReleasedBy

_FACTS = {
    "status": "status",
    "rx_id": "order",
    "fill_number": "fill number",
    "start": "day",
    "rxcui": "product",
    "quantity": "quantity",
    "days_supply": "days' supply",
    "daily_units": "most units a day",
}


def change_sentences(told: Changes, before: Known, after: Known) -> list[str]:
    """Return the changes in sentences: the need, the use, then every record and release behind it."""
    return [
        _need(before, after),
        *(_episodes(change, before, after) for change in told.episodes),
        *(_record(change) for change in told.records),
        *(_release(change) for change in told.releases),
    ]


def _need(before: Known, after: Known) -> str:
    then, now = before.verdict.pa_required, after.verdict.pa_required
    on_then, on_now = before.case.as_of, after.case.as_of
    if then == now:
        return f"Days of use {_needs(now)} authorization, as known on {on_then} and on {on_now}."
    return (
        f"Days of use {_needs(then)} authorization, as known on {on_then}, and {_needs(now)} it, as known on {on_now}."
    )


def _needs(is_needed: bool) -> str:
    return "need" if is_needed else "do not need"


def _episodes(change: EpisodeChange, before: Known, after: Known) -> str:
    then, now = _seen(change.before), _seen(change.after)
    return f"As known on {before.case.as_of}: {then}. As known on {after.case.as_of}: {now}."


def _seen(episodes: Iterable[Episode]) -> str:
    return "; ".join(map(_one, episodes)) or "no use"


def _one(episode: Episode) -> str:
    days = f"{episode.covered_days} covered {'day' if episode.covered_days == 1 else 'days'}"
    return f"{days} from {episode.start} to {episode.end}, {_limit(episode)}"


def _limit(episode: Episode) -> str:
    if episode.exceeded_on is None:
        return "within the limit"
    if episode.pa_required_from is None:
        return f"beyond the limit from {episode.exceeded_on} on, all of it released"
    return f"beyond the limit from {episode.exceeded_on} on, authorization needed from {episode.pa_required_from} on"


def _record(change: RecordChange) -> str:
    return f"{_event(change)}; {_standing(change)}."


def _event(change: RecordChange) -> str:
    record, learned = f"Record {change.record_id}", f"learned on {change.learned_on}"
    match change.why:
        case Why.LEARNED:
            return f"{record} was {learned}, {_late(change)}"
        case Why.CORRECTED:
            return f"{record} was corrected, {learned}: {', '.join(map(_fact, change.facts))}"
        case Why.REVERSED | Why.CANCELLED | Why.ENTERED_IN_ERROR:
            return f"{record} was {change.why.value.replace('_', ' ')}, {learned}"
        case Why.RECONSIDERED:
            return f"Nothing new was learned of record {change.record_id}"


def _late(change: RecordChange) -> str:
    if change.days_late == 0:
        return "its own day"
    days = f"{abs(change.days_late)} {'day' if abs(change.days_late) == 1 else 'days'}"
    return f"{days} {'after' if change.days_late > 0 else 'before'} its own day, {change.start}"


def _fact(fact: Fact) -> str:
    if fact.name not in SHOWN:
        return f"another {_FACTS[fact.name]}"
    before, after = (value if value is not None else "not known" for value in (fact.before, fact.after))
    return f"{_FACTS[fact.name]} {before} before, {after} since"


def _standing(change: RecordChange) -> str:
    before, after = change.before, change.after
    if before is None:
        return "it counts" if after.reason is None else f"it is not counted: {NOT_COUNTED[after.reason]}"
    if before.reason is None:
        return "it counts, as before" if after.reason is None else f"it counted before{_no_more(change, after.reason)}"
    if after.reason is None:
        return f"it counts; before, it was not counted: {NOT_COUNTED[before.reason]}"
    return f"it was not counted before, either{_no_more(change, after.reason)}"


def _no_more(change: RecordChange, reason: Ignored) -> str:
    """Return why it is not counted now, unless what happened has said so."""
    return "" if reason.value == change.why.value else f"; it is not counted now: {NOT_COUNTED[reason]}"


def _release(change: ReleaseChange) -> str:
    noun = f"exemption {change.category}" if change.by is ReleasedBy.EXEMPTION else "authorization"
    known = "is known only since" if change.is_new else "no longer holds"
    return f"The {noun}{_period(change.start, change.end)} {known}."


def _period(start: date | None, end: date | None) -> str:
    return "".join(_bounds(start, end)) or " of all days"


def _bounds(start: date | None, end: date | None) -> Iterator[str]:
    if start is not None:
        yield f" from {start} on" if end is None else f" from {start}"
    if end is not None:
        yield f" to {end}"
