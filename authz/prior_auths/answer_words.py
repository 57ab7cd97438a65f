"""PURE: an answer's value as a person reads it, on pages and on paper."""

from authz.documentation.conditions import JsonValue
from authz.documentation.questionnaire import Question


def in_words(value: JsonValue, question: Question | None = None) -> str:
    """Return a value in words; of a list one row a line. With its question, choices and columns go by their labels."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return "\n".join(in_words(one, question) for one in value) or "None"
    if isinstance(value, dict):
        columns = {column.link_id: column for column in question.columns} if question else {}
        return ", ".join(_cell(name, one, columns.get(name)) for name, one in value.items())
    if question is not None and value in question.options:
        return label(str(value))
    return "" if value is None else str(value)


def label(option: str) -> str:
    """Return an option in words where it is written as words of a program."""
    said = option.replace("_", " ")
    return said[:1].upper() + said[1:]


def _cell(name: str, value: JsonValue, column: Question | None) -> str:
    return f"{column.text if column else name}: {in_words(value, column)}"
