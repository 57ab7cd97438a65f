"""What is recorded of all members of some plans, in one statement: the supplies that count, as bare days.

The selection that `authz.rules.selection` makes (steps 1 to 5 of the rule), said in SQL; a test holds the two
together. Only a start and a number of days come back of each supply, as they are sorted by patient, so a million of
them are read in seconds and in little memory.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from struct import unpack
from typing import Any, NamedTuple

from django.db import connection
from django.db.backends.utils import CursorWrapper

from authz.prescriptions.models import Coverage, Patient
from authz.rules.formulary import Formulary
from authz.rules.policy import Policy
from authz.rules.records import Exemption as ExemptPeriod
from authz.rules.selection import LONGEST_SUPPLY
from authz.simulations.crossings import Supplied

PIECE = 10_000
"""So many patients are in hand at a time."""

# Everything is read: room to sort it in memory, and no plan that only gives the first rows sooner.
_TO_READ_ALL = {"work_mem": "128MB", "cursor_tuple_fraction": "1"}

_MEMBERS = "SELECT patient_id FROM authz_coverage WHERE plan_id = ANY(%(plans)s)"
_MANY = 4
"""From one patient in so many on, members are picked out at the end: sooner costs more than reading everybody's."""

# Days' supply as stated; only where it is not, the days the quantity lasts, and then no more than matters.
_DAYS = """
coalesce(version.days_supply, CASE WHEN version.quantity > 0 AND version.daily_units > 0
    THEN ceil(least(version.quantity / version.daily_units, 1000))::int END)
"""
_SOUND = "status = 'active' AND starts_on <= %(as_of)s AND days BETWEEN 1 AND %(longest)s AND rxcui = ANY(%(counted)s)"

_FILLS = f"""
SELECT DISTINCT ON (version.fill_id)
    fill.patient_id, fill.public_id, version.status, version.starts_on, version.rxcui, version.fill_number,
    version.prescription_id, version.rx_number, {_DAYS} AS days
FROM authz_fillversion version JOIN authz_fill fill ON fill.id = version.fill_id
WHERE {{whose}} AND version.recorded_on <= %(as_of)s
ORDER BY version.fill_id, version.version DESC
"""

# A dispensing told twice, by two feeds, counts once: as the one with the smallest id. Without a number it stands alone.
_DISPENSED = f"""
SELECT DISTINCT ON (patient_id, starts_on, rxcui, prescription_id, rx_number, fill_number, alone)
    patient_id, starts_on, days
FROM (
    SELECT *, CASE WHEN prescription_id IS NULL AND rx_number = '' THEN public_id END AS alone
    FROM ({_FILLS.format(whose="{whose}")}) newest
    WHERE {_SOUND}
) sound
ORDER BY patient_id, starts_on, rxcui, prescription_id, rx_number, fill_number, alone, public_id
"""

# An order counts like a fill of one supply until a fill of it counts, or it expires.
_WRITTEN = f"""
SELECT patient_id, starts_on, days
FROM (
    SELECT DISTINCT ON (version.prescription_id)
        written.patient_id, written.id, written.public_id, version.status, version.starts_on, version.rxcui,
        {_DAYS} AS days
    FROM authz_prescriptionversion version JOIN authz_prescription written ON written.id = version.prescription_id
    WHERE version.recorded_on <= %(as_of)s
    ORDER BY version.prescription_id, version.version DESC
) written
WHERE {_SOUND} AND starts_on >= %(oldest)s AND patient_id IN ({_MEMBERS}) AND NOT EXISTS (
    SELECT 1 FROM ({_FILLS.format(whose="fill.patient_id = written.patient_id")}) newest
    WHERE {_SOUND} AND (prescription_id = written.id OR prescription_id IS NULL AND rx_number = written.public_id::text)
)
"""

_COUNTED = f"""
SELECT patient.id, patient.birth_date, counted.starts, counted.days
FROM authz_patient patient JOIN (
    SELECT
        patient_id,
        string_agg(int4send(starts_on - date '0001-01-01' + 1), '' ORDER BY starts_on) AS starts,
        string_agg(int4send(days), '' ORDER BY starts_on) AS days
    FROM ({{supplies}}) supplies GROUP BY patient_id
) counted ON counted.patient_id = patient.id
WHERE patient.id IN ({_MEMBERS})
ORDER BY patient.id
"""

_EXEMPTIONS = """
SELECT patient_id, category, starts_on, ends_on FROM authz_exemption
WHERE patient_id = ANY(%(patients)s) AND withdrawn_at IS NULL
"""

_COVERAGES = """
SELECT patient_id, id, plan_id, priority, starts_on, ends_on FROM authz_coverage WHERE patient_id = ANY(%(patients)s)
"""


