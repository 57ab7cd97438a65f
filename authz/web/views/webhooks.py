"""An organization's webhook endpoints: what they are told, and what an administrator does with them."""

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz.access.roles import OrganizationKind
from authz.errors import AuthzError, Forbidden, InvalidInput, NotFound
from authz.ids import WebhookDeliveryId, WebhookEndpointId
from authz.notifications.channels.webhook import endpoints, selectors
from authz.notifications.channels.webhook.models import WebhookEndpoint
from authz.notifications.models import Delivery
from authz.web.forms import Fault
from authz.web.pages import Page
from authz.web.sheets import MOST, instant, sheet
from authz.web.webhook_forms import EndpointForm

_ON_A_PAGE: Final = 50
_ENDPOINTS: Final = ("url", "description", "state", "topics", "failures", "held_until")
_LOG: Final = (
    "id", "event", "happened_at", "state", "delivered_at", "next_attempt_at", "attempts", "last_answer", "last_error",
)  # fmt: skip


class WebhookPage(Page):
    """What the pages share. A secret is shown in the answer that made it, and in no other."""

    def form(self, posted: Mapping[str, Any] | None = None, initial: Mapping[str, Any] | None = None) -> EndpointForm:
        """Return the form of an endpoint for an organization of this kind."""
        return EndpointForm(OrganizationKind(self.organization.kind), posted, initial)

    def listed(self, form: EndpointForm, *, status: int = 200, sentence: str = "") -> HttpResponse:
        """Return the list with the form that registers one more."""
        rows = selectors.endpoints(self.actor).order_by("-pk")
        faults = [*([Fault(sentence, "")] if sentence else []), *form.faults()]
        return self.show("pages/webhooks.html", status=status, endpoints=rows, form=form, faults=faults)

    def one(
        self, endpoint_id: WebhookEndpointId, *, form: EndpointForm | None = None, secret: str = "", sentence: str = ""
    ) -> HttpResponse:
        """Return an endpoint with its log; `sentence` is why something was refused."""
        row = selectors.endpoint(self.actor, endpoint_id)
        said = {"url": row.url, "description": row.description, "topics": row.topics}
        shown = form or self.form(initial=said)
        log = selectors.deliveries(self.actor, endpoint_id).order_by("-pk")
        faults = [*([Fault(sentence, "")] if sentence else []), *shown.faults()]
        status = HTTPStatus.CONFLICT if sentence else HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
        return self.show(
            "pages/webhook.html",
            status=status,
            endpoint=row,
            form=shown,
            secret=secret,
            log=Paginator(log, _ON_A_PAGE).get_page(self.request.GET.get("page")),
            faults=faults,
        )


