"""The people of an organization as its administrator sees them: their roles, who stands in, and who is invited."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz.access import selectors as access
from authz.access.models import Person
from authz.access.roles import OrganizationKind
from authz.administration import selectors
from authz.administration.models import Invitation
from authz.administration.services import invitations
from authz.administration.services.invitations import InvitationEnded, TooManyInvitations
from authz.errors import InvalidInput
from authz.ids import InvitationId
from authz.notifications.wishes import selectors as wishes
from authz.web.forms import Fault
from authz.web.invite_form import InviteForm
from authz.web.pages import Page
from authz.web.sheets import instant, sheet

_COLUMNS: Final = ("name", "e_mail", "roles", "delegate", "can_log_in")
_INVITED: Final = ("e_mail", "roles", "invited_at", "invited_by", "mailed_at", "expires_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """One person: their roles here, and who is asked when they do not answer; empty for nobody."""

    person: Person
    roles: list[str]
    delegate: str


class People(Page):
    """Who works here, and who is invited; a POST invites one more."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.listed(self._form())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self._form(request.POST)
        # Asked first, so that nobody else learns what is wrong with a form that is not theirs.
        selectors.invitations(self.actor)
        if not form.is_valid():
            return self.listed(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            made = invitations.invite(**form.invited(), by=self.actor, now=self.now)
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
            return self.listed(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        except TooManyInvitations as refusal:
            return self.listed(form, status=HTTPStatus.CONFLICT, sentence=refusal.detail)
        messages.success(request, f"{made.email} is invited: a mail with a link is on its way.")
        return redirect("people")

    def listed(self, form: InviteForm, *, status: int = 200, sentence: str = "") -> HttpResponse:
        """Return the page; `sentence` is why something was refused."""
        return self.show(
            "pages/people.html",
            status=status,
            people=self.people(),
            invitations=self.invited(),
            form=form,
            faults=[*([Fault(sentence, "")] if sentence else []), *form.faults()],
        )

    def people(self) -> list[Colleague]:
        """Return everybody with a role here, by name.

        :raises Forbidden: when the actor does not administer the organization.
        """
        members = access.members(self.actor)
        named = wishes.delegates_named(self.actor)
        return [
            Colleague(person=person, roles=roles, delegate=named.get(person.pk, ""))
            for person, roles in members.items()
        ]

    def invited(self) -> list[Invitation]:
        """Return the invitations that nobody used or withdrew, also those that have run out; the newest first."""
        standing = selectors.invitations(self.actor).filter(accepted_at=None, withdrawn_at=None)
        return list(standing.select_related("invited_by").order_by("-pk"))

    def _form(self, posted: Mapping[str, str] | None = None) -> InviteForm:
        return InviteForm(OrganizationKind(self.organization.kind), posted)


_ACTS: Final[Mapping[str, tuple[Callable[..., object], str]]] = {
    "withdraw": (invitations.withdraw, "The invitation is withdrawn; its link leads nowhere."),
    "send-again": (invitations.send_again, "A new link is on its way; the one before leads nowhere."),
}


class InvitationActed(Page):
    """Does one thing with an invitation."""

    def get(self, request: HttpRequest, invitation_id: InvitationId, act: str) -> HttpResponse:
        return redirect("people")

    def post(self, request: HttpRequest, invitation_id: InvitationId, act: str) -> HttpResponse:
        if act not in _ACTS:
            raise Http404
        do, said = _ACTS[act]
        try:
            do(invitation_id=invitation_id, by=self.actor, now=self.now)
        except (InvitationEnded, TooManyInvitations) as refusal:
            messages.error(request, refusal.detail)
        else:
            messages.success(request, said)
        return redirect("people")


class PeopleSheet(People):
    """Who works here, as CSV."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return sheet(self, "people", columns=_COLUMNS, lines=(_cells(one) for one in self.people()))


class InvitationsSheet(People):
    """Who is invited, as CSV."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return sheet(self, "invitations", columns=_INVITED, lines=(_invited(one) for one in self.invited()))


def _cells(one: Colleague) -> Iterator[str]:
    yield one.person.full_name
    yield one.person.email
    yield " ".join(one.roles)
    yield one.delegate
    yield "yes" if one.person.is_active else "no"


def _invited(one: Invitation) -> Iterator[str]:
    yield one.email
    yield " ".join(one.roles)
    yield instant(one.invited_at)
    yield one.invited_by.full_name if one.invited_by else ""
    yield instant(one.sent_at)
    yield instant(one.expires_at)
