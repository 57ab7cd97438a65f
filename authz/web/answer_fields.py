"""The form field that answers one question, and what was chosen or typed in it as the questionnaire keeps it."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms

from authz.documentation.conditions import JsonValue
from authz.documentation.questionnaire import Kind, Question
from authz.prior_auths.answer_words import label
from authz.web.forms import long_text

CONFIRM: Final = "confirm."
SEEN: Final = "seen."
NONE: Final = "none"
_ROWS: Final = 3
_SPARE_ROWS: Final = 2
_LONGEST: Final = 4000
_YES_OR_NO: Final = ("yes", "no")


def field_for(question: Question, value: JsonValue = None) -> forms.Field:
    """Return the field of one question, with the value known so far."""
    field = forms.BooleanField() if question.must_be_true else _FIELDS[question.type](question)
    field.label, field.required = question.text, False
    field.initial = _initial(value, question)
    return field


def value_of(question: Question, cleaned: Any) -> JsonValue:
    """Return what was chosen or typed; None for nothing. What is no number stays as it was typed, to be refused."""
    if question.must_be_true:
        return True if cleaned else None
    if cleaned in ("", None, []):
        return None
    if question.type is Kind.BOOLEAN and cleaned in _YES_OR_NO:
        return bool(cleaned == "yes")
    if question.type is Kind.INTEGER and cleaned.isascii() and cleaned.isdecimal() and len(cleaned) < 10:
        return int(cleaned)
    kept: JsonValue = cleaned
    return kept


def _initial(value: JsonValue, question: Question) -> object:
    if isinstance(value, bool) and not question.must_be_true:
        return "yes" if value else "no"
    return value


# -- questions that are answered by rows -------------------------------------------------------------------------------
def row_fields(question: Question, value: JsonValue) -> dict[str, forms.Field]:
    """Return the fields of a fixed number of rows, and a tick that says that there is nothing to tell."""
    known = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    fields: dict[str, forms.Field] = {}
    for number in range(max(_ROWS, len(known) + _SPARE_ROWS)):
        row = known[number] if number < len(known) else {}
        for column in question.columns:
            field = field_for(column, row.get(column.link_id))
            field.label = f"{number + 1}. {column.text}"
            fields[_cell(question, number, column)] = field
    none = forms.BooleanField(label="None", required=False, initial=value == [])
    return {**fields, f"{question.link_id}.{NONE}": none}


def rows_of(question: Question, cleaned: Mapping[str, Any]) -> JsonValue:
    """Return the rows that say something; an empty list when it is ticked that there are none, and None for nothing."""
    rows: list[JsonValue] = []
    number = 0
    while _cell(question, number, question.columns[0]) in cleaned:
        cells = {c.link_id: value_of(c, cleaned[_cell(question, number, c)]) for c in question.columns}
        row: dict[str, JsonValue] = {name: value for name, value in cells.items() if value is not None}
        if row:
            rows.append(row)
        number += 1
    return rows if rows or cleaned.get(f"{question.link_id}.{NONE}") else None


def _cell(question: Question, number: int, column: Question) -> str:
    return f"{question.link_id}.{number}.{column.link_id}"


# -- one field for each kind -------------------------------------------------------------------------------------------
def _text_field(question: Question) -> forms.Field:
    least = f"At least {question.min_length} characters." if question.min_length > 1 else ""
    return long_text(question.text, most=_LONGEST, hint=least, rows=3)


def _line_field(question: Question) -> forms.Field:
    hint = f"Such as: {', '.join(question.options)}." if question.options else ""
    return forms.CharField(help_text=hint, widget=forms.TextInput({"autocomplete": "off"}))


def _choice_field(question: Question) -> forms.Field:
    return forms.ChoiceField(choices=[("", "Choose…"), *_options(question)])


def _choices_field(question: Question) -> forms.Field:
    return forms.MultipleChoiceField(choices=_options(question), widget=forms.CheckboxSelectMultiple)


def _options(question: Question) -> list[tuple[str, str]]:
    return [(option, label(option)) for option in question.options]


def _boolean_field(_question: Question) -> forms.Field:
    return forms.ChoiceField(choices=[("yes", "Yes"), ("no", "No")], widget=forms.RadioSelect)


def _number_field(question: Question) -> forms.Field:
    bounds = question.least, question.most
    hint = f"From {bounds[0]} to {bounds[1]}." if None not in bounds else ""
    mode = "numeric" if question.type is Kind.INTEGER else "decimal"
    widget = forms.TextInput({"inputmode": mode, "autocomplete": "off", "class": "short"})
    return forms.CharField(help_text=hint, max_length=20, widget=widget)


def _date_field(_question: Question) -> forms.Field:
    return forms.CharField(widget=forms.DateInput({"type": "date"}))


def _code_field(_question: Question) -> forms.Field:
    widget = forms.TextInput({"autocomplete": "off", "spellcheck": "false", "class": "short"})
    return forms.CharField(help_text="Such as M54.50.", max_length=10, widget=widget)


_FIELDS: Final = {
    Kind.TEXT: _text_field,
    Kind.STRING: _line_field,
    Kind.OPEN_CHOICE: _line_field,
    Kind.CHOICE: _choice_field,
    Kind.CHOICES: _choices_field,
    Kind.BOOLEAN: _boolean_field,
    Kind.INTEGER: _number_field,
    Kind.DECIMAL: _number_field,
    Kind.DATE: _date_field,
    Kind.ICD10: _code_field,
}
