"""The form that attaches a document: the file, what to call it, and which questions it bears out."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.conf import settings

from authz.documentation.standing import Standing
from authz.web.forms import PlainForm


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
    shows = forms.MultipleChoiceField(
        label="Which answers does it bear out?",
        required=False,
        help_text="One or more; none is fine.",
        widget=forms.SelectMultiple({"size": "6"}),
    )

    def __init__(
        self,
        asked: Iterable[Standing],
        posted: Mapping[str, Any] | None = None,
        files: Any = None,
    ) -> None:
        super().__init__(posted, files, auto_id="attach-%s", label_suffix="")
        megabytes = settings.ATTACHMENT_MAX_BYTES // (1024 * 1024)
        self.fields["file"].help_text = f"PDF, PNG, JPEG, TIFF or plain text, at most {megabytes} MB."
        choices = [(one.question.link_id, one.question.text) for one in asked]
        self.fields["shows"].choices = choices  # type: ignore[attr-defined]  # it is the one declared above

    def typed(self) -> list[tuple[str, str]]:
        return []
