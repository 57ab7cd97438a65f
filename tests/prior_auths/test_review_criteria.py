"""What a reviewer judges by: met, not met, not documented, by what the insurer was sent."""

from authz.documentation.questionnaire import Source
from authz.prior_auths.review_criteria import Criterion, Met, criteria_of
from tests.cast import Cast, detected, queued, with_document
from tests.prior_auths.test_approval_by_rule import automated


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


_ORDER = (Met.NOT_MET, Met.NOT_DOCUMENTED, Met.MET)
