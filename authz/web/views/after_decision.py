"""What the clinic does after a decision, from the request's page: appeals, peer-to-peer calls."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz.errors import AuthzError
from authz.ids import AppealId, CallId, PriorAuthId
from authz.notifications.selectors import decision_notices
from authz.prior_auths import appeals, calls, selectors
from authz.prior_auths.models import Appeal, Call, PriorAuth
from authz.web.after_decision import place_of
from authz.web.clinic_follow_up_forms import APPEAL_STEPS, ASK_FOR_CALL, ASKING, CALL_STEPS, FILE, FILING, AfterStep
from authz.web.views.request import Refused, RequestPage

_APPEAL = {step.value.replace("_", "-"): step for step in APPEAL_STEPS}
_CALL = {step.value.replace("_", "-"): step for step in CALL_STEPS}


class AfterPage(RequestPage):
    """Takes what a form about an appeal or a call says; a refusal comes back to the request's page."""

    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId, **_named: object) -> HttpResponse:
        return redirect("request", prior_auth_id=prior_auth_id)

    def taken(
        self, prior_auth: PriorAuth, act: AfterStep, subject: Appeal | Call | None, place: str, **named: Any
    ) -> HttpResponse:
        """Take the step that the posted form is for."""
        form, key = act.form(subject, self.request.POST, place=place), PriorAuthId(prior_auth.public_id)
        if not form.is_valid():
            return self.page(prior_auth, Refused(place, form), status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            act.take(by=self.actor, now=self.now, **named, **form.arguments())
        except AuthzError as error:
            return self.refuse(key, place, form, error)
        messages.success(self.request, act.done)
        return redirect("request", prior_auth_id=key)


class AppealFiled(AfterPage):
    def post(self, request: HttpRequest, prior_auth_id: PriorAuthId) -> HttpResponse:
        prior_auth = selectors.prior_auth(self.actor, prior_auth_id)
        named = {"prior_auth_id": prior_auth_id, "notices": decision_notices(prior_auth)}
        return self.taken(prior_auth, FILING, None, FILE, **named)


class AppealStepTaken(AfterPage):
    def post(self, request: HttpRequest, prior_auth_id: PriorAuthId, appeal_id: AppealId, step: str) -> HttpResponse:
        prior_auth = selectors.prior_auth(self.actor, prior_auth_id)
        subject = appeals.appeal(self.actor, appeal_id)
        _must_be_of(prior_auth, subject)
        if step not in _APPEAL:
            raise Http404
        taken, version = _APPEAL[step], self.version(request)
        named = {"appeal_id": appeal_id, "expected_version": version}
        return self.taken(prior_auth, APPEAL_STEPS[taken], subject, place_of(taken, subject), **named)


class CallAskedFor(AfterPage):
    def post(self, request: HttpRequest, prior_auth_id: PriorAuthId) -> HttpResponse:
        prior_auth = selectors.prior_auth(self.actor, prior_auth_id)
        return self.taken(prior_auth, ASKING, None, ASK_FOR_CALL, prior_auth_id=prior_auth_id)


class CallStepTaken(AfterPage):
    def post(self, request: HttpRequest, prior_auth_id: PriorAuthId, call_id: CallId, step: str) -> HttpResponse:
        prior_auth = selectors.prior_auth(self.actor, prior_auth_id)
        subject = calls.call(self.actor, call_id)
        _must_be_of(prior_auth, subject)
        if step not in _CALL:
            raise Http404
        taken, version = _CALL[step], self.version(request)
        named = {"call_id": call_id, "expected_version": version}
        return self.taken(prior_auth, CALL_STEPS[taken], subject, place_of(taken, subject), **named)


def _must_be_of(prior_auth: PriorAuth, subject: Appeal | Call) -> None:
    if subject.prior_auth_id != prior_auth.pk:
        raise Http404
