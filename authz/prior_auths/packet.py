"""What the insurer receives, frozen at submission as plain JSON with one canonical text and its hash."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django.db.models import Q, QuerySet

from authz.access.models import Person
from authz.access.roles import Actor
from authz.documentation import catalog
from authz.documentation import selectors as documentation
from authz.documentation.models import Answer, AnswerSheet, Attachment
from authz.documentation.questionnaire import Source
from authz.documentation.standing import Standing
from authz.prescriptions.part2 import notice
from authz.prior_auths.models import Evaluation, PriorAuth, RequestedLine
from authz.rules.amounts import plain

FORMAT: Final = "3"
"""Packets of the first format name none; they hold answers, lines, explanation and policy alone. Those of the second
name nobody who confirmed or attested, nor why people opened the request, nor what they stated to be new."""


def packet_of(prior_auth: PriorAuth, answers: Sequence[Standing], *, by: Actor) -> dict[str, Any]:
    """Return the packet of a request that is being submitted; `answers` is where its answers stand at that moment.

    It holds what a person has confirmed and what follows from it. Private questions stay with the clinic.
    """
    sheet, requirements = prior_auth.answers, None
    if sheet is not None:
        requirements = catalog.requirements(prior_auth.policy, questionnaire=sheet.questionnaire)
    prescriber = prior_auth.prescriber
    told = [one for one in answers if one.counts and not one.question.private]
    names = _names(told)
    return {
        "format": FORMAT,
        "number": prior_auth.number,
        "urgency": prior_auth.urgency,
        "submitted_at": prior_auth.submitted_at.isoformat() if prior_auth.submitted_at else None,
        "submitted_by": by.name,
        "time_zone": prior_auth.time_zone,
        "clinic": prior_auth.clinic.name,
        "insurer": prior_auth.insurer.name if prior_auth.insurer else None,
        "member_id": prior_auth.coverage.member_id if prior_auth.coverage else None,
        "prescriber": {"name": str(prescriber), "npi": prescriber.npi} if prescriber else None,
        "policy": f"{prior_auth.policy}-{prior_auth.policy_version}",
        "requirements": requirements.name if requirements else None,
        "questionnaire": sheet.questionnaire if sheet else None,
        "answers": [_answer(one, names) for one in told],
        "attestations": list(_attestations(prior_auth, told)),
        "lines": [_line(line) for line in prior_auth.lines.order_by("line")],
        "reason": prior_auth.reason,
        "new_fact": {"kind": prior_auth.new_fact_kind, "text": prior_auth.new_fact} if prior_auth.new_fact else None,
        "explanation": prior_auth.explanation,
        "evaluation": _evaluation(prior_auth.evaluation),
        "attachments": [_attachment(row) for row in _attached(sheet)],
        "redisclosure_notice": notice(is_part2=prior_auth.is_part2),
    }


def sent(prior_auth: PriorAuth) -> QuerySet[Attachment]:
    """Return the documents that the insurer has: those of the packet, and what was sent since."""
    if prior_auth.answers is None:
        return Attachment.objects.none()
    submitted = [one["id"] for one in (prior_auth.packet or {}).get("attachments", [])]
    with_answer = Q(information_requests__answered_at__isnull=False)
    is_sent = Q(public_id__in=submitted) | with_answer | Q(appeals__isnull=False)
    return documentation.attachments(prior_auth.answers).filter(is_sent, removed_at=None).distinct()


def _names(told: Sequence[Standing]) -> dict[int, str]:
    """Return the names of those who confirmed an answer, by their keys."""
    people = {one.given.confirmed_by for one in told if one.given and one.given.confirmed_by}
    return dict(Person.objects.filter(pk__in=people).values_list("pk", "full_name"))


def _attestations(prior_auth: PriorAuth, told: Sequence[Standing]) -> Iterator[dict[str, Any]]:
    """Yield who attested which text and when; where the prescriber does not log in, it is a colleague of theirs."""
    texts = {one.question.link_id: one.question.text for one in told if one.question.only_prescriber}
    prescriber = prior_auth.prescriber.person_id if prior_auth.prescriber else None
    rows = Answer.objects.filter(sheet=prior_auth.answers, question__in=texts).select_related("sheet", "confirmed_by")
    for row in rows.order_by("confirmed_at", "pk"):
        if row.confirmed_by and row.confirmed_at:
            yield {
                "question": row.question,
                "text": texts[row.question],
                "text_version": row.sheet.questionnaire,
                "by": row.confirmed_by.full_name,
                "is_the_prescriber": row.confirmed_by_id == prescriber,
                "at": row.confirmed_at.isoformat(),
            }


def _answer(one: Standing, names: Mapping[int, str]) -> dict[str, Any]:
    """Return an answer as it is sent. What follows from others is computed on the day of submission."""
    given = one.given
    return {
        "question": one.question.link_id,
        "text": one.question.text,
        "value": one.value,
        "source": given.source.value if given else Source.COMPUTED.value,
        "answered_on": given.answered_on.isoformat() if given else None,
        "confirmed_on": given.confirmed_on.isoformat() if given and given.confirmed_on else None,
        "confirmed_by": names.get(given.confirmed_by, "") if given and given.confirmed_by else "",
        "is_stale": one.is_stale,
    }


def _line(line: RequestedLine) -> dict[str, Any]:
    return {
        "line": line.line,
        "rxcui": line.rxcui,
        "product_name": line.product_name,
        "quantity": _amount(line.quantity),
        "days_supply": line.days_supply,
        "daily_units": _amount(line.daily_units),
        "refills": line.refills,
        "starts_on": line.starts_on.isoformat(),
        "ends_on": line.ends_on.isoformat(),
    }


def _amount(quantity: Decimal | None) -> str | None:
    return None if quantity is None else plain(quantity)


def _evaluation(evaluation: Evaluation) -> dict[str, Any]:
    """Return by what the answer of the rule can be found and computed again."""
    return {
        "id": str(evaluation.public_id),
        "as_of": evaluation.as_of.isoformat(),
        "rule_version": evaluation.rule_version,
        "formulary_version": evaluation.formulary_version,
        "inputs_sha256": evaluation.inputs_sha256,
        "is_required": evaluation.is_required,
    }


def _attached(sheet: AnswerSheet | None) -> list[Attachment]:
    return list(documentation.attachments(sheet).filter(removed_at=None)) if sheet else []


def _attachment(row: Attachment) -> dict[str, Any]:
    return {
        "id": str(row.public_id),
        "number": row.number,
        "title": row.title,
        "media_type": row.file.media_type,
        "byte_count": row.file.byte_count,
        "page_count": row.file.page_count,
        "sha256": row.file.sha256,
        "shows": row.shows,
        "part2": row.is_part2,
    }
