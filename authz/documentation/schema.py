"""PURE: reads a questionnaire or a payer's requirements. All that is wrong with the document is told at once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from authz.documentation.conditions import (
    ALWAYS,
    Asks,
    Condition,
    Named,
    NotACondition,
    condition,
    is_number,
    questions_of,
)
from authz.documentation.derived import DERIVATIONS
from authz.documentation.questionnaire import SHAPES, Caution, Kind, Question, Questionnaire, Section
from authz.documentation.requirements import Requirements
from authz.policies.reading import Reading, join, member

SETTINGS: Final = frozenset({"ort-oud"})
"""What a deployment can switch on: `setting NAME` in a condition."""
FACTS: Final = frozenset({"overlapping-opioids", "two-of-a-kind", "treated-for-oud", "late-review"})
"""What the product can know of a request: `known NAME` in a condition."""

_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")
_VERSION = re.compile(r"[0-9]{1,4}")
_NEEDED = ("link_id", "text", "type")
_SWITCHES = {
    "not_after_today": "not_after_today",
    "must_be_true": "must_be_true",
    "only_prescriber": "only_prescriber",
    "computed": "is_computed",
    "private": "private",
    "needed_in_row": "is_needed_in_row",
}
_TEXTS = ("section", "alone", "shape", "derived", "prefill_from", "source", "note")
_MAY = (
    *_SWITCHES, *_TEXTS, "carried", "options", "least", "most", "min_length", "required_when", "warnings", "columns",
)  # fmt: skip
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL})
_TEXTUAL = frozenset({Kind.TEXT, Kind.STRING, Kind.OPEN_CHOICE, Kind.ICD10})
_LISTS = frozenset({Kind.CHOICES, Kind.GROUP})


def read_questionnaire(document: Mapping[str, Any]) -> Questionnaire:
    """Return the questionnaire that a document holds.

    :raises InvalidInput: naming by path everything that is unknown, missing, contradictory or goes round in a circle.
    """
    reading = Reading()
    table = reading.table(document, "", needed=("code", "version", "title", "question"), may=("section",))
    sections = tuple(_section(reading, path, row) for path, row in reading.rows(table.get("section", []), "section"))
    questions = tuple(_questions(reading, table.get("question", []), "question"))
    _must_be_told_apart(reading, [question.link_id for question in questions], "question")
    ids = {section.id for section in sections}
    for number, question in enumerate(questions):
        if question.section not in ids | {""}:
            reading.refuse(f"question[{number}].section", "There is no such section.")
        _must_make_sense(reading, f"question[{number}]", question, questions)
    order = _order(reading, questions)
    found = Questionnaire(
        code=reading.text(table.get("code", "missing"), "code", _CODE),
        version=reading.text(table.get("version", "missing"), "version", _VERSION),
        title=reading.text(table.get("title", "missing"), "title"),
        sections=sections,
        questions=questions,
        order=order,
    )
    reading.finish()
    return found


def read_requirements(document: Mapping[str, Any], questionnaires: Mapping[str, Questionnaire]) -> Requirements:
    """Return the requirements that a document holds, which speak of one of the questionnaires.

    :raises InvalidInput: naming by path everything that is wrong.
    """
    reading = Reading()
    needed = ("policy", "version", "title", "questionnaire", "source", "confirmed", "required")
    table = reading.table(document, "", needed=needed, may=("confirmed_within_days", "dated_within_days"))
    asked = questionnaires.get(str(table.get("questionnaire")))
    if asked is None:
        reading.refuse("questionnaire", "There is no such questionnaire.")
    ages = _ages(reading, table.get("confirmed_within_days", {}), "confirmed_within_days")
    required = [reading.text(name, path) for path, name in reading.rows(table.get("required", []), "required")]
    dated = _ages(reading, table.get("dated_within_days", {}), "dated_within_days")
    if asked is not None:
        _must_be_asked(reading, "required", required, asked)
        _must_be_asked(reading, "confirmed_within_days", [name for name in ages if name != "default"], asked)
        _must_be_asked(reading, "dated_within_days", dated, asked, kind=Kind.DATE)
    _must_be_told_apart(reading, required, "required")
    found = Requirements(
        policy=reading.text(table.get("policy", "missing"), "policy", _CODE),
        version=reading.text(table.get("version", "missing"), "version", _VERSION),
        title=reading.text(table.get("title", "missing"), "title"),
        questionnaire=str(table.get("questionnaire")),
        source=reading.text(table.get("source", "missing"), "source"),
        confirmed=reading.switch(table.get("confirmed", False), "confirmed"),
        required=frozenset(required),
        confirmed_within_days=ages,
        dated_within_days=dated,
    )
    reading.finish()
    return found


def _ages(reading: Reading, value: object, path: str) -> dict[str, int]:
    found = {name: reading.whole(days, join(path, name)) for name, days in reading.named(value, path)}
    for name, days in found.items():
        if days < 1:
            reading.refuse(join(path, name), "At least one day is needed.")
    return found


def _must_be_asked(
    reading: Reading,
    path: str,
    names: Sequence[str] | Mapping[str, int],
    asked: Questionnaire,
    kind: Kind | None = None,
) -> None:
    for name in names:
        question = asked.question(name)
        if question is None or (kind is not None and question.type is not kind):
            reading.refuse(join(path, name), f"{asked.name} has no such question{f' of kind {kind}' if kind else ''}.")


def _must_be_told_apart(reading: Reading, names: Sequence[str], path: str) -> None:
    for name in sorted({name for name in names if names.count(name) > 1}):
        reading.refuse(path, f"{name} stands there twice.")


def _section(reading: Reading, path: str, row: object) -> Section:
    table = reading.table(row, path, needed=("id", "title"))
    return Section(
        id=reading.text(table.get("id", "missing"), join(path, "id"), _ID),
        title=reading.text(table.get("title", "missing"), join(path, "title")),
    )


def _questions(reading: Reading, rows: object, path: str) -> Iterator[Question]:
    for here, row in reading.rows(rows, path):
        table = reading.table(row, here, needed=_NEEDED, may=_MAY)
        kind = member(Kind, table.get("type"))
        if isinstance(kind, Kind):
            yield _question(reading, here, table, kind)
        else:
            reading.refuse(join(here, "type"), f"Use one of: {', '.join(Kind)}.")


def _question(reading: Reading, path: str, table: Mapping[str, Any], kind: Kind) -> Question:
    said: dict[str, Any] = {
        name: reading.switch(table[key], join(path, key)) for key, name in _SWITCHES.items() if key in table
    }
    said |= {name: reading.text(table[name], join(path, name)) for name in _TEXTS if name in table}
    said |= {name: reading.exact(table[name], join(path, name)) for name in ("least", "most") if name in table}
    options = tuple(reading.text(one, at) for at, one in reading.rows(table.get("options", []), join(path, "options")))
    return Question(
        link_id=reading.text(table.get("link_id", "missing"), join(path, "link_id"), _ID),
        text=reading.text(table.get("text", "missing"), join(path, "text")),
        type=kind,
        options=options,
        min_length=reading.whole(table.get("min_length", 1), join(path, "min_length")),
        carried=reading.switch(table.get("carried", True), join(path, "carried")),
        required_when=_condition(reading, table.get("required_when", "always"), join(path, "required_when")),
        warnings=tuple(_cautions(reading, table.get("warnings", []), join(path, "warnings"))),
        columns=tuple(_questions(reading, table.get("columns", []), join(path, "columns"))),
        **said,
    )


def _condition(reading: Reading, value: object, path: str) -> Condition:
    try:
        return condition(reading.text(value, path))
    except NotACondition as fault:
        reading.refuse(path, str(fault))
        return ALWAYS


def _cautions(reading: Reading, value: object, path: str) -> Iterator[Caution]:
    for here, row in reading.rows(value, path):
        table = reading.table(row, here, needed=("when", "says"))
        says = reading.text(table.get("says", "missing"), join(here, "says"))
        yield Caution(_condition(reading, table.get("when", "always"), join(here, "when")), says)


# -- what fits together ------------------------------------------------------------------------------------------------
def _must_make_sense(reading: Reading, path: str, question: Question, questions: Sequence[Question]) -> None:
    kind, options = question.type, question.options
    faults = {
        "options": bool(options) != (kind in {Kind.CHOICE, Kind.CHOICES}) and kind is not Kind.OPEN_CHOICE,
        "columns": bool(question.columns) != (kind is Kind.GROUP),
        "least": (question.least, question.most) != (None, None) and kind not in _NUMBERS,
        "alone": bool(question.alone) and (kind is not Kind.CHOICES or question.alone not in options),
        "not_after_today": question.not_after_today and kind is not Kind.DATE,
        "must_be_true": question.must_be_true and kind is not Kind.BOOLEAN,
        "shape": bool(question.shape) and (kind is not Kind.STRING or question.shape not in SHAPES),
        "derived": bool(question.derived) and question.derived not in DERIVATIONS,
        "computed": question.is_computed and bool(question.derived),
    }
    for key in (key for key, is_wrong in faults.items() if is_wrong):
        reading.refuse(join(path, key), f"It does not fit a question of kind {kind}.")
    known = {one.link_id: one for one in questions}
    for name in DERIVATIONS[question.derived].needs if question.derived in DERIVATIONS else ():
        if name not in known:
            reading.refuse(join(path, "derived"), f"It needs the question {name}.")
    for asked, where in _conditions_of(question):
        for term in asked.terms():
            if fault := _term_fault(term, known):
                reading.refuse(join(path, where), fault)
    for number, column in enumerate(question.columns):
        here = f"{path}.columns[{number}]"
        if column.type in _LISTS | {Kind.ATTACHMENT} or column.derived or column.is_computed:
            reading.refuse(here, "A column is answered by one value.")
        _must_make_sense(reading, here, column, questions)


def _conditions_of(question: Question) -> Iterator[tuple[Condition, str]]:
    yield question.required_when, "required_when"
    for number, warning in enumerate(question.warnings):
        yield warning.when, f"warnings[{number}].when"


def _term_fault(term: Named | Asks, known: Mapping[str, Question]) -> str:
    """Return what is wrong with one term of a condition, in a sentence; empty when nothing is."""
    if isinstance(term, Named):
        names = SETTINGS if term.kind == "setting" else FACTS
        return "" if term.name in names else f"{term.kind} {term.name}: there is no such name."
    question = known.get(term.question)
    if question is None:
        return f"There is no question {term.question}."
    if term.word in {"answered", "empty"}:
        return "" if term.word == "answered" or question.type in _LISTS else f"{term.question} is no list."
    return _comparison_fault(term, question)


def _comparison_fault(term: Asks, question: Question) -> str:
    kind, name = question.type, term.question
    if term.word == "starts":
        return "" if kind in _TEXTUAL else f"{name} is no text."
    if term.word in {">=", ">", "<=", "<"}:
        is_right = kind in _NUMBERS and is_number(term.values[0])
        return "" if is_right else f"{name} cannot be compared with {term.values[0]}."
    allowed = ("yes", "no") if kind is Kind.BOOLEAN else question.options
    if kind is Kind.OPEN_CHOICE or not allowed:
        return f"{name} has no options to compare with."
    wrong = [value for value in term.values if value not in allowed]
    return f"{name} is never {', '.join(wrong)}." if wrong else ""


def _order(reading: Reading, questions: Sequence[Question]) -> tuple[Question, ...]:
    """Return the questions so that each follows those that decide whether it applies, or what it is."""
    known = {question.link_id: question for question in questions}
    needs = {
        name: {
            *questions_of(question.required_when),
            *(DERIVATIONS[question.derived].needs if question.derived in DERIVATIONS else ()),
        }
        & known.keys()
        for name, question in known.items()
    }
    try:
        return tuple(known[name] for name in TopologicalSorter(needs).static_order())
    except CycleError as circle:
        reading.refuse("question", f"These wait for each other: {', '.join(sorted(set(circle.args[1])))}.")
        return ()
