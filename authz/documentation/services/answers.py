"""Answers, with their source: every write."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A value that the service fills in: computed now, or recorded in the chart at an instant."""

    value: JsonValue
    charted_at: datetime | None = None

    def row(self, sheet: AnswerSheet, question: str, *, now: datetime) -> Answer:
        """Return the answer that nobody has confirmed yet."""
        source = Source.CHART if self.charted_at else Source.COMPUTED
        answered_at = self.charted_at or now
        return Answer(sheet=sheet, question=question, value=self.value, source=source.value, answered_at=answered_at)


_FILLED_IN: Final = frozenset({Source.COMPUTED.value, Source.CHART.value})


def start_sheet(
    *, prefill: Mapping[str, Known], earlier: Iterable[Answer] = (), on: date, now: datetime
) -> AnswerSheet:
    """Start the answers to today's questionnaire, with values that a person has still to confirm.

    `prefill` is what the service knows; `earlier` are answers the same clinic confirmed for the same patient before,
    the latest last. Where both know something, what is known today stands. `on` is the day in the clinic's calendar.
    """
    asked = catalog.questionnaire(catalog.CURRENT)
    sheet = AnswerSheet.objects.create(questionnaire=asked.name, started_at=now)
    said = {row.question: row for row in earlier if _is_carried(asked.question(row.question), row.value, on)}
    rows = {name: _again(row, sheet) for name, row in said.items()}
    rows |= {name: one.row(sheet, name, now=now) for name, one in prefill.items() if asked.question(name) is not None}
    Answer.objects.bulk_create(rows.values())
    return sheet


def _again(row: Answer, sheet: AnswerSheet) -> Answer:
    source = Source.PRIOR_REQUEST.value
    return Answer(sheet=sheet, question=row.question, value=row.value, source=source, answered_at=row.answered_at)


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
    said = {name: value for name, value in kept.items() if value is not None}
    sheet.answers.filter(question__in=kept.keys() - said.keys()).delete()
    there = {row.question: row for row in sheet.answers.filter(question__in=said) if source is None}
    origin = source or (Source.PRESCRIBER if Role.PRESCRIBER in by.roles else Source.STAFF)
    rows = [_answered(sheet, name, value, there.get(name), origin, now) for name, value in said.items()]
    for row in rows:
        row.confirmed_by_id, row.confirmed_at = by.person_id, now
    _put(rows)


def _answered(
    sheet: AnswerSheet, name: str, value: JsonValue, before: Answer | None, origin: Source, now: datetime
) -> Answer:
    """Return one answer. Who confirms a value that was there leaves its source and its day."""
    source, answered_at = origin.value, now
    if before is not None and before.value == value:
        source, answered_at = before.source, before.answered_at
    return Answer(sheet=sheet, question=name, value=value, source=source, answered_at=answered_at)


def _put(rows: Iterable[Answer]) -> None:
    """Write answers, each in the place of what was there; the request of their sheet is locked."""
    fields = ["value", "source", "answered_at", "confirmed_by", "confirmed_at"]
    Answer.objects.bulk_create(rows, update_conflicts=True, unique_fields=["sheet", "question"], update_fields=fields)


def refresh(*, sheet: AnswerSheet, prefill: Mapping[str, Known], now: datetime) -> None:
    """Bring what was filled in up to date. What changed must be confirmed again, and what was attested on it too.

    A suggestion that a person has confirmed or changed is theirs and stays.
    """
    asked = catalog.questionnaire(sheet.questionnaire)
    computed = {question.link_id for question in asked.questions if question.is_computed}
    rows = {row.question: row for row in sheet.answers.all()}
    gone = {name for name in computed if name in rows and name not in prefill}
    news = {name: one for name, one in prefill.items() if name not in rows or rows[name].value != one.value}
    changed = computed & news.keys()
    suggested = {name for name in news.keys() & rows.keys() if _is_filled_in(rows[name])}
    sheet.answers.filter(question__in=gone).delete()
    _put([news[name].row(sheet, name, now=now) for name in sorted(changed | suggested)])
    if changed or gone:
        _ask_again(sheet, attestations(asked))


def _is_filled_in(row: Answer) -> bool:
    return row.source in _FILLED_IN and row.confirmed_at is None


def attestations(asked: Questionnaire) -> set[str]:
    """Return the questions only the prescriber answers."""
    return {question.link_id for question in asked.questions if question.only_prescriber}


def _ask_again(sheet: AnswerSheet, questions: set[str]) -> None:
    sheet.answers.filter(question__in=questions).update(confirmed_by=None, confirmed_at=None)


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
