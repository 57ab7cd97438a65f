"""Whom to invite, and into which roles."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms

from authz.access.roles import CLINIC_ROLES, INSURER_ROLES, OrganizationKind, Role
from authz.web import words
from authz.web.forms import PlainForm

_ROLES: Final = {OrganizationKind.CLINIC: CLINIC_ROLES, OrganizationKind.INSURER: INSURER_ROLES}


class InviteForm(PlainForm):
    """An address and some of the roles that an organization of this kind has."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "off"}),
        error_messages={"required": "Give an e-mail address.", "invalid": "Give an e-mail address."},
    )
    roles = forms.MultipleChoiceField(
        label="Roles",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one.", "invalid_choice": "There is no such role here."},
    )

    def __init__(self, kind: OrganizationKind, posted: Mapping[str, Any] | None = None) -> None:
        super().__init__(posted, auto_id="invite-%s", label_suffix="")
        roles: Any = self.fields["roles"]
        roles.choices = [(role.value, words.ROLE[role].capitalize()) for role in Role if role in _ROLES[kind]]

    def invited(self) -> dict[str, Any]:
        """Return what the service takes."""
        said = self.cleaned_data
        return {"email": said["email"], "roles": {Role(role) for role in said["roles"]}}