@dataclass(frozen=True, slots=True)
class History:
    """One patient: the supplies that count, in the order of their start. Two rows of numbers, for a million pairs would
    cost more than the walk over them."""

    patient: int
    birth_date: date | None
    starts: Sequence[int]
    days: Sequence[int]
    exemptions: Sequence[ExemptPeriod]

    @property
    def supplies(self) -> Iterable[Supplied]:
        """What a walk reads, once."""
        return zip(self.starts, self.days, strict=True)


class Covered(NamedTuple):
    """A coverage, as far as it tells which of several is in force."""

    pk: int
    plan_id: int | None
    priority: int
    starts_on: date
    ends_on: date | None


def members(plans: Collection[int]) -> int:
    """Return how many patients were ever covered by any of the plans."""
    return Coverage.objects.filter(plan_id__in=plans).values("patient_id").distinct().count()


def selection_of(policy: Policy) -> tuple[bool, int | None]:
    """Return what decides which records count: policies of one selection have the same histories."""
    return policy.count_pain_buprenorphine, policy.written_expiry_days if policy.count_written else None


def histories(plans: Collection[int], *, policy: Policy, formulary: Formulary, as_of: date) -> Iterator[list[History]]:
    """Yield, piece by piece, the members of whom anything counts under the policy as known on a day, by their key."""
    takes_pain_buprenorphine = policy.count_pain_buprenorphine
    products = formulary.products.values()
    facts: dict[str, Any] = {
        "plans": list(plans),
        "as_of": as_of,
        "longest": LONGEST_SUPPLY,
        "counted": [p.rxcui for p in products if p.counts(with_pain_buprenorphine=takes_pain_buprenorphine)],
        "oldest": as_of - timedelta(days=policy.written_expiry_days),
    }
    are_many = members(plans) * _MANY >= Patient.objects.count()
    dispensed = _DISPENSED.format(whose="true" if are_many else f"fill.patient_id IN ({_MEMBERS})")
    with _set_to_read_all(), connection.chunked_cursor() as cursor:
        # Apart: put together by the database, fills would have to be sorted once more for the sake of a few orders.
        written = map(_told, _rows(_COUNTED.format(supplies=_WRITTEN), facts)) if policy.count_written else ()
        cursor.execute(_COUNTED.format(supplies=dispensed), facts)
        told = _joined(_fetched(cursor), deque(written))
        while piece := list(islice(told, PIECE)):
            exempt = _exemptions([row[0] for row in piece])
            yield [History(*row, exempt.get(row[0], ())) for row in piece]


@contextmanager
def _set_to_read_all() -> Iterator[None]:
    """For the session: in a transaction nobody would see how far a simulation is until its end."""
    for name, value in _TO_READ_ALL.items():
        _rows(f"SET {name} = '{value}'")
    try:
        yield
    finally:
        for name in _TO_READ_ALL:
            _rows(f"RESET {name}")


_Told = tuple[int, date | None, Sequence[int], Sequence[int]]


def _told(row: tuple[int, date | None, bytes, bytes]) -> _Told:
    patient, birth_date, starts, days = row
    form = f">{len(starts) // 4}i"  # as int4send writes them: arrays would take longer to read than to add up
    return patient, birth_date, unpack(form, starts), unpack(form, days)


def _fetched(cursor: CursorWrapper) -> Iterator[_Told]:
    while rows := cursor.fetchmany(PIECE):
        yield from map(_told, rows)


def _joined(dispensed: Iterator[_Told], written: deque[_Told]) -> Iterator[_Told]:
    """Yield each patient once, in the order of their keys, in which both are given."""
    for row in dispensed:
        while written and written[0][0] < row[0]:
            yield written.popleft()
        yield _together(row, written.popleft()) if written and written[0][0] == row[0] else row
    yield from written


def _together(fills: _Told, orders: _Told) -> _Told:
    patient, birth_date, *_ = fills
    pairs = sorted((*zip(*fills[2:], strict=True), *zip(*orders[2:], strict=True)))
    return patient, birth_date, [start for start, _ in pairs], [days for _, days in pairs]


def _exemptions(patients: list[int]) -> dict[int, list[ExemptPeriod]]:
    found = defaultdict(list)
    for patient, category, start, end in _rows(_EXEMPTIONS, {"patients": patients}):
        found[patient].append(ExemptPeriod(category=category, start=start, end=end))
    return found


def coverages(patients: Collection[int]) -> Mapping[int, list[Covered]]:
    """Return the coverages of some patients, by the patient's key."""
    found = defaultdict(list)
    for patient, *covered in _rows(_COVERAGES, {"patients": list(patients)}):
        found[patient].append(Covered(*covered))
    return found


def _rows(statement: str, facts: Mapping[str, Any] | None = None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        return cursor.fetchall() if cursor.description else []
