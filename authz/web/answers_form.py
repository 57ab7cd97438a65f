"""The questionnaire as a form: answers to give, and prefilled ones to confirm."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms

from authz.documentation.models import Answer
from authz.documentation.questionnaire import JsonValue, Kind, Question, Source, questionnaire
from authz.documentation.services import CODE
from authz.prior_auths.models import PriorAuth
from authz.web import words
from authz.web.forms import PlainForm, long_text

_YES_OR_NO = ("yes", "no")
_LONGEST = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One question with its answer in words; `confirmed_at` is None while nobody stands behind it."""

    link_id: str
    question: str
    value: str
    source: str
    confirmed_at: datetime | None


def given(prior_auth: PriorAuth) -> dict[str, Answer]:
    """Return the answers given so far, by question."""
    sheet = prior_auth.answers
    return {answer.question: answer for answer in sheet.answers.all()} if sheet else {}


def answered(prior_auth: PriorAuth) -> list[Answered]:
    """Return every question with the answer given so far; nothing before the request is taken up."""
    if prior_auth.answers is None:
        return []
    known = given(prior_auth)
    return [_answered(question, known.get(question.link_id)) for question in questionnaire(CODE).questions]


def submitted(prior_auth: PriorAuth) -> list[Answered]:
    """Return the answers the insurer received, as they were frozen."""
    packet = prior_auth.packet or {"answers": []}
    asked = [question.link_id for question in questionnaire(CODE).questions]
    found = [_submitted(row, prior_auth.submitted_at) for row in packet["answers"]]
    return sorted(found, key=lambda one: asked.index(one.link_id) if one.link_id in asked else len(asked))


def _submitted(row: Mapping[str, Any], at: datetime | None) -> Answered:
    question = questionnaire(CODE).question(row["question"])
    return Answered(
        link_id=row["question"],
        question=question.text if question else row["question"],
        value=in_words(row["value"]),
        source=words.SOURCE[Source(row["source"])],
        confirmed_at=at,
    )


def in_words(value: JsonValue) -> str:
    """Return an answer's value as a person reads it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value)


def _answered(question: Question, answer: Answer | None) -> Answered:
    return Answered(
        link_id=question.link_id,
        question=question.text,
        value=in_words(answer.value) if answer else "",
        source=words.SOURCE[Source(answer.source)] if answer else "",
        confirmed_at=answer.confirmed_at if answer else None,
    )


class AnswersForm(PlainForm):
    """A field for each of the questions. A prefilled value is sent only once it is confirmed or changed."""

    prefix_of_errors = "answers."

    def __init__(
        self, questions: Iterable[Question], known: Mapping[str, Answer], posted: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(posted, auto_id="answers-%s", label_suffix="")
        self._known = known
        self._questions = {question.link_id: question for question in questions}
        for question in self._questions.values():
            answer = known.get(question.link_id)
            self.fields[question.link_id] = field_for(question, answer)
            if answer and not answer.confirmed_at:
                self.fields[_confirm(question.link_id)] = forms.BooleanField(
                    label="I have checked this and confirm it", required=False
                )

    def answers(self) -> dict[str, JsonValue]:
        """Return the answers to give or confirm; those left alone are not among them."""
        values = {name: value_of(question, self.cleaned_data[name]) for name, question in self._questions.items()}
        return {name: value for name, value in values.items() if self._is_said(name, value)}

    def _is_said(self, name: str, value: JsonValue) -> bool:
        known = self._known.get(name)
        if known is not None:
            return value != known.value or bool(self.cleaned_data.get(_confirm(name)))
        is_unticked = value is False and self._questions[name].must_be_true
        return value != "" and not is_unticked


_CONFIRM = "confirm."


def _confirm(link_id: str) -> str:
    return f"{_CONFIRM}{link_id}"


def value_of(question: Question, cleaned: JsonValue) -> JsonValue:
    """Return what was chosen or typed as the questionnaire keeps it."""
    if question.type is Kind.BOOLEAN and cleaned in _YES_OR_NO:
        return cleaned == "yes"
    return cleaned


def field_for(question: Question, answer: Answer | None = None) -> forms.Field:
    """Return the field of one question, with what is known and where it came from."""
    field = _FIELDS[question.type](question)
    if question.must_be_true:
        field = forms.BooleanField()
    field.label, field.required = question.text, False
    if answer is not None:
        field.initial = _initial(answer.value, question)
        field.help_text = f"{field.help_text} {_origin(answer)}".strip()
    return field


def _initial(value: JsonValue, question: Question) -> object:
    if isinstance(value, bool) and not question.must_be_true:
        return "yes" if value else "no"
    return value


def _origin(answer: Answer) -> str:
    source = words.SOURCE[Source(answer.source)]
    if answer.confirmed_at:
        return f"Source: {source}; confirmed."
    return f"Source: {source}; not confirmed yet. Tick the box below, or change it."


def _text_field(question: Question) -> forms.Field:
    least = f"At least {question.min_length} characters." if question.min_length > 1 else ""
    return long_text(question.text, most=_LONGEST, hint=least, rows=4)


def _choice_field(question: Question) -> forms.Field:
    options = [(option, option.capitalize()) for option in question.options]
    return forms.ChoiceField(choices=[("", "Choose…"), *options])


def _boolean_field(question: Question) -> forms.Field:
    return forms.ChoiceField(choices=[("yes", "Yes"), ("no", "No")], widget=forms.RadioSelect)


def _date_field(question: Question) -> forms.Field:
    return forms.CharField(widget=forms.DateInput({"type": "date"}))


def _code_field(question: Question) -> forms.Field:
    widget = forms.TextInput({"autocomplete": "off", "spellcheck": "false", "class": "short"})
    return forms.CharField(help_text="Such as M54.50.", max_length=10, widget=widget)


_FIELDS = {
    Kind.TEXT: _text_field,
    Kind.CHOICE: _choice_field,
    Kind.BOOLEAN: _boolean_field,
    Kind.DATE: _date_field,
    Kind.ICD10: _code_field,
}
