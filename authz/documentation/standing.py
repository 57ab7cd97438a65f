"""PURE: where a sheet of answers stands: which questions apply, which of them a payer needs, what is still to do."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from authz.documentation.conditions import JsonValue, Situation
from authz.documentation.derived import DERIVATIONS
from authz.documentation.questionnaire import Kind, Question, Questionnaire, Source, as_day
from authz.documentation.requirements import Requirements


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer as it is kept; `confirmed_on` is None while nobody stands behind it. Days are the clinic's.

    `confirmed_by` is the key of the person who does.
    """

    value: JsonValue
    source: Source
    answered_on: date
    confirmed_on: date | None = None
    confirmed_by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One question that applies now. `to_do` says in a sentence what it still needs, empty when nothing.

    `is_required`: the payer does not take the request before that is done. Any other question that applies is
    important: it helps the decision and holds nothing up. `value` is also there for what is derived. `fresh_until` is
    the last day on which its confirmation counts; None while there is none, and where it holds for ever. `is_stale`: it
    was confirmed, or is dated, longer ago than the payer's list allows.
    """

    question: Question
    is_required: bool
    given: Given | None
    value: JsonValue
    to_do: str
    warnings: tuple[str, ...]
    fresh_until: date | None
    is_stale: bool

    @property
    def is_missing(self) -> bool:
        """Whether the request cannot be submitted because of it."""
        return self.is_required and bool(self.to_do)

    @property
    def counts(self) -> bool:
        """Whether the answer is one that a person stands behind, or that follows from such answers."""
        return self.value is not None and (self.given is None or self.given.confirmed_on is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that the standing depends on. `requirements` is None where no list speaks of this version: all is required.

    `attached` are the questions that a document was attached for; `on` is the day in the clinic's calendar.
    """

    questionnaire: Questionnaire
    requirements: Requirements | None
    given: Mapping[str, Given]
    attached: Collection[str] = ()
    settings: Collection[str] = ()
    facts: Collection[str] = ()
    on: date

    def is_required(self, question: Question) -> bool:
        """Say whether the payer needs the question answered, if it applies."""
        return self.requirements is None or question.link_id in self.requirements.required


def standing(sheet: Sheet) -> list[Standing]:
    """Return every question that applies now, as they are asked.

    An answer to a question that applies no more decides nothing and is not among them.
    """
    visible: dict[str, JsonValue] = {}
    found = {one.question.link_id: one for one in _in_order(sheet, visible)}
    asked = (question for question in sheet.questionnaire.questions if question.link_id in found)
    return [_warned(found[question.link_id], sheet, visible) for question in asked]


def missing(standings: Sequence[Standing]) -> dict[str, str]:
    """Return what keeps the request from being submitted: a sentence by question."""
    return {one.question.link_id: one.to_do for one in standings if one.is_missing}


def _in_order(sheet: Sheet, visible: dict[str, JsonValue]) -> Iterator[Standing]:
    """Yield the questions that apply, each after those it depends on, and add their answers to those visible."""
    for question in sheet.questionnaire.order:
        is_required = sheet.is_required(question)
        if not question.required_when.holds(_situation(sheet, visible, is_asked=is_required)):
            continue
        given = sheet.given.get(question.link_id) if question.is_given else None
        value = DERIVATIONS[question.derived].of(visible) if question.derived else given.value if given else None
        if value is not None:
            visible[question.link_id] = value
        elif question.derived:
            continue
        to_do = _to_do(question, given, sheet)
        yield Standing(
            question=question,
            is_required=is_required,
            given=given,
            value=value,
            to_do=to_do,
            warnings=(),
            fresh_until=_fresh_until(question, given, sheet),
            is_stale=bool(given and _too_old(question, given, sheet)),
        )


def _situation(sheet: Sheet, visible: Mapping[str, JsonValue], *, is_asked: bool) -> Situation:
    return Situation(answers=visible, settings=sheet.settings, facts=sheet.facts, is_asked=is_asked)


def _warned(one: Standing, sheet: Sheet, visible: Mapping[str, JsonValue]) -> Standing:
    situation = _situation(sheet, visible, is_asked=one.is_required)
    says = tuple(warning.says for warning in one.question.warnings if warning.when.holds(situation))
    return replace(one, warnings=says) if says else one


def _to_do(question: Question, given: Given | None, sheet: Sheet) -> str:
    if question.derived:
        return ""
    if question.type is Kind.ATTACHMENT:
        return "" if question.link_id in sheet.attached else f"Attach: {question.text}"
    if given is None or given.confirmed_on is None:
        return f"Answer or confirm: {question.text}"
    if fault := question.fault(given.value, on=sheet.on):
        return f"{fault} {question.text}"
    return _too_old(question, given, sheet)


def _too_old(question: Question, given: Given, sheet: Sheet) -> str:
    if sheet.requirements is None:
        return ""
    fresh_until = _fresh_until(question, given, sheet)
    if fresh_until is not None and sheet.on > fresh_until:
        return f"Confirm again, it was confirmed on {given.confirmed_on}: {question.text}"
    dated_within = sheet.requirements.dated_within_days.get(question.link_id)
    day = as_day(given.value)
    if dated_within is not None and day is not None and (sheet.on - day).days > dated_within:
        return f"This must not be more than {dated_within} days ago: {question.text}"
    return ""


def _fresh_until(question: Question, given: Given | None, sheet: Sheet) -> date | None:
    within = sheet.requirements.confirmed_within(question.link_id) if sheet.requirements else None
    if given is None or given.confirmed_on is None or within is None:
        return None
    return given.confirmed_on + timedelta(days=within)
