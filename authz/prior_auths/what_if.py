"""What the rule would say if something more were dispensed: to be asked before it is prescribed. Nothing is written."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from authz.errors import InvalidInput
from authz.formulary import selectors as formularies
from authz.prior_auths.needs import PatientCase, PayerVerdict
from authz.prior_auths.opioid_use import KnownPatient, payer_on, ways_out_of
from authz.rules.policy import Basis
from authz.rules.records import Record, RecordKind, RecordStatus

PLANNED: Final = "00000000-0000-4000-8000-0000000000f1"
"""The id under which the rule meets what is only planned; no record has it."""
LONGEST: Final = 120
FARTHEST: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What somebody thinks of prescribing. Without a product it is what the patient had last, in the same dose."""

    days_supply: int
    starts_on: date
    rxcui: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The answer if the plan were dispensed whole on its first day; `record` is the plan as the rule read it."""

    payer: PayerVerdict
    record: Record
    product_name: str
    ways_out: list[str]

    @property
    def needs_from(self) -> date | None:
        """The first day that needs authorization in the use that the plan belongs to."""
        used = [episode for episode in self.payer.verdict.episodes if PLANNED in episode.records]
        found = [finding for finding in self.payer.findings if finding.cause == PLANNED]
        days = [*(episode.pa_required_from for episode in used), *(finding.required_from for finding in found)]
        return min((day for day in days if day is not None), default=None)


def what_if(known: KnownPatient, plan: Plan) -> WhatIf:
    """Return what would hold if the plan were dispensed whole on its first day.

    :raises InvalidInput: naming every part of the plan that cannot be.
    """
    today = known.calendar.today
    last = _last_use(known.case, today)
    _must_be_possible(plan, last, today)
    record = _record(plan, last, today)
    case = replace(known.case, records=(*known.case.records, record))
    payer = payer_on(case, plan.starts_on, known.calendar)
    if payer.policy.parameters.basis is Basis.ELAPSED:
        # Such a policy counts days as they pass: the answer is that of the last one.
        payer = payer_on(case, plan.starts_on + timedelta(days=plan.days_supply - 1), known.calendar)
    product = payer.formulary.product(record.rxcui)
    return WhatIf(
        payer=payer,
        record=record,
        product_name=product.name if product else record.rxcui,
        ways_out=ways_out_of(
            payer.case, [one for one in payer.verdict.episodes if PLANNED in one.records], payer.formulary
        ),
    )


def _last_use(case: PatientCase, today: date) -> Record | None:
    """Return what the patient had or was ordered last; what was taken back is none."""
    held = [record for record in case.newest_on(today).values() if record.status is RecordStatus.ACTIVE]
    return max(held, key=lambda record: (record.start, record.id), default=None)


def _must_be_possible(plan: Plan, last: Record | None, today: date) -> None:
    wrong: dict[str, list[str]] = {}
    if not 1 <= plan.days_supply <= LONGEST:
        wrong["days_supply"] = [f"From 1 to {LONGEST} days."]
    if not today <= plan.starts_on <= today + FARTHEST:
        wrong["starts_on"] = ["A day from today on, within a year."]
    if not plan.rxcui and last is None:
        wrong["rxcui"] = ["Nothing was dispensed or ordered yet: say which product."]
    if plan.rxcui and not formularies.current().knows(plan.rxcui):
        wrong["rxcui"] = ["The formulary holds no such product."]
    if wrong:
        raise InvalidInput(wrong)


def _record(plan: Plan, last: Record | None, today: date) -> Record:
    is_same = last is not None and plan.rxcui in ("", last.rxcui)
    return Record(
        id=PLANNED,
        version=1,
        recorded_on=today,
        kind=RecordKind.FILL,
        status=RecordStatus.ACTIVE,
        rx_id=None,
        fill_number=None,
        start=plan.starts_on,
        rxcui=plan.rxcui or (last.rxcui if last else ""),
        quantity=_quantity(last, plan.days_supply) if last and is_same else None,
        days_supply=plan.days_supply,
        daily_units=last.daily_units if last and is_same else None,
    )


def _quantity(last: Record, days: int) -> Decimal | None:
    """Return as much a day as there was last; exact to four decimals, as quantities are kept."""
    if last.quantity is None or not last.days_supply or last.days_supply < 1:
        return None
    return (last.quantity * days / last.days_supply).quantize(Decimal("0.0001"))
