"""An adverse letter says why, who stands behind it, and what can be done; without that it is not written."""

from dataclasses import replace
from datetime import date

import pytest

from authz.prior_auths.determination import Outcome
from authz.prior_auths.letter import Letter

DENIAL = Letter(
    number="PA-2025-000001",
    outcome=Outcome.DENIED,
    decided_on=date(2025, 3, 3),
    insurer="Evergreen Health",
    clinic="Riverside Clinic",
    prescriber="Ida Jones",
    member="number M-1",
    lines=[],
    reason="A shorter course is enough.",
    criterion="Clause 2.3",
    policy="Default, version 1",
    decider="Dr Patel",
    licence="Pain medicine, licence NY MD-1001",
    next_steps=["You may appeal."],
)


@pytest.mark.parametrize("missing", ["reason", "criterion", "decider", "licence"])
@pytest.mark.parametrize("outcome", [Outcome.DENIED, Outcome.PARTIALLY_APPROVED])
def test_an_adverse_letter_lacks_nothing(outcome: Outcome, missing: str) -> None:
    with pytest.raises(ValueError, match="licence holder"):
        replace(DENIAL, outcome=outcome, **{missing: " "})


def test_an_approval_needs_no_licence() -> None:
    approval = replace(DENIAL, outcome=Outcome.APPROVED, decider="", licence="")

    assert not approval.is_adverse