class Webhooks(WebhookPage):
    """All endpoints; a POST registers one and shows its secret."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.listed(self.form())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form(request.POST)
        if not form.is_valid():
            return self.listed(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            made, secret = endpoints.register(**form.cleaned_data, by=self.actor, now=self.now)
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
            return self.listed(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        except endpoints.LimitReached as refusal:
            return self.listed(form, status=HTTPStatus.CONFLICT, sentence=refusal.detail)
        return self.one(WebhookEndpointId(made.public_id), secret=secret)


class Webhook(WebhookPage):
    """One endpoint; a POST changes it."""

    def get(self, request: HttpRequest, endpoint_id: WebhookEndpointId) -> HttpResponse:
        return self.one(endpoint_id)

    def post(self, request: HttpRequest, endpoint_id: WebhookEndpointId) -> HttpResponse:
        selectors.endpoint(self.actor, endpoint_id)
        form = self.form(request.POST)
        if not form.is_valid():
            return self.one(endpoint_id, form=form)
        try:
            endpoints.change(endpoint_id=endpoint_id, **form.cleaned_data, by=self.actor, now=self.now)
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
            return self.one(endpoint_id, form=form)
        except endpoints.EndpointNotActive as refusal:
            return self.one(endpoint_id, form=form, sentence=refusal.detail)
        messages.success(request, "The endpoint is changed.")
        return redirect("webhook", endpoint_id=endpoint_id)


def _pause(**named: Any) -> None:
    endpoints.change(is_paused=True, **named)


def _resume(**named: Any) -> None:
    endpoints.change(is_paused=False, **named)


_ACTS: Final[Mapping[str, tuple[Callable[..., object], str]]] = {
    "test": (endpoints.send_test, "A test event is on its way; it will be in the log."),
    "pause": (_pause, "The endpoint is paused. What waits is delivered afterwards, in order."),
    "resume": (_resume, "The endpoint is active."),
    "deactivate": (endpoints.deactivate, "The endpoint is deactivated for good."),
}


class WebhookActed(WebhookPage):
    """Does one thing with an endpoint."""

    def get(self, request: HttpRequest, endpoint_id: WebhookEndpointId, act: str) -> HttpResponse:
        return redirect("webhook", endpoint_id=endpoint_id)

    def post(self, request: HttpRequest, endpoint_id: WebhookEndpointId, act: str) -> HttpResponse:
        if act == "rotate-secret":
            return self._rotated(endpoint_id)
        if act not in _ACTS:
            raise Http404
        do, said = _ACTS[act]
        try:
            do(endpoint_id=endpoint_id, by=self.actor, now=self.now)
        except endpoints.EndpointNotActive as refusal:
            return self.one(endpoint_id, sentence=refusal.detail)
        messages.success(request, said)
        return redirect("webhook", endpoint_id=endpoint_id)

    def _rotated(self, endpoint_id: WebhookEndpointId) -> HttpResponse:
        try:
            _, secret = endpoints.rotate_secret(endpoint_id=endpoint_id, by=self.actor, now=self.now)
        except (endpoints.EndpointNotActive, endpoints.LimitReached) as refusal:
            return self.one(endpoint_id, sentence=refusal.detail)
        return self.one(endpoint_id, secret=secret)


class WebhookReplayed(WebhookPage):
    """Delivers again what was delivered or given up."""

    def get(self, request: HttpRequest, endpoint_id: WebhookEndpointId, delivery_id: WebhookDeliveryId) -> HttpResponse:
        return redirect("webhook", endpoint_id=endpoint_id)

    def post(
        self, request: HttpRequest, endpoint_id: WebhookEndpointId, delivery_id: WebhookDeliveryId
    ) -> HttpResponse:
        try:
            endpoints.replay(delivery_id=delivery_id, by=self.actor, now=self.now)
        except (Forbidden, NotFound):
            raise
        except AuthzError as refusal:
            return self.one(endpoint_id, sentence=refusal.detail)
        messages.success(request, "It is delivered again, under the same id.")
        return redirect("webhook", endpoint_id=endpoint_id)


class WebhooksSheet(Page):
    """All endpoints as CSV."""

    def get(self, request: HttpRequest) -> HttpResponse:
        found = selectors.endpoints(self.actor).order_by("-pk")
        return sheet(self, "webhooks", columns=_ENDPOINTS, lines=(_endpoint(one) for one in found))


class WebhookSheet(Page):
    """The log of one endpoint as CSV."""

    def get(self, request: HttpRequest, endpoint_id: WebhookEndpointId) -> HttpResponse:
        log = list(selectors.deliveries(self.actor, endpoint_id).order_by("-pk")[: MOST + 1])
        if len(log) > MOST:
            messages.error(request, f"The log has more than {MOST:,} deliveries. Ask the API for them.")
            return redirect("webhook", endpoint_id=endpoint_id)
        return sheet(self, "webhook log", columns=_LOG, lines=(_delivery(one) for one in log))


def _endpoint(one: WebhookEndpoint) -> Iterator[str]:
    yield one.url
    yield one.description
    yield one.state
    yield " ".join(one.topics)
    yield str(one.failures)
    yield instant(one.held_until)


def _delivery(one: Delivery) -> Iterator[str]:
    yield str(one.public_id)
    yield one.message.topic
    yield instant(one.message.announced_at)
    yield one.state
    yield instant(one.sent_at)
    yield instant(one.next_attempt_at)
    yield str(one.attempts)
    yield str(one.response_status or "")
    yield one.last_error
