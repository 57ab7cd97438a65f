"""What a reviewer judges a submitted request by: criterion by criterion met, not met, or not documented.

Nothing here decides: a criterion that is not met tells a person where to look.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from authz import clock
from authz.documentation import catalog
from authz.documentation.models import Attachment
from authz.documentation.questionnaire import Kind, Source
from authz.documentation.standing import Given, Sheet, Standing, standing
from authz.formulary import selectors as formularies
from authz.policies.automation import Automation
from authz.policies.selectors import automation_of
from authz.prior_auths.answer_seen import AnswerSeen, submitted_answers
from authz.prior_auths.answer_words import in_words
from authz.prior_auths.known_facts import facts_of
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.packet import sent
from authz.rules.thresholds import FindingKind


class Met(StrEnum):
    MET = "met"
    NOT_MET = "not_met"
    NOT_DOCUMENTED = "not_documented"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One thing to judge by: what is asked, what was found, who says so (None where the records do), and a remark.

    `is_required`: the payer's policy or its list of required answers names it.
    """

    asked: str
    met: Met
    found: str
    source: Source | None
    remark: str
    is_required: bool


_ASKED_FOR: Final = "request"
"""The questionnaire's section on what is asked for; the others say why."""


def criteria_of(prior_auth: PriorAuth, documents_show: Mapping[str, str]) -> list[Criterion]:
    """Return the criteria of a submitted request by what the insurer was sent; those not met come first.

    `documents_show` names, by question, the document that bears it out. What the policy's thresholds found is counted
    among them, and what the policy would have to see to be approved by rule.
    """
    if prior_auth.packet is None:
        return []
    found = [*_to_judge(prior_auth, documents_show), *_without_review(prior_auth)]
    order = [Met.NOT_MET, Met.NOT_DOCUMENTED, Met.MET]
    return sorted(found, key=lambda one: (order.index(one.met), not one.is_required))


def meets_criteria(prior_auth: PriorAuth) -> bool:
    """Say whether what the insurer was sent meets all criteria; what is optional need not be documented.

    How many days the policy approves without review is no criterion of a review.
    """
    return all(
        one.met is Met.MET or (one.met is Met.NOT_DOCUMENTED and not one.is_required)
        for one in _to_judge(prior_auth, borne_out(sent(prior_auth)))
    )


def borne_out(documents: Iterable[Attachment]) -> dict[str, str]:
    """Return the document that bears a question out, by question."""
    return {name: f"document {row.number}" for row in documents for name in row.shows}


def _to_judge(prior_auth: PriorAuth, documents_show: Mapping[str, str]) -> Iterator[Criterion]:
    told = submitted_answers(prior_auth.packet) if prior_auth.packet else ()
    answers = {seen.question: seen for seen in told}
    yield from _findings(prior_auth.explanation.get("findings", []))
    yield from _expected(prior_auth, answers)
    yield from _questions(prior_auth, answers, documents_show)


def _findings(findings: list[dict[str, Any]]) -> Iterator[Criterion]:
    for finding in findings:
        yield Criterion(
            asked=_THRESHOLD[FindingKind(finding["kind"])],
            met=Met.NOT_MET,
            found=" ".join(finding["reasons"]),
            source=None,
            remark="",
            is_required=finding["required_from"] is not None,
        )


_THRESHOLD: Mapping[FindingKind, str] = {
    FindingKind.MME_PER_DAY: "The daily dose stays below the policy's threshold",
    FindingKind.DUPLICATE_LONG_ACTING: "Not two long-acting opioids at once",
    FindingKind.OPIOID_WITH_BENZODIAZEPINE: "No benzodiazepine beside the opioid",
}


def _without_review(prior_auth: PriorAuth) -> Iterator[Criterion]:
    """Yield how long it may be to be approved without review; nothing where the policy approves nothing so."""
    automation = _automation(prior_auth)
    if automation is None:
        return
    most = max((line.days_supply for line in prior_auth.lines.all()), default=0)
    yield Criterion(
        asked=f"At most {automation.most_days} days, to be approved without review",
        met=Met.MET if most <= automation.most_days else Met.NOT_MET,
        found=f"{most} days",
        source=None,
        remark="",
        is_required=False,
    )


