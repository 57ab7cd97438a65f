"""The form that attaches a document: the file, what to call it, and what it proves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from django import forms
from django.conf import settings

from authz.documentation.standing import Standing
from authz.prior_auths.models import Appeal, InformationRequest
from authz.web.forms import PlainForm


class Proves(NamedTuple):
    """What a document can prove: the field's name and label, and the choices by id.

    `goes_with` is what the service is told besides: with an open appeal it goes whatever it bears out.
    """

    name: str
    label: str
    choices: Sequence[tuple[str, str]]
    read: Callable[[str], object] = str
    goes_with: Mapping[str, object] = MappingProxyType({})


def of_questionnaire(asked: Iterable[Standing]) -> Proves:
    """Return the questions of the questionnaire as what a document can bear out."""
    choices = [(one.question.link_id, one.question.text) for one in asked]
    return Proves("shows", "Which answers does it bear out?", choices)


def of_insurer(asked: Iterable[InformationRequest]) -> Proves:
    """Return the insurer's open questions as what a document can answer; it goes with the answer."""
    choices = [(str(one.public_id), one.question) for one in asked if one.answered_at is None]
    return Proves("answers", "Which of the insurer's questions does it answer?", choices, UUID)


def of_appeal(appeal: Appeal, asked: Iterable[Standing]) -> Proves:
    """Return the questions of the questionnaire as what a document sent in with an open appeal can bear out."""
    return of_questionnaire(asked)._replace(goes_with={"appeal_id": appeal.public_id})


class AttachForm(PlainForm):
    """What is wrong with the file is told at its field."""

    file = forms.FileField(
        label="File",
        error_messages={
            "required": "Choose a file.",
            "empty": "The file is empty.",
            "missing": "Choose a file.",
            "invalid": "Choose a file.",
        },
    )
    title = forms.CharField(
        label="What is it?",
        required=False,
        max_length=200,
        help_text="Such as: Note of the visit. Left empty, it has its file's name.",
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    part2 = forms.BooleanField(label="It comes from a program under 42 CFR Part 2", required=False)

    def __init__(self, proves: Proves, posted: Mapping[str, Any] | None = None, files: Any = None) -> None:
        super().__init__(posted, files, auto_id="attach-%s", label_suffix="")
        megabytes = settings.ATTACHMENT_MAX_BYTES // (1024 * 1024)
        self.fields["file"].help_text = f"PDF, PNG, JPEG, TIFF or plain text, at most {megabytes} MB."
        self.proves = proves
        self.fields[proves.name] = forms.TypedMultipleChoiceField(
            label=proves.label,
            help_text="None, one or more." if proves.goes_with else "One or more.",
            required=not proves.goes_with,
            choices=proves.choices,
            coerce=proves.read,
            widget=forms.SelectMultiple({"size": "6"}),
            error_messages={"required": "Say what it proves."},
        )

    def document(self) -> dict[str, Any]:
        """Return what the service takes of the document besides its bytes."""
        title = self.cleaned_data["title"] or self.cleaned_data["file"].name
        proves = {self.proves.name: self.cleaned_data[self.proves.name]}
        return {"title": title, "is_part2": self.cleaned_data["part2"], **proves, **self.proves.goes_with}

    def typed(self) -> list[tuple[str, str]]:
        return []
