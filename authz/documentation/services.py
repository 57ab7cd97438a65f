"""Answers, with their source: every write."""

from collections.abc import Mapping
from datetime import datetime

from authz.access.roles import Actor, Role
from authz.documentation.models import Answer, AnswerSheet
from authz.documentation.questionnaire import JsonValue, Question, Questionnaire, Source, questionnaire
from authz.errors import AuthzError, InvalidInput

CODE = "opioid"


class PersonNeeded(AuthzError):
    """An answer counts only when a person stands behind it; a machine has none."""

    code = "person-needed"


def start_sheet(*, prefill: Mapping[str, JsonValue], now: datetime) -> AnswerSheet:
    """Start the answers to today's questionnaire, with computed values a person has still to confirm."""
    sheet = AnswerSheet.objects.create(questionnaire=questionnaire(CODE).name, started_at=now)
    for link_id, value in prefill.items():
        Answer.objects.create(sheet=sheet, question=link_id, value=value, source=Source.COMPUTED.value, answered_at=now)
    return sheet


def answer(*, sheet: AnswerSheet, values: Mapping[str, JsonValue], may_attest: bool, by: Actor, now: datetime) -> None:
    """Give or confirm answers, by question id. All of them are taken, or none.

    `may_attest` says whether the prescriber's own answers are this person's to give. They hold for what they were given
    on: a changed answer asks for them again.

    :raises PersonNeeded: when the actor is a machine.
    :raises InvalidInput: naming every answer that is wrong, unknown, or not this person's to give.
    """
    if by.person_id is None:
        raise PersonNeeded("Only a person can answer or confirm.")
    asked = questionnaire(CODE)
    faults = {
        f"answers.{link_id}": [fault]
        for link_id, value in values.items()
        if (fault := _fault(asked, link_id, value, may_attest=may_attest))
    }
    if faults:
        raise InvalidInput(faults)
    source = Source.PRESCRIBER if Role.PRESCRIBER in by.roles else Source.STAFF
    known = {row.question: row.value for row in sheet.answers.all()}
    if any(link_id not in known or known[link_id] != value for link_id, value in values.items()):
        _ask_again(sheet, attestations(asked))
    for link_id, value in values.items():
        _keep(sheet, link_id, value, source, by.person_id, now)


def refresh(*, sheet: AnswerSheet, prefill: Mapping[str, JsonValue], now: datetime) -> None:
    """Bring computed answers up to date. One that changed must be confirmed again, and what was attested on it too."""
    changed = [row for row in sheet.answers.filter(question__in=prefill) if row.value != prefill[row.question]]
    for row in changed:
        row.value, row.source, row.answered_at = prefill[row.question], Source.COMPUTED.value, now
        row.save(update_fields=["value", "source", "answered_at"])
    if changed:
        _ask_again(sheet, {row.question for row in changed} | attestations(questionnaire(CODE)))


def attestations(asked: Questionnaire) -> set[str]:
    """Return the questions only the prescriber answers."""
    return {question.link_id for question in asked.questions if question.only_prescriber}


def _ask_again(sheet: AnswerSheet, questions: set[str]) -> None:
    sheet.answers.filter(question__in=questions).update(confirmed_by=None, confirmed_at=None)


def unanswered(*, sheet: AnswerSheet) -> list[Question]:
    """Return the questions that still need a person's answer or confirmation."""
    confirmed = set(sheet.answers.filter(confirmed_at__isnull=False).values_list("question", flat=True))
    return questionnaire(CODE).unanswered(confirmed)


def _fault(asked: Questionnaire, link_id: str, value: JsonValue, *, may_attest: bool) -> str:
    question = asked.question(link_id)
    if question is None:
        return "There is no such question."
    if question.only_prescriber and not may_attest:
        return "Only the prescriber can answer this."
    return question.fault(value)


def _keep(sheet: AnswerSheet, link_id: str, value: JsonValue, source: Source, person_id: int, now: datetime) -> None:
    known = sheet.answers.filter(question=link_id).first()
    kept_source = known.source if known is not None and known.value == value else source.value
    Answer.objects.update_or_create(
        sheet=sheet,
        question=link_id,
        defaults={
            "value": value,
            "source": kept_source,
            "answered_at": now,
            "confirmed_by_id": person_id,
            "confirmed_at": now,
        },
    )
