"""Answers, with their source: every write."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from authz.access.roles import Actor, Role
from authz.documentation import catalog
from authz.documentation.conditions import JsonValue
from authz.documentation.models import Answer, AnswerSheet
from authz.documentation.questionnaire import Question, Questionnaire, Source
from authz.documentation.standing import Given, Sheet, standing
from authz.errors import AuthzError, InvalidInput


class PersonNeeded(AuthzError):
    """An answer counts only when a person stands behind it; a machine has none."""

    code = "person-needed"


def start_sheet(
    *, prefill: Mapping[str, JsonValue], earlier: Iterable[Answer] = (), on: date, now: datetime
) -> AnswerSheet:
    """Start the answers to today's questionnaire, with values that a person has still to confirm.

    `prefill` is what the service computed; `earlier` are answers the same clinic confirmed for the same patient before,
    the latest last. Where both know something, what is computed today stands. `on` is the day in the clinic's calendar.
    """
    asked = catalog.questionnaire(catalog.CURRENT)
    sheet = AnswerSheet.objects.create(questionnaire=asked.name, started_at=now)
    rows = {row.question: Answer(value=row.value, source=_PRIOR, answered_at=row.answered_at) for row in earlier}
    rows = {name: row for name, row in rows.items() if _is_carried(asked.question(name), row.value, on)}
    rows |= {
        name: Answer(value=value, source=_COMPUTED, answered_at=now)
        for name, value in prefill.items()
        if asked.question(name) is not None
    }
    for name, row in rows.items():
        row.sheet, row.question = sheet, name
        row.save(force_insert=True)
    return sheet


_PRIOR, _COMPUTED = Source.PRIOR_REQUEST.value, Source.COMPUTED.value


def _is_carried(question: Question | None, value: JsonValue, on: date) -> bool:
    """Say whether an earlier answer is offered again: only where it is still an answer to the same question."""
    if question is None or not question.carried or question.is_computed or not question.is_given:
        return False
    return not question.fault(value, on=on)


def answer(
    *,
    sheet: AnswerSheet,
    known: Sheet,
    values: Mapping[str, JsonValue],
    source: Source | None = None,
    may_attest: bool,
    by: Actor,
    now: datetime,
) -> None:
    """Give, confirm or (with None) take back answers, by question id. All of them are taken, or none.

    `known` is where the sheet stands; `source` says where the person took new answers from, by default from
    themselves. `may_attest` says whether the prescriber's own answers are this person's to give. They hold for what
    they were given on: a changed answer asks for them again.

    :raises PersonNeeded: when the actor is a machine.
    :raises InvalidInput: naming every answer that is wrong, unknown, asked of nobody, or not this person's to give.
    """
    if by.person_id is None:
        raise PersonNeeded("Only a person can answer or confirm.")
    asked = known.questionnaire
    faults = {name: _fault(known, name, value, may_attest=may_attest) for name, value in values.items()}
    if not any(faults.values()):
        faults = _faults_of_what_applies_not(known, values)
    if any(faults.values()):
        raise InvalidInput({f"answers.{name}": [fault] for name, fault in faults.items() if fault})
    kept = {name: _kept(asked, name, value) for name, value in values.items()}
    if any(kept[name] != _value(known, name) for name in kept):
        _ask_again(sheet, attestations(asked))
    origin = source or (Source.PRESCRIBER if Role.PRESCRIBER in by.roles else Source.STAFF)
    for name, value in kept.items():
        _keep(sheet, name, value, origin, is_said=source is not None, person_id=by.person_id, now=now)


def refresh(*, sheet: AnswerSheet, prefill: Mapping[str, JsonValue], now: datetime) -> None:
    """Bring what was computed up to date. What changed must be confirmed again, and what was attested on it too.

    A suggestion that a person has confirmed or changed is theirs and stays.
    """
    asked = catalog.questionnaire(sheet.questionnaire)
    computed = {question.link_id for question in asked.questions if question.is_computed}
    rows = {row.question: row for row in sheet.answers.all()}
    changed = {name for name in computed if name in prefill and (name not in rows or rows[name].value != prefill[name])}
    gone = {name for name in computed if name in rows and name not in prefill}
    suggested = {
        name
        for name, row in rows.items()
        if row.source == _COMPUTED and row.confirmed_at is None and row.value != prefill.get(name, row.value)
    }
    sheet.answers.filter(question__in=gone).delete()
    for name in changed | suggested:
        fresh = {"value": prefill[name], "source": _COMPUTED, "answered_at": now, **_UNCONFIRMED}
        Answer.objects.update_or_create(sheet=sheet, question=name, defaults=fresh)
    if changed or gone:
        _ask_again(sheet, attestations(asked))


_UNCONFIRMED = {"confirmed_by": None, "confirmed_at": None}


def attestations(asked: Questionnaire) -> set[str]:
    """Return the questions only the prescriber answers."""
    return {question.link_id for question in asked.questions if question.only_prescriber}


def _ask_again(sheet: AnswerSheet, questions: set[str]) -> None:
    sheet.answers.filter(question__in=questions).update(**_UNCONFIRMED)


def _fault(known: Sheet, name: str, value: JsonValue, *, may_attest: bool) -> str:
    question = known.questionnaire.question(name)
    if question is None:
        return "There is no such question."
    if question.only_prescriber and not may_attest:
        return "Only the prescriber can answer this."
    if question.derived:
        return "This follows from other answers."
    if question.is_computed:
        is_as_computed = value is not None and value == _value(known, name)
        return "" if is_as_computed else "This is computed: confirm it as it is, or correct the records behind it."
    return "" if value is None and question.is_given else question.fault(value, on=known.on)


def _faults_of_what_applies_not(known: Sheet, values: Mapping[str, JsonValue]) -> dict[str, str]:
    """Return a fault for every answer to a question that does not apply, given all the answers there are then."""
    said = {name: _said(known, name, value) for name, value in values.items() if value is not None}
    rest = {name: given for name, given in known.given.items() if name not in values}
    applying = {one.question.link_id for one in standing(replace(known, given=rest | said))}
    return {name: "" if name in applying else "This question does not apply to the request." for name in said}


def _said(known: Sheet, name: str, value: JsonValue) -> Given:
    kept = _kept(known.questionnaire, name, value)
    return Given(value=kept, source=Source.STAFF, answered_on=known.on, confirmed_on=known.on)


def _kept(asked: Questionnaire, name: str, value: JsonValue) -> JsonValue:
    question = asked.question(name)
    return None if question is None or value is None else question.kept(value)


def _value(known: Sheet, name: str) -> JsonValue:
    given = known.given.get(name)
    return given.value if given else None


def _keep(
    sheet: AnswerSheet, name: str, value: JsonValue, origin: Source, *, is_said: bool, person_id: int, now: datetime
) -> None:
    """Keep one answer. Who confirms a value that was there leaves its source and its day, unless they say another."""
    row = sheet.answers.filter(question=name).first()
    if value is None:
        sheet.answers.filter(question=name).delete()
        return
    confirmed = {"confirmed_by_id": person_id, "confirmed_at": now}
    new = {"value": value, "source": origin.value, "answered_at": now}
    is_same = row is not None and row.value == value and not is_said
    Answer.objects.update_or_create(
        sheet=sheet, question=name, defaults=confirmed if is_same else new | confirmed, create_defaults=new | confirmed
    )
