"""What is decided over the API: denied or granted in part, each line with its reason."""

from typing import Any

import pytest

from authz.prior_auths.models import Determination, PriorAuth
from tests import cast as stage
from tests.api.callers import Caller, address, field_errors, nothing_changes, refused
from tests.prior_auths.test_released import MORPHINE_15, with_physician

REASON = {"code": "not-necessary", "text": "A shorter course is enough.", "criterion": "Policy 1, clause 4"}


def grant(case: PriorAuth, **other: Any) -> dict[str, Any]:
    line = case.lines.get(line=1)
    return {
        "line": 1,
        "days": 5,
        "quantity": "20",
        "starts_on": line.starts_on.isoformat(),
        "ends_on": line.ends_on.isoformat(),
    } | other


def test_a_physician_denies_with_a_reason_the_prescriber_can_read(
    cast: stage.Cast, stella: Caller, patel: Caller
) -> None:
    case = stage.in_clinical_review(cast)

    answer = patel.post(address(case, "deny/"), {"reason": REASON}, if_match=f'"{case.version}"')

    assert answer.status_code == 200
    (decided,) = stella.get(address(case)).json()["determinations"]
    assert (decided["outcome"], decided["decided_by"]) == ("denied", "Dr Patel")
    assert (decided["reason_code"], decided["reason_text"], decided["criterion"]) == tuple(REASON.values())
    assert decided["would_change"].startswith("A clinical reason")
    assert [line["granted_days"] for line in decided["lines"]] == [0]


def test_a_physician_grants_less_than_was_asked(cast: stage.Cast, patel: Caller) -> None:
    case = stage.in_clinical_review(cast)

    answer = patel.post(
        address(case, "approve-in-part/"),
        {"grants": [grant(case)], "reason": REASON},
        if_match=f'"{case.version}"',
    )

    assert answer.status_code == 200
    assert answer.json()["determinations"][0]["outcome"] == "partially_approved"
    assert [(row["days_granted"], row["quantity_granted"]) for row in answer.json()["authorizations"]] == [(5, "20")]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"days": 11}, "grants[0]"),
        ({"quantity": "41"}, "grants[0]"),
        ({"line": 2}, "grants[0]"),
        ({"days": 0}, "grants[0].days"),
        ({"days": 367}, "grants[0].days"),
        ({"quantity": "-1"}, "grants[0].quantity"),
        ({"ends_on": "2020-01-01"}, "grants[0].ends_on"),
        ({"ends_on": "2025-02-30"}, "grants[0].ends_on"),
    ],
)
def test_a_grant_that_is_no_part_of_what_was_asked_is_refused(
    cast: stage.Cast, patel: Caller, change: dict[str, Any], field: str
) -> None:
    case = stage.in_clinical_review(cast)

    with nothing_changes():
        answer = patel.post(
            address(case, "approve-in-part/"),
            {"grants": [grant(case, **change)], "reason": REASON},
            if_match=f'"{case.version}"',
        )

    assert set(field_errors(answer)) == {field}


def test_each_line_says_what_was_decided_of_it_and_why(cast: stage.Cast, patel: Caller, stella: Caller) -> None:
    case = with_physician(cast, {}, {"rxcui": MORPHINE_15})
    own = {"line": 2, "code": "shorter-period", "text": "Not both.", "criterion": "2.1", "would_change": "A plan."}

    patel.post(
        address(case, "approve-in-part/"),
        {"grants": [grant(case)], "reason": REASON, "reasons": [own]},
        if_match=f'"{case.version}"',
    )

    (decided,) = stella.get(address(case)).json()["determinations"]
    first, second = decided["lines"]
    assert (first["outcome"], first["reason"]["text"]) == ("partially_approved", REASON["text"])
    assert (second["outcome"], {"line": 2, **second["reason"]}) == ("denied", own)


