"""Short ways to write a patient's records in a test."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from authz.rules.evaluate import evaluate
from authz.rules.policy import Policy
from authz.rules.records import AuthorizedPeriod, Case, Exemption, Record, RecordKind, RecordStatus
from authz.rules.verdict import Episode, Verdict

OXYCODONE_5 = "1049621"
OXYCODONE_10 = "1049683"
TRAMADOL_50 = "835603"
METHADONE_10 = "864706"
FENTANYL_PATCH_75 = "197696"
BUPRENORPHINE_PATCH_10 = "904870"
BUPRENORPHINE_NALOXONE = "1010600"


def day(text: str) -> date:
    return date.fromisoformat(text)


def fill(id: str, start: str, days: int | None = 5, **facts: Any) -> Record:  # noqa: A002 - the field's own name
    """A fill of four oxycodone 5 mg a day (30 MME), learned on the day it was dispensed."""
    return _record(id, RecordKind.FILL, start, days, facts)


def order(id: str, start: str, days: int | None = 5, **facts: Any) -> Record:  # noqa: A002 - the field's own name
    """A written order for the same."""
    return _record(id, RecordKind.RX, start, days, facts)


def _record(identity: str, kind: RecordKind, start: str, days: int | None, facts: dict[str, Any]) -> Record:
    defaults = {
        "version": 1,
        "recorded_on": day(facts.pop("learned", start)),
        "status": RecordStatus(facts.pop("status", "active")),
        "rx_id": f"rx-{identity}",
        "fill_number": 0,
        "rxcui": OXYCODONE_5,
        "quantity": Decimal(4 * (days or 1)),
        "daily_units": None,
    }
    return Record(id=identity, kind=kind, start=day(start), days_supply=days, **{**defaults, **facts})


def case(
    *records: Record, as_of: str = "2025-12-31", born: str | None = None, known_from: str | None = None, **rest: Any
) -> Case:
    """A case with these records; further keywords are settings of the policy, `exemptions` or `authorizations`."""
    exemptions: Iterable[Exemption] = rest.pop("exemptions", ())
    authorizations: Iterable[AuthorizedPeriod] = rest.pop("authorizations", ())
    return Case(
        id="test",
        as_of=day(as_of),
        history_start=day(known_from) if known_from else None,
        birth_date=day(born) if born else None,
        policy=Policy.from_mapping(rest),
        records=records,
        exemptions=tuple(exemptions),
        authorizations=tuple(authorizations),
    )


def verdict(*records: Record, **rest: Any) -> Verdict:
    return evaluate(case(*records, **rest))


def only_episode(*records: Record, **rest: Any) -> Episode:
    (episode,) = verdict(*records, **rest).episodes
    return episode


def later_version(record: Record, *, learned: str, **changes: Any) -> Record:
    return replace(record, version=record.version + 1, recorded_on=day(learned), **changes)


def moved(record: Record, days: int) -> Record:
    shift = timedelta(days=days)
    return replace(record, start=record.start + shift, recorded_on=record.recorded_on + shift)
