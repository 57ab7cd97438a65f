"""PURE: what a questionnaire is: sections of questions, when each applies, and what is wrong with an answer."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from authz.documentation.conditions import ALWAYS, Condition, JsonValue

_ICD10 = re.compile(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?")
_LONGEST: Final = 4000
_LONGEST_LINE: Final = 500
_MOST_ROWS: Final = 20
_MOST_DIGITS, _MOST_PLACES = 12, 4


class Kind(StrEnum):
    """What answers a question. An open choice is one of its options, or words of one's own."""

    TEXT = "text"
    STRING = "string"
    CHOICE = "choice"
    CHOICES = "choices"
    OPEN_CHOICE = "open-choice"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    ICD10 = "icd10"
    GROUP = "group"
    ATTACHMENT = "attachment"


class Source(StrEnum):
    """Where an answer came from. One that no person gave counts only once a person has confirmed it."""

    CHART = "chart"
    STAFF = "staff"
    PRESCRIBER = "prescriber"
    PRIOR_REQUEST = "prior_request"
    COMPUTED = "computed"
    PAYER = "payer"


@dataclass(frozen=True, slots=True)
class Caution:
    """A sentence for whoever answers, while its condition holds. It stops nobody."""

    when: Condition
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question; inside a group, one column of it.

    `required_when` says when it applies; whether a payer needs it then is in that payer's requirements.
    `only_prescriber` marks an attestation: nobody else may give that answer.
    `is_computed`: it is read off the records, and a person can only confirm it.
    `derived` names how it follows from other answers; nobody gives it.
    `carried`: an earlier request's answer is offered again.
    `private`: it is never sent to an insurer.
    `shape` names a form that a text must have: a key of `SHAPES`.
    `prefill_from` and `source` say in words where a value and the question itself come from.
    """

    link_id: str
    text: str
    type: Kind
    section: str = ""
    options: tuple[str, ...] = ()
    alone: str = ""
    least: Decimal | None = None
    most: Decimal | None = None
    min_length: int = 1
    not_after_today: bool = False
    must_be_true: bool = False
    shape: str = ""
    only_prescriber: bool = False
    is_computed: bool = False
    derived: str = ""
    carried: bool = True
    private: bool = False
    is_needed_in_row: bool = False
    required_when: Condition = ALWAYS
    warnings: tuple[Caution, ...] = ()
    columns: tuple["Question", ...] = ()
    prefill_from: str = ""
    source: str = ""
    note: str = ""

    @property
    def is_given(self) -> bool:
        """Whether a person answers or confirms it here."""
        return not self.derived and self.type is not Kind.ATTACHMENT

    def fault(self, value: JsonValue, *, on: date) -> str:
        """Return what is wrong with an answer given on a day, in one sentence; empty when nothing is."""
        return _FAULTS[self.type](self, value, on)

    def kept(self, value: JsonValue) -> JsonValue:
        """Return an answer without fault as it is kept: an exact number as its text."""
        if self.type is Kind.DECIMAL:
            return f"{Decimal(str(value)):f}"
        if self.type is Kind.GROUP and isinstance(value, list):
            return [self._kept_row(row) if isinstance(row, dict) else row for row in value]
        return value

    def _kept_row(self, row: Mapping[str, JsonValue]) -> JsonValue:
        columns = {column.link_id: column for column in self.columns}
        return {name: columns[name].kept(cell) for name, cell in row.items()}


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Questionnaire:
    """`questions` stand as they are asked; `order` is one in which each follows those it depends on."""

    code: str
    version: str
    title: str
    sections: tuple[Section, ...] = ()
    questions: tuple[Question, ...]
    order: tuple[Question, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the code and version under which answers are kept."""
        return f"{self.code}-{self.version}"

    def question(self, link_id: str) -> Question | None:
        """Return the question of that id, None when there is no such question."""
        return next((question for question in self.questions if question.link_id == link_id), None)


# -- forms that a text can have ----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Shape:
    fits: Callable[[str], bool]
    fault: str


