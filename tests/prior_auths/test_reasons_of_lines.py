"""What is decided line by line: approved, in part or not, and why, where a line has another reason than the whole."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from authz.documentation.models import Paper
from authz.errors import InvalidInput
from authz.prior_auths.determination import Grant, Outcome, Reason
from authz.prior_auths.models import Determination, DeterminationLine, PriorAuth
from authz.prior_auths.services import appeal_decisions, determinations
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later
from tests.prior_auths.test_appeals import id_of
from tests.prior_auths.test_released import MORPHINE_15, as_asked, with_physician
from tests.prior_auths.test_review import REASON

TOO_LONG = Reason(code="shorter-period", text="Fewer days are enough.", criterion="2.1")


def of_two(cast: Cast) -> PriorAuth:
    """Return a request for oxycodone and morphine that Dr Patel is to decide."""
    return with_physician(cast, {}, {"rxcui": MORPHINE_15})


def first_shorter(prior_auth: PriorAuth) -> dict[int, Grant]:
    return {1: replace(as_asked(prior_auth)[1], days=5)}


def decide(cast: Cast, prior_auth: PriorAuth, grants: dict[int, Grant], **said: Any) -> list[DeterminationLine]:
    """Let Dr Patel approve in part, and return the lines."""
    determinations.approve_in_part(
        prior_auth_id=key_of(prior_auth), grants=grants, reason=REASON, by=cast.patel, now=NOW, **said
    )
    return list(Determination.objects.latest("pk").lines.order_by("line"))


def test_a_line_that_is_refused_for_another_reason_says_so(cast: Cast) -> None:
    prior_auth = of_two(cast)

    first, second = decide(cast, prior_auth, first_shorter(prior_auth), reasons={1: TOO_LONG})

    assert (first.outcome, second.outcome) == (Outcome.PARTIALLY_APPROVED, Outcome.DENIED)
    assert first.reason is not None
    assert second.reason is not None
    assert (first.reason.code, first.reason.text) == ("shorter-period", "Fewer days are enough.")
    assert first.reason.would_change
    assert (second.reason_code, second.reason.code, second.reason.text) == ("", REASON.code, REASON.text)


def test_a_line_granted_as_asked_has_no_reason(cast: Cast) -> None:
    prior_auth = of_two(cast)

    first, second = decide(cast, prior_auth, {1: as_asked(prior_auth)[1]})

    assert (first.outcome, first.reason) == (Outcome.APPROVED, None)
    assert second.reason is not None


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [(1, "shorter-period", "reasons.1"), (3, "shorter-period", "reasons.3"), (2, "x", "reasons.2.code")],
)
def test_a_reason_is_of_a_line_that_is_refused_and_of_the_library(cast: Cast, line: int, code: str, field: str) -> None:
    prior_auth = of_two(cast)

    with pytest.raises(InvalidInput) as refusal:
        decide(cast, prior_auth, {1: as_asked(prior_auth)[1]}, reasons={line: replace(TOO_LONG, code=code)})

    assert set(refusal.value.fields) == {field}


def test_a_denial_says_of_each_line_why(cast: Cast) -> None:
    prior_auth = of_two(cast)

    determinations.deny(prior_auth_id=key_of(prior_auth), reason=REASON, reasons={2: TOO_LONG}, by=cast.patel, now=NOW)

    first, second = (line.reason for line in Determination.objects.get().lines.order_by("line"))
    assert first is not None
    assert second is not None
    assert (first.code, second.code) == (REASON.code, "shorter-period")


def test_the_letter_says_line_by_line_what_was_decided_and_why(cast: Cast) -> None:
    prior_auth = of_two(cast)

    decide(cast, prior_auth, first_shorter(prior_auth), reasons={1: TOO_LONG})

    product = prior_auth.lines.get(line=1).product_name
    blocks = Paper.objects.get(kind="determination-letter").text["blocks"]
    (grid,) = (block for block in blocks if block["kind"] == "grid")
    (place,) = (at for at, block in enumerate(blocks) if block.get("text") == f"Why, for {product}")
    assert [row[1] for row in grid["rows"]] == ["Approved in part", "Not approved"]
    assert ["Reason", "Fewer days are enough."] in [list(row) for row in blocks[place + 1]["rows"]]


def test_an_appeal_that_is_overturned_in_part_says_of_a_line_why_it_still_is_not_granted(cast: Cast) -> None:
    prior_auth = of_two(cast)
    determinations.deny(prior_auth_id=key_of(prior_auth), reason=REASON, by=cast.patel, now=NOW)
    uma = stage.appeal_reviewer(cast)
    appeal = stage.appeal_in_review(cast, prior_auth, by=uma, now=later(1))
    grants = {1: as_asked(prior_auth)[1]}

    appeal_decisions.overturn_in_part(
        appeal_id=id_of(appeal), grants=grants, reason=REASON, reasons={2: TOO_LONG}, by=uma, now=later(2)
    )

    first, second = Determination.objects.latest("pk").lines.order_by("line")
    assert (first.outcome, second.reason_code) == (Outcome.APPROVED, "shorter-period")


def test_the_letter_of_an_upheld_appeal_gives_the_reason_of_the_appeal_alone(cast: Cast) -> None:
    prior_auth, uma = of_two(cast), stage.appeal_reviewer(cast)
    decide(cast, prior_auth, first_shorter(prior_auth), reasons={1: TOO_LONG})
    appeal = stage.appeal_in_review(cast, prior_auth, by=uma, now=later(1))

    appeal_decisions.uphold(appeal_id=id_of(appeal), reason=REASON, by=uma, now=later(2))

    assert TOO_LONG.text not in str(Paper.objects.get(kind="appeal-letter").text)


def test_a_lines_own_reason_is_whole(cast: Cast) -> None:
    decided = Determination.objects.get(prior_auth=stage.denied(cast))
    line = decided.lines.get()
    line.pk, line.line, line.reason_code = None, 2, "x"

    with pytest.raises(DatabaseError, match="a_lines_own_reason_is_whole"), transaction.atomic():
        line.save()
