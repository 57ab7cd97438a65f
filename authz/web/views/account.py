"""One's own account: where one is logged in, and the ways to the rest of it."""

from typing import Any

from allauth.account.views import PasswordChangeView, PasswordResetFromKeyView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy

from authz import clock
from authz.access.people import selectors, services
from authz.web.pages import Page


class AccountPage(Page):
    """Sessions and tokens, each with its end."""

    def get(self, request: HttpRequest) -> HttpResponse:
        tokens = selectors.tokens(self.person, now=self.now)
        return self.show("pages/account.html", sessions=selectors.sessions(self.person), tokens=tokens)

    def post(self, request: HttpRequest) -> HttpResponse:
        if (session := request.POST.get("session", "")).isdecimal():
            services.end_session(person=self.person, session_id=int(session[:18]))
        if (token := request.POST.get("token", "")).isdecimal():
            services.end_token(person=self.person, token_id=int(token[:18]), now=self.now)
        if "others" in request.POST:
            services.end_others(person=self.person, but=request.session.session_key or "", now=self.now)
        return redirect("account")


class PasswordPage(PasswordChangeView):  # type: ignore[misc]  # allauth ships no types
    """Changes the password; everything that the old one opened ends."""

    success_url = reverse_lazy("account")

    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        services.end_others(person=self.request.user, but=self.request.session.session_key or "", now=clock.now())
        return answer


class PasswordResetPage(PasswordResetFromKeyView):  # type: ignore[misc]  # allauth ships no types
    """Sets a new password by the link of a mail; everything that was open ends, tokens too."""

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            services.end_others(person=self.reset_user, but="", now=clock.now())
            answer: HttpResponse = super().form_valid(form)
        return answer