def test_what_was_approved_as_asked_has_no_reason_by_line(cast: stage.Cast, stella: Caller) -> None:
    (decided,) = stella.get(address(stage.approved(cast))).json()["determinations"]

    assert [(line["outcome"], line["reason"]) for line in decided["lines"]] == [("approved", None)]


@pytest.mark.parametrize(
    ("reasons", "field"),
    [
        ([{"line": 2, "code": "x"}], "reasons[0].code"),
        ([{"line": 2}, {"line": 3}], "reasons[1]"),
        ([{"line": 2}, {"line": 2}], "reasons"),
        ([{"line": 2, "text": ""}], "reasons[0].text"),
    ],
)
def test_a_reason_of_a_line_that_says_nothing_is_refused_by_its_place(
    cast: stage.Cast, patel: Caller, reasons: list[dict[str, Any]], field: str
) -> None:
    case = with_physician(cast, {}, {"rxcui": MORPHINE_15})
    body = {"grants": [grant(case)], "reason": REASON, "reasons": [REASON | one for one in reasons]}

    with nothing_changes():
        answer = patel.post(address(case, "approve-in-part/"), body, if_match=f'"{case.version}"')

    assert set(field_errors(answer)) == {field}


def test_a_line_is_granted_once(cast: stage.Cast, patel: Caller) -> None:
    case = stage.in_clinical_review(cast)

    with nothing_changes():
        answer = patel.post(
            address(case, "approve-in-part/"),
            {"grants": [grant(case), grant(case)], "reason": REASON},
            if_match=f'"{case.version}"',
        )

    assert field_errors(answer) == {"grants": ("repeated-line", "Line 1 is granted twice.")}


@pytest.mark.parametrize("missing", ["code", "text", "criterion"])
def test_a_denial_without_its_whole_reason_is_refused(cast: stage.Cast, patel: Caller, missing: str) -> None:
    case = stage.in_clinical_review(cast)
    reason = {name: value for name, value in REASON.items() if name != missing}

    with nothing_changes():
        answer = patel.post(address(case, "deny/"), {"reason": reason}, if_match=f'"{case.version}"')

    assert field_errors(answer) == {f"reason.{missing}": ("required", "This field is required.")}


def test_without_a_valid_licence_nobody_denies(cast: stage.Cast, patel: Caller) -> None:
    case = stage.in_clinical_review(cast)
    cast.people["patel"].licences.update(valid_until="2020-12-31")

    with nothing_changes():
        answer = patel.post(address(case, "deny/"), {"reason": REASON}, if_match=f'"{case.version}"')

    refused(answer, 403, "licence-needed")
    assert Determination.objects.count() == 0


def test_a_request_tells_its_codes_and_reopened_goes_on_telling_what_was_decided(
    cast: stage.Cast, stella: Caller, patel: Caller
) -> None:
    case = stage.in_clinical_review(cast)
    before = stella.get(address(case)).json()["codes"]
    taken = patel.post(f"{address(case)}take-in-hand/")

    granted = {"reason": REASON, "grants": [grant(case)]}
    part = patel.post(f"{address(case)}approve-in-part/", granted, if_match=taken["ETag"])
    why = {"code": "new_material_evidence", "reason": "A scan."}
    reopened = patel.post(f"{address(case)}reopen/", why, if_match=part["ETag"])

    assert (before["x12_278"], before["ncpdp_epa"], before["pas"]["response"]) == ("A4", "Open", "active")
    assert [item["review_action"] for item in before["pas"]["items"]] == ["A4"]
    told = part.json()
    assert (
        told["codes"]
        == told["determinations"][0]["codes"]
        == {
            "answer": "modified",
            "x12_278": "A6",
            "pas": {
                "response": "active",
                "items": [{"line": 1, "review_action": "A6", "has_add_item": True, "reason_list": ""}],
            },
            "ncpdp_epa": "PartiallyDenied",
        }
    )
    assert (reopened.json()["state"], reopened.json()["codes"]) == ("in_review", told["codes"])
