"""PURE: questionnaires as versioned data, and what is wrong with an answer."""

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources

JsonValue = str | bool | int | float | None | list["JsonValue"] | dict[str, "JsonValue"]

_ICD10 = re.compile(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?")
_LONGEST = 4000


class Kind(StrEnum):
    TEXT = "text"
    CHOICE = "choice"
    BOOLEAN = "boolean"
    DATE = "date"
    ICD10 = "icd10"


class Source(StrEnum):
    """Where an answer came from. A computed one counts only once a person has confirmed it."""

    STAFF = "staff"
    PRESCRIBER = "prescriber"
    COMPUTED = "computed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`only_prescriber` marks an attestation: nobody else may give that answer."""

    link_id: str
    text: str
    type: Kind
    options: tuple[str, ...] = ()
    min_length: int = 1
    must_be_true: bool = False
    only_prescriber: bool = False

    def fault(self, value: JsonValue) -> str:
        """Return what is wrong with an answer, in one sentence; empty when nothing is."""
        if self.type is Kind.BOOLEAN:
            return self._boolean_fault(value)
        if not isinstance(value, str) or len(value) > _LONGEST or "\0" in value:
            return f"A text of at most {_LONGEST} characters is needed."
        return self._text_fault(value)

    def _boolean_fault(self, value: JsonValue) -> str:
        if not isinstance(value, bool):
            return "Answer true or false."
        return "This must be true before the request can be submitted." if self.must_be_true and not value else ""

    def _text_fault(self, value: str) -> str:
        if self.type is Kind.CHOICE and value not in self.options:
            return f"Choose one of: {', '.join(self.options)}."
        if self.type is Kind.ICD10 and not _ICD10.fullmatch(value):
            return "Give an ICD-10-CM code, such as M54.50."
        if self.type is Kind.DATE and not _is_date(value):
            return "Give a day as YYYY-MM-DD."
        return f"At least {self.min_length} characters are needed." if len(value.strip()) < self.min_length else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questionnaire:
    code: str
    version: str
    title: str
    questions: tuple[Question, ...]

    @property
    def name(self) -> str:
        """Return the code and version under which answers are kept."""
        return f"{self.code}-{self.version}"

    def question(self, link_id: str) -> Question | None:
        """Return the question of that id, None when there is no such question."""
        return next((question for question in self.questions if question.link_id == link_id), None)

    def unanswered(self, confirmed: Collection[str]) -> list[Question]:
        """Return the questions without a confirmed answer, in order. Every question is required."""
        return [question for question in self.questions if question.link_id not in confirmed]


@cache
def questionnaire(code: str) -> Questionnaire:
    """Return the questionnaire of that code that is asked now.

    :raises FileNotFoundError: when the product ships none of that code.
    """
    text = resources.files("authz.documentation").joinpath("questionnaires", f"{code}.toml").read_text("utf-8")
    facts = tomllib.loads(text)
    questions = tuple(
        Question(**(row | {"type": Kind(row["type"]), "options": tuple(row.get("options", ()))}))
        for row in facts["question"]
    )
    return Questionnaire(code=facts["code"], version=facts["version"], title=facts["title"], questions=questions)


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