def _expected(prior_auth: PriorAuth, answers: Mapping[str, AnswerSeen]) -> Iterator[Criterion]:
    """Yield the answers that the policy names to be approved without review."""
    automation = _automation(prior_auth)
    for question, expected in automation.criteria if automation else ():
        seen = answers.get(question)
        is_met = seen is not None and type(seen.value) is type(expected) and seen.value == expected
        yield Criterion(
            asked=f"{_text(prior_auth, question)} The policy expects: {_said(expected)}",
            met=Met.NOT_DOCUMENTED if seen is None else Met.MET if is_met else Met.NOT_MET,
            found=in_words(seen.value) if seen else "",
            source=seen.source if seen else None,
            remark="",
            is_required=False,
        )


def _automation(prior_auth: PriorAuth) -> Automation | None:
    return automation_of(prior_auth.insurer_id, prior_auth.policy, prior_auth.policy_version)


def _text(prior_auth: PriorAuth, link_id: str) -> str:
    name = (prior_auth.packet or {}).get("questionnaire")
    question = catalog.questionnaire(name).question(link_id) if name else None
    return question.text if question else link_id


def _said(expected: object) -> str:
    return in_words(expected) if isinstance(expected, bool | str | int) else str(expected)


def _questions(
    prior_auth: PriorAuth, answers: Mapping[str, AnswerSeen], documents_show: Mapping[str, str]
) -> Iterator[Criterion]:
    sheet = _sheet(prior_auth, answers, documents_show)
    for one in standing(sheet) if sheet else ():
        if not one.question.private and one.question.section != _ASKED_FOR:
            yield _question(one, documents_show)


def _question(one: Standing, documents_show: Mapping[str, str]) -> Criterion:
    is_there = one.value is not None or (one.question.type is Kind.ATTACHMENT and not one.to_do)
    derived = Source.COMPUTED if one.question.derived else None
    shown_by = documents_show.get(one.question.link_id, "")
    fault = one.to_do if is_there else ""
    remarks = [fault, *one.warnings, f"Borne out by {shown_by}" if shown_by else ""]
    return Criterion(
        asked=one.question.text,
        met=Met.NOT_DOCUMENTED if not is_there else Met.NOT_MET if fault else Met.MET,
        found=in_words(one.value, one.question) if one.value is not None else shown_by,
        source=one.given.source if one.given else derived,
        remark=" ".join(remark for remark in remarks if remark),
        is_required=one.is_required,
    )


def _sheet(prior_auth: PriorAuth, answers: Mapping[str, AnswerSeen], documents_show: Mapping[str, str]) -> Sheet | None:
    """Return the answers that were sent as a sheet, on the day they were; None for packets of the first format."""
    name = (prior_auth.packet or {}).get("questionnaire")
    if name is None or prior_auth.submitted_at is None:
        return None
    on = clock.day_in(prior_auth.clinic.time_zone, at=prior_auth.submitted_at)
    questionnaire = catalog.questionnaire(name)
    for_any = {question.link_id for question in questionnaire.questions if question.type is Kind.ATTACHMENT}
    given = {question: _given(seen, on) for question, seen in answers.items() if seen.source is not None}
    return Sheet(
        questionnaire=questionnaire,
        requirements=catalog.requirements(prior_auth.policy, questionnaire=name),
        given=given,
        attached={*documents_show, *(for_any if documents_show else ())},
        facts=facts_of(prior_auth, given, formularies.that_answered(prior_auth.evaluation.formulary_version)),
        on=on,
    )


def _given(seen: AnswerSeen, on: date) -> Given:
    source = seen.source or Source.STAFF
    return Given(
        value=seen.value, source=source, answered_on=seen.answered_on or on, confirmed_on=seen.confirmed_on or on
    )
