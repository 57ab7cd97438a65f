"""Where the link of an invitation leads."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from authz import clock
from authz.access.models import Person
from authz.administration import selectors
from authz.administration.services import invitations
from authz.administration.services.invitations import InvitationEnded
from authz.errors import InvalidInput
from authz.web.forms import JoinForm


@method_decorator(never_cache, name="dispatch")
class InvitationPage(View):
    """A name and a password for somebody new; one button for somebody who is logged in already."""

    def get(self, request: HttpRequest, link: str) -> HttpResponse:
        return self._show(request, link, JoinForm(auto_id="join-%s", label_suffix=""))

    def post(self, request: HttpRequest, link: str) -> HttpResponse:
        person = request.user if isinstance(request.user, Person) else None
        form = JoinForm(request.POST, auto_id="join-%s", label_suffix="")
        if person is None and not form.is_valid():
            return self._show(request, link, form, status=422)
        typed = (
            {} if person else {"full_name": form.cleaned_data["full_name"], "password": form.cleaned_data["password"]}
        )
        try:
            invitations.accept(link=link, person=person, **typed, now=clock.now())
        except InvalidInput as refusal:
            form.is_valid()
            form.refuse(refusal.fields)
            return self._show(request, link, form, status=422)
        except InvitationEnded:
            return self._show(request, link, form, status=409)
        return redirect("worklist" if person else "log-in")

    def _show(self, request: HttpRequest, link: str, form: JoinForm, *, status: int = 200) -> HttpResponse:
        invitation = selectors.invitation_of(link, now=clock.now())
        known = selectors.invited_person(invitation) if invitation else None
        context = {
            "invitation": invitation,
            "is_known": known is not None,
            "is_them": known is not None and known == request.user,
            "form": form,
            "faults": list(form.faults()),
        }
        if invitation is None and status == 200:
            status = 404
        return render(request, "pages/invitation.html", context, status=status)
