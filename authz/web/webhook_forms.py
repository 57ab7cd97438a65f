"""The form of a webhook endpoint."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from authz.access.roles import OrganizationKind
from authz.notifications.matrix import topics_of
from authz.web.forms import PlainForm


class EndpointForm(PlainForm):
    """Where to, and of what; without a topic, of everything that the organization's people hear of."""

    url = forms.CharField(
        label="Address",
        max_length=500,
        help_text="Where events are posted to. https; http only to addresses that the operator allows.",
        widget=forms.TextInput({"type": "url", "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Give the address."},
    )
    description = forms.CharField(label="What is it for?", max_length=200, required=False)
    topics = forms.MultipleChoiceField(
        label="Events",
        help_text="One or more; none for all.",
        required=False,
        widget=forms.SelectMultiple({"size": "8"}),
    )

    def __init__(
        self, kind: OrganizationKind, posted: Mapping[str, Any] | None = None, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(posted, auto_id="endpoint-%s", label_suffix="", initial=dict(initial or {}))
        self.fields["topics"].choices = [(topic, topic) for topic in topics_of(kind)]  # type: ignore[attr-defined]  # declared above

    def refuse(self, fields: Mapping[str, Sequence[str]]) -> None:
        super().refuse({"topics" if name.startswith("topics") else name: said for name, said in fields.items()})
