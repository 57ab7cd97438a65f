"""The questionnaire as a form: the questions that apply, by section; answers to give, and prefilled ones to confirm."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms

from authz.documentation import catalog
from authz.documentation.conditions import JsonValue
from authz.documentation.standing import Given, Standing
from authz.prior_auths.answer_seen import AnswerSeen, answer_seen, submitted_answers
from authz.prior_auths.answer_sheet import standing_of
from authz.prior_auths.answer_words import in_words
from authz.prior_auths.models import PriorAuth
from authz.web import words
from authz.web.answer_fields import CONFIRM, SEEN, field_for, row_fields, rows_of, value_of
from authz.web.forms import PlainForm


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One question with its answer in words; `confirmed_on` is None while nobody stands behind it.

    `is_stale`: it is older than the payer asks for.
    """

    link_id: str
    question: str
    value: str
    source: str
    confirmed_on: date | None
    is_stale: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the form: its title, and its questions with their fields."""

    title: str
    questions: Sequence["Asked"]


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of one question. With a `legend` they belong together under it."""

    legend: str
    hint: str
    fields: Sequence[forms.BoundField]


def answered(prior_auth: PriorAuth, *, on: date) -> list[Answered]:
    """Return the questions that apply with the answers given so far; nothing before the request is taken up."""
    return [_answered(answer_seen(one)) for one in standing_of(prior_auth, on=on) if one.value is not None]


def submitted(prior_auth: PriorAuth) -> list[Answered]:
    """Return the answers the insurer received, as they were frozen."""
    return [_answered(one) for one in submitted_answers(prior_auth.packet)] if prior_auth.packet else []


def _answered(seen: AnswerSeen) -> Answered:
    return Answered(
        link_id=seen.question,
        question=seen.text,
        value=seen.in_words,
        source=words.SOURCE[seen.source] if seen.source else "",
        confirmed_on=seen.confirmed_on,
        is_stale=seen.is_stale,
    )


class AnswersForm(PlainForm):
    """Fields for the questions to answer. A prefilled value is sent only once it is confirmed or changed."""

    prefix_of_errors = "answers."

    def __init__(self, standings: Iterable[Standing], posted: Mapping[str, Any] | None = None) -> None:
        super().__init__(posted, auto_id="answers-%s", label_suffix="")
        self._asked = [one for one in standings if _is_to_answer(one)]
        self._fields_of: dict[str, list[str]] = {}
        for one in self._asked:
            fields = _fields(one)
            self.fields |= fields
            self._fields_of[one.question.link_id] = [*fields]

    def questions_shown(self) -> Collection[str]:
        return self._fields_of.keys()

    def sections(self) -> Iterator[Part]:
        """Yield the form section by section."""
        for section, title in _titles(self._asked):
            asked = [one for one in self._asked if one.question.section == section]
            yield Part(title, [self._one(one) for one in asked])

    def _one(self, one: Standing) -> Asked:
        names = self._fields_of[one.question.link_id]
        visible = [self[name] for name in names if not self[name].is_hidden]
        belongs = bool(one.question.columns) or one.question.is_computed
        return Asked(_label(one) if belongs else "", _hint(one) if belongs else "", visible)

    def answers(self) -> dict[str, JsonValue]:
        """Return the answers to give, confirm or take back; those left alone are not among them."""
        said = {one.question.link_id: self._said(one) for one in self._asked}
        return {name: value for name, value in said.items() if not isinstance(value, _LeftAlone)}

    def refuse(self, fields: Mapping[str, Sequence[str]]) -> None:
        """Put what is said of a question answered by rows, or only confirmed, to its first field."""
        places = {name: found[0] for name, found in self._fields_of.items() if name not in self.fields and found}
        bare = {name.removeprefix(self.prefix_of_errors): said for name, said in fields.items()}
        super().refuse({places.get(name, name): said for name, said in bare.items()})

    def clean(self) -> dict[str, Any]:
        for one in self._asked:
            name = one.question.link_id
            seen = self.cleaned_data.get(f"{SEEN}{name}")
            if one.question.is_computed and seen is not None and seen != in_words(one.value, one.question):
                self.add_error(f"{CONFIRM}{name}", "It has changed since you looked. Read it again, then confirm it.")
        return self.cleaned_data

    def _said(self, one: Standing) -> "JsonValue | _LeftAlone":
        question, name = one.question, one.question.link_id
        is_confirmed = bool(self.cleaned_data.get(f"{CONFIRM}{name}"))
        if question.is_computed:
            return one.value if is_confirmed else LEFT_ALONE
        value = (
            rows_of(question, self.cleaned_data) if question.columns else value_of(question, self.cleaned_data[name])
        )
        if value is None and (one.given is None or question.must_be_true):
            return LEFT_ALONE
        is_same = one.given is not None and value == one.given.value
        return LEFT_ALONE if is_same and not is_confirmed else value


class _LeftAlone:
    """What is not answered; None would take an answer back."""


LEFT_ALONE = _LeftAlone()


def _is_to_answer(one: Standing) -> bool:
    """Say whether the question needs a field: what is computed only until it is confirmed."""
    if one.question.is_computed:
        return one.given is not None and one.given.confirmed_on is None
    return one.question.is_given


def _fields(one: Standing) -> dict[str, forms.Field]:
    question, name = one.question, one.question.link_id
    given = one.given
    fields: dict[str, forms.Field] = {}
    if question.is_computed:
        seen = in_words(one.value, question)
        fields[f"{SEEN}{name}"] = forms.CharField(widget=forms.HiddenInput, required=False, initial=seen)
    elif question.columns:
        fields |= row_fields(question, given.value if given else None)
    else:
        fields[name] = field_for(question, given.value if given else None)
        fields[name].label, fields[name].help_text = _label(one), _hint(one, of=fields[name])
    if given and given.confirmed_on is None:
        label = "I have checked this and confirm it"
        fields[f"{CONFIRM}{name}"] = forms.BooleanField(label=label, required=False)
    return fields


def _label(one: Standing) -> str:
    return one.question.text if one.is_required else f"{one.question.text} (important, not required)"


def _hint(one: Standing, of: forms.Field | None = None) -> str:
    """Return what to know before answering: the note, what is known, where it came from, and warnings."""
    computed = in_words(one.value, one.question) if one.question.is_computed else ""
    stale = one.to_do if one.given and one.given.confirmed_on else ""
    said = [of.help_text if of else "", computed, one.question.note, _origin(one.given), stale, *one.warnings]
    return " ".join(str(part) for part in said if part)


def _origin(given: Given | None) -> str:
    if given is None:
        return ""
    source = words.SOURCE[given.source]
    if given.confirmed_on:
        return f"Source: {source}; confirmed."
    return f"Source: {source}; not confirmed yet. Tick the box below, or change it."


def _titles(asked: Sequence[Standing]) -> list[tuple[str, str]]:
    """Return the sections that have a question, with their titles, in the order of the questions."""
    titles = {section.id: section.title for found in catalog.questionnaires().values() for section in found.sections}
    return [(key, titles.get(key, "")) for key in dict.fromkeys(one.question.section for one in asked)]
