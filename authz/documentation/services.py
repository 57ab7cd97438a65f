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


def answer(*, sheet: AnswerSheet, values: Mapping[str, JsonValue], by: Actor, now: datetime) -> None:
    """Give or confirm answers, by question id. All of them are taken, or none.

    :raises PersonNeeded: when the actor is a machine.
    :raises InvalidInput: naming every answer that is wrong, unknown, or not this person's to give.
    """
    if by.person_id is None:
        raise PersonNeeded("Only a person can answer or confirm.")
    asked = questionnaire(CODE)
    faults = {
        f"answers.{link_id}": [fault]
        for link_id, value in values.items()
        if (fault := _fault(asked, link_id, value, by))
    }
    if faults:
        raise InvalidInput(faults)
    source = Source.PRESCRIBER if Role.PRESCRIBER in by.roles else Source.STAFF
    for link_id, value in values.items():
        _keep(sheet, link_id, value, source, by.person_id, now)


def unanswered(*, sheet: AnswerSheet) -> list[Question]:
    """Return the questions that still need a person's answer or confirmation."""
    confirmed = set(sheet.answers.filter(confirmed_at__isnull=False).values_list("question", flat=True))
    return questionnaire(CODE).unanswered(confirmed)


def _fault(asked: Questionnaire, link_id: str, value: JsonValue, by: Actor) -> str:
    question = asked.question(link_id)
    if question is None:
        return "There is no such question."
    if question.only_prescriber and Role.PRESCRIBER not in by.roles:
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
