"""Log in, choose the organization to act for, log out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.module_loading import import_string
from django.views import View
from django.views.decorators.cache import never_cache

from authz import clock
from authz.access.models import Organization, Person
from authz.access.people import services as people
from authz.access.people.selectors import lacks_second_factor
from authz.access.people.services import LogInRefused, TooManyLogIns
from authz.access.roles import Role
from authz.access.selectors import organizations_of
from authz.access.source import source_of
from authz.web import words
from authz.web.forms import LogInForm
from authz.web.seat import take_seat

_REFUSED = "The e-mail address or the password is wrong."
_NOWHERE = "You have no role in any organization. Ask your administrator."


class _Place(Protocol):
    @property
    def name(self) -> str: ...


class _Player(Protocol):
    """Somebody of the demonstration, as the module named in the settings tells it."""

    @property
    def email(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def place(self) -> _Place: ...
    @property
    def roles(self) -> Iterable[Role]: ...
    @property
    def does(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """One line of the role picker."""

    email: str
    name: str
    organization: str
    roles: str
    does: str


@method_decorator(never_cache, name="dispatch")
class LogIn(View):
    """E-mail address and password; in the demonstration also a button for each of its people."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect(_next(request))
        return self._show(request, LogInForm(auto_id="log-in-%s", label_suffix=""))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = LogInForm(request.POST, auto_id="log-in-%s", label_suffix="")
        if not form.is_valid():
            return self._show(request, form, status=422)
        typed = form.cleaned_data
        try:
            person = people.authenticate(
                email=typed["email"], password=typed["password"], source=source_of(request.META), now=clock.now()
            )
        except TooManyLogIns as refusal:
            form.refuse({"": [refusal.detail]})
            return self._show(request, form, status=429)
        except LogInRefused:
            form.refuse({"": [_REFUSED]})
            return self._show(request, form, status=422)
        if not organizations_of(person):
            form.refuse({"": [_NOWHERE]})
            return self._show(request, form, status=422)
        # What follows is allauth's: the second factor, if there is one, and then the session.
        log_in = Login(user=person, email=person.email, redirect_url=_next(request))
        answer: HttpResponse = perform_password_login(request, {"email": person.email}, log_in)
        return answer

    def _show(self, request: HttpRequest, form: LogInForm, *, status: int = 200) -> HttpResponse:
        context = {"form": form, "next": request.GET.get("next", ""), "faults": list(form.faults()), **_picker()}
        context["has_sso"] = bool(settings.OIDC_ISSUER)
        return render(request, "pages/log_in.html", context, status=status)


@method_decorator(never_cache, name="dispatch")
class ChooseOrganization(View):
    """For which of several organizations to act; also the way to change over."""

    def get(self, request: HttpRequest) -> HttpResponse:
        person = request.user
        if not isinstance(person, Person):
            return redirect("log-in")
        if lacks_second_factor(person):
            return redirect("mfa_index")
        return render(request, "pages/choose_organization.html", {"places": organizations_of(person)})

    def post(self, request: HttpRequest) -> HttpResponse:
        person = request.user
        if not isinstance(person, Person):
            return redirect("log-in")
        chosen = _chosen(person, request.POST.get("organization", ""))
        if chosen is None:
            return self.get(request)
        take_seat(request, chosen)
        return redirect("worklist")


class LogOut(View):
    """Ends the session. Only a POST does, so that no link and no image can."""

    def post(self, request: HttpRequest) -> HttpResponse:
        logout(request)
        messages.success(request, "You are logged out.")
        return redirect("log-in")


def _chosen(person: Person, public_id: str) -> Organization | None:
    return next((place for place in organizations_of(person) if str(place.public_id) == public_id), None)


def _next(request: HttpRequest) -> str:
    """Return where the reader was going, if that is one of our own pages; else the start."""
    wanted = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    # Without a slash it would be looked up as the name of a page, and there may be none.
    return wanted if is_ours and wanted.startswith("/") else settings.LOGIN_REDIRECT_URL


def _picker() -> dict[str, Any]:
    if not settings.IS_DEMONSTRATION:
        return {}
    log_ins = import_string(f"{settings.DEMONSTRATION_PEOPLE}.log_ins")
    password = import_string(f"{settings.DEMONSTRATION_PEOPLE}.password")
    return {"picked": [_picked(player) for player in log_ins()], "password": password()}


def _picked(player: _Player) -> Picked:
    return Picked(
        email=player.email,
        name=player.name,
        organization=player.place.name,
        roles=", ".join(words.ROLE[role] for role in player.roles),
        does=player.does,
    )