def _is_dea_number(text: str) -> bool:
    """Say whether it is two letters (the second may be a 9) and seven digits, the last of which checks the others."""
    if not re.fullmatch(r"[A-Z][A-Z9][0-9]{7}", text):
        return False
    digits = [int(digit) for digit in text[2:]]
    return (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[6]


SHAPES: Final[Mapping[str, Shape]] = {
    "dea": Shape(_is_dea_number, "Not a DEA number: two letters and seven digits, the last of which is a check digit."),
}


# -- what is wrong with an answer, by kind ----------------------------------------------------------------------------
def _text_fault(question: Question, value: JsonValue, _on: date) -> str:
    most = _LONGEST if question.type is Kind.TEXT else _LONGEST_LINE
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        return f"A text of at most {most} characters is needed."
    if question.type is not Kind.TEXT and not value.isprintable():
        return "One line is needed, without control characters."
    if len(value.strip()) < question.min_length:
        return f"At least {question.min_length} characters are needed."
    return "" if not question.shape or SHAPES[question.shape].fits(value) else SHAPES[question.shape].fault


def _choice_fault(question: Question, value: JsonValue, _on: date) -> str:
    is_one = isinstance(value, str) and value in question.options
    return "" if is_one else f"Choose one of: {', '.join(question.options)}."


def _choices_fault(question: Question, value: JsonValue, _on: date) -> str:
    if not isinstance(value, list) or not value or not all(one in question.options for one in value):
        return f"Choose one or more of: {', '.join(question.options)}."
    if len({str(one) for one in value}) < len(value):
        return "Choose each only once."
    return f"Choose {question.alone} alone, or others." if question.alone in value and len(value) > 1 else ""


def _boolean_fault(question: Question, value: JsonValue, _on: date) -> str:
    if not isinstance(value, bool):
        return "Answer true or false."
    return "This must be true before the request can be submitted." if question.must_be_true and not value else ""


def _integer_fault(question: Question, value: JsonValue, _on: date) -> str:
    if type(value) is not int:
        return "A whole number is needed."
    return _bounds_fault(question, Decimal(value))


def _decimal_fault(question: Question, value: JsonValue, _on: date) -> str:
    number = _exact(value)
    if number is None:
        return f"An exact number is needed, such as 12.5, with at most {_MOST_PLACES} decimals."
    return _bounds_fault(question, number)


def _exact(value: object) -> Decimal | None:
    """Return a number that is exact as written; None when it is none, or has more digits than we keep."""
    if not isinstance(value, str | Decimal) and type(value) is not int:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) >= _MOST_DIGITS - _MOST_PLACES:
        return None
    return number if number == round(number, _MOST_PLACES) else None


def _bounds_fault(question: Question, number: Decimal) -> str:
    least, most = question.least, question.most
    if (least is None or number >= least) and (most is None or number <= most):
        return ""
    if least is not None and most is not None:
        return f"It must be from {least} to {most}."
    return f"It must be at least {least}." if least is not None else f"It must be at most {most}."


def _date_fault(question: Question, value: JsonValue, on: date) -> str:
    day = as_day(value)
    if day is None:
        return "Give a day as YYYY-MM-DD."
    if question.not_after_today and day > on:
        return f"It must not be after today, {on}."
    return "" if 1900 <= day.year <= 2200 else "Give a day between 1900 and 2200."


def as_day(value: JsonValue) -> date | None:
    """Return the day that a value writes as YYYY-MM-DD, None when it writes none."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return day if day is not None and day.isoformat() == value else None


def _icd10_fault(_question: Question, value: JsonValue, _on: date) -> str:
    is_code = isinstance(value, str) and _ICD10.fullmatch(value)
    return "" if is_code else "Give an ICD-10-CM code, such as M54.50."


def _group_fault(question: Question, value: JsonValue, on: date) -> str:
    if not isinstance(value, list) or len(value) > _MOST_ROWS or not all(isinstance(row, dict) for row in value):
        return f"A list of at most {_MOST_ROWS} rows is needed; an empty one says that there are none."
    for number, row in enumerate(value, start=1):
        if isinstance(row, dict) and (fault := _row_fault(question, row, on)):
            return f"Row {number}, {fault}"
    return ""


def _row_fault(question: Question, row: Mapping[str, JsonValue], on: date) -> str:
    columns = {column.link_id: column for column in question.columns}
    for name in row:
        if name not in columns:
            return f"{name[:60]}: There is no such column."
    for name, column in columns.items():
        if name in row and (fault := column.fault(row[name], on=on)):
            return f"{name}: {fault}"
        if name not in row and column.is_needed_in_row:
            return f"{name}: Answer this."
    return ""


def _attachment_fault(_question: Question, _value: JsonValue, _on: date) -> str:
    return "Attach a document instead."


_FAULTS: Final[Mapping[Kind, Callable[[Question, JsonValue, date], str]]] = {
    Kind.TEXT: _text_fault,
    Kind.STRING: _text_fault,
    Kind.OPEN_CHOICE: _text_fault,
    Kind.CHOICE: _choice_fault,
    Kind.CHOICES: _choices_fault,
    Kind.BOOLEAN: _boolean_fault,
    Kind.INTEGER: _integer_fault,
    Kind.DECIMAL: _decimal_fault,
    Kind.DATE: _date_fault,
    Kind.ICD10: _icd10_fault,
    Kind.GROUP: _group_fault,
    Kind.ATTACHMENT: _attachment_fault,
}
