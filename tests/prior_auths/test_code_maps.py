"""What a request says in the words of other systems."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from authz.prior_auths.code_maps import (
    CODES,
    NOT_REQUIRED,
    OF_OUTCOME,
    OF_STATE,
    WHEN,
    Answer,
    told_by_determination,
    told_by_request,
)
from authz.prior_auths.determination import Outcome
from authz.prior_auths.lifecycle import ACTIVE, State


@dataclass(frozen=True)
class Line:
    """Ten days of oxycodone, granted as asked."""

    line: int = 1
    rxcui: str = "1049621"
    asked_days: int = 10
    asked_quantity: Decimal | None = Decimal(40)
    asked_daily_units: Decimal | None = None
    asked_refills: int | None = None
    asked_from: date | None = date(2025, 3, 3)
    asked_until: date | None = date(2025, 3, 12)
    granted_rxcui: str = "1049621"
    granted_days: int = 10
    granted_quantity: Decimal | None = Decimal(40)
    granted_daily_units: Decimal | None = None
    granted_refills: int | None = None
    starts_on: date | None = date(2025, 3, 3)
    ends_on: date | None = date(2025, 3, 12)


FULL = Line()
LESS = replace(FULL, line=2, granted_days=5)
NOTHING = replace(FULL, line=3, granted_rxcui="", granted_days=0, granted_quantity=None, starts_on=None, ends_on=None)


@pytest.mark.parametrize(
    ("outcome", "lines", "x12", "items", "epa"),
    [
        (Outcome.APPROVED, [FULL], "A1", ["A1"], "Approved"),
        (Outcome.DEEMED_APPROVED, [FULL], "A1", ["A1"], "Approved"),
        (Outcome.PARTIALLY_APPROVED, [FULL, NOTHING], "A2", ["A1", "A3"], "PartiallyDenied"),
        (Outcome.PARTIALLY_APPROVED, [LESS, NOTHING], "A2", ["A6", "A3"], "PartiallyDenied"),
        (Outcome.PARTIALLY_APPROVED, [LESS], "A6", ["A6"], "PartiallyDenied"),
        (Outcome.PARTIALLY_APPROVED, [FULL, LESS], "A6", ["A1", "A6"], "PartiallyDenied"),
        (Outcome.DENIED, [NOTHING], "A3", ["A3"], "Denied"),
        (Outcome.DEEMED_ADVERSE, [NOTHING], "A3", ["A3"], "Denied"),
    ],
)
def test_a_decision_says_whether_its_lines_differ_or_are_less(
    outcome: Outcome, lines: Sequence[Line], x12: str, items: list[str], epa: str
) -> None:
    told = told_by_determination(outcome, lines)

    assert (told.codes.x12_278, told.codes.pas, told.codes.ncpdp_epa) == (x12, "active", epa)
    assert [(item.line, item.review_action) for item in told.items] == [
        (line.line, action) for line, action in zip(lines, items, strict=True)
    ]
    assert {item.review_action for item in told.items} <= set(told.codes.pas_items)


@pytest.mark.parametrize(
    "less",
    [
        {"granted_days": 9},
        {"granted_quantity": Decimal(36)},
        {"granted_daily_units": Decimal(3)},
        {"granted_refills": 0},
        {"granted_rxcui": "1049611"},
        {"starts_on": date(2025, 3, 4)},
        {"ends_on": date(2025, 3, 11)},
    ],
)
def test_less_of_anything_or_another_product_is_modified_and_told_as_added(less: dict[str, Any]) -> None:
    (item,) = told_by_determination(Outcome.PARTIALLY_APPROVED, [replace(FULL, **less)]).items

    assert (item.review_action, item.has_add_item, item.reason_list) == ("A6", True, "")


def test_a_reason_goes_with_what_is_not_certified() -> None:
    (item,) = told_by_determination(Outcome.DENIED, [NOTHING]).items

    assert (item.has_add_item, item.reason_list) == (False, "886")


@pytest.mark.parametrize(
    ("state", "x12", "pas", "epa"),
    [
        *((state, "A4", "active", "Open") for state in sorted(ACTIVE)),
        (State.WITHDRAWN, "C", "cancelled", "PACancel"),
        (State.VOIDED, "C", "cancelled", "PACancel"),
        (State.DISMISSED, "C", "cancelled", "Closed"),
        (State.DUPLICATE, "C", "cancelled", "Closed"),
        (State.LAPSED, "NA", "no-auth", "Closed"),
    ],
)
def test_without_a_decision_the_state_says_it(state: State, x12: str, pas: str, epa: str) -> None:
    told = told_by_request(state, in_force=None, asked=[1, 2])

    assert (told.codes.x12_278, told.codes.pas, told.codes.ncpdp_epa) == (x12, pas, epa)
    assert [item.review_action for item in told.items] == (["A4", "A4"] if state in ACTIVE else [])


@pytest.mark.parametrize(("state", "outcome"), list(product(State, Outcome)))
def test_a_decision_in_force_stands_in_any_state_but_voided(state: State, outcome: Outcome) -> None:
    in_force = told_by_determination(outcome, [LESS])

    told = told_by_request(state, in_force=in_force, asked=[1])

    assert told.codes == (CODES[Answer.CANCELLED] if state is State.VOIDED else in_force.codes)


def test_every_state_and_outcome_says_something_and_everything_that_can_be_said_has_codes() -> None:
    said = {*OF_STATE.values(), *(answer for answers in OF_OUTCOME.values() for answer in answers)}

    assert set(OF_STATE) == set(State) - {State.DECIDED}
    assert set(OF_OUTCOME) == set(Outcome)
    assert said | {NOT_REQUIRED.answer} == set(CODES) == set(WHEN) == set(Answer)
