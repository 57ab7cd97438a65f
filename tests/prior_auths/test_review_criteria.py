"""What a reviewer judges by: met, not met, not documented, by what the insurer was sent."""

from typing import Any

import pytest

from authz.documentation.questionnaire import Source
from authz.prior_auths.determination import Ground
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.review_criteria import Criterion, Met, criteria_of, meets_criteria
from authz.prior_auths.services import determinations
from tests.cast import NOW, Cast, detected, in_review, key_of, queued, with_document
from tests.prior_auths.test_approval_by_rule import automated

HIGH_DOSE = {"kind": "mme_per_day", "reasons": ["120 MME a day from March 3."], "required_from": None}


def by_question(found: list[Criterion]) -> dict[str, Criterion]:
    return {one.asked: one for one in found}


def test_what_was_answered_is_met_and_what_nobody_documented_says_so(cast: Cast) -> None:
    found = by_question(criteria_of(queued(cast), {}))

    checked = found["Was the prescription drug monitoring program (PDMP) checked?"]
    assert (checked.met, checked.found, checked.source, checked.is_required) == (Met.MET, "Yes", Source.STAFF, True)
    tried = found["Which medicines other than opioids were tried?"]
    assert (tried.met, tried.is_required) == (Met.NOT_DOCUMENTED, False)


def test_what_needs_a_look_comes_first_and_a_document_bears_an_answer_out(cast: Cast) -> None:
    prior_auth = with_document(cast)
    prior_auth.explanation["findings"] = [
        {"kind": "opioid_with_benzodiazepine", "reasons": ["Both from March 3."], "required_from": None}
    ]

    found = criteria_of(prior_auth, {"dx.code": "document 1"})

    assert (found[0].met, found[0].found) == (Met.NOT_MET, "Both from March 3.")
    assert [one.met for one in found] == sorted((one.met for one in found), key=list(_ORDER).index)
    diagnosis = by_question(found)["Diagnosis that this opioid is for (ICD-10-CM)"]
    assert diagnosis.remark == "Borne out by document 1"


def test_an_answer_that_says_no_where_yes_is_needed_is_not_met(cast: Cast) -> None:
    prior_auth = queued(cast)
    assert prior_auth.packet is not None
    for row in prior_auth.packet["answers"]:
        if row["question"] == "pr.attest":
            row["value"] = False

    found = criteria_of(prior_auth, {})

    assert found[0].met is Met.NOT_MET
    assert "attest" in found[0].asked


def test_nothing_is_judged_before_it_was_submitted(cast: Cast) -> None:
    assert criteria_of(detected(cast), {}) == []


def test_a_policy_that_approves_by_rule_says_what_it_expects(cast: Cast) -> None:
    automated(cast, most_days=9, criteria=[{"question": "pain.type", "is": "acute"}])

    found = by_question(criteria_of(queued(cast), {}))

    assert found["At most 9 days, to be approved without review"].met is Met.NOT_MET
    assert found["What kind of pain is it? The policy expects: acute"].met is Met.NOT_MET


@pytest.mark.parametrize(
    ("found", "ground"),
    [([], Ground.CRITERIA_MET), ([HIGH_DOSE], Ground.BEYOND_CRITERIA)],
)
def test_an_approval_says_that_the_criteria_are_met_only_where_they_are(
    cast: Cast, found: list[dict[str, Any]], ground: Ground
) -> None:
    prior_auth = in_review(cast)
    PriorAuth.objects.filter(pk=prior_auth.pk).update(explanation=prior_auth.explanation | {"findings": found})

    decided = determinations.approve(prior_auth_id=key_of(prior_auth), by=cast.rae, now=NOW).determinations.get()

    assert (decided.reason_code, decided.reason_text) == (ground.value, determinations.APPROVED[ground].text)


def test_how_long_is_approved_without_review_is_no_criterion_of_a_review(cast: Cast) -> None:
    automated(cast, most_days=9)

    assert meets_criteria(queued(cast))


def test_an_answer_other_than_the_policy_expects_is_beyond_its_criteria(cast: Cast) -> None:
    automated(cast, most_days=9, criteria=[{"question": "pain.type", "is": "acute"}])

    assert not meets_criteria(queued(cast))


_ORDER = (Met.NOT_MET, Met.NOT_DOCUMENTED, Met.MET)
