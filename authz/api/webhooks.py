"""Webhook endpoints of one's own organization, and what was delivered to them. Its administrators alone are let in."""

from typing import Any, ClassVar

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Action, must_be_allowed
from authz.api.fields import In, OneOf, Text, Truth, Word
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import WebhookDeliveryId, WebhookEndpointId
from authz.notifications.channels.webhook import endpoints, selectors
from authz.notifications.channels.webhook.models import EndpointState, PausedBecause, WebhookEndpoint
from authz.notifications.matrix import MATRIX, PERSONAL
from authz.notifications.models import Delivery, DeliveryState

TAG = ["webhooks"]
TOPICS = sorted(set(MATRIX) - PERSONAL)
_SECRET = {"secret"}


class WebhookEndpointIn(In):
    """Without topics, everything that systems of your organization may hear of."""

    url = Text(max_length=500, help_text="https; http only to addresses that the operator allows.")
    topics = serializers.ListField(child=OneOf(TOPICS), required=False, default=list, max_length=len(TOPICS))
    description = Text(max_length=200, required=False, allow_blank=True, default="")


class WebhookEndpointChangeIn(In):
    """What is left out stays as it is."""

    url = Text(max_length=500, required=False)
    topics = serializers.ListField(child=OneOf(TOPICS), required=False, max_length=len(TOPICS))
    description = Text(max_length=200, required=False, allow_blank=True)
    is_paused = Truth(required=False, help_text="What waits meanwhile is delivered afterwards, in order.")


class WebhookEndpointOut(serializers.Serializer[WebhookEndpoint]):
    id = serializers.UUIDField(source="public_id")
    url = serializers.CharField()
    topics = serializers.ListField(child=OneOf(TOPICS), help_text="Empty: everything your people can hear of.")
    description = serializers.CharField()
    state = Word(EndpointState)
    paused_because = Word(
        PausedBecause, source="why_paused", allow_null=True, help_text="`gone`: it answered 410 Gone."
    )
    registered_at = serializers.DateTimeField()
    failures = serializers.IntegerField(help_text="How often in a row the receiver was away.")
    held_until = serializers.DateTimeField(allow_null=True, help_text="Nothing is tried before, as it was away.")


class WebhookEndpointWithSecretOut(WebhookEndpointOut):
    secret = serializers.CharField(
        allow_null=True, help_text="Shown this once. Null when an Idempotency-Key has the answer repeated."
    )


class WebhookDeliveryOut(serializers.Serializer[Delivery]):
    """One event for one endpoint. `id` is its `webhook-id`."""

    id = serializers.UUIDField(source="public_id")
    topic = serializers.CharField(source="message.topic")
    happened_at = serializers.DateTimeField(source="message.announced_at")
    state = Word(DeliveryState)
    attempts = serializers.IntegerField()
    response_status = serializers.IntegerField(allow_null=True, help_text="Of the last answer, if there was one.")
    last_error = serializers.CharField(help_text="A code; empty when there was none.")
    delivered_at = serializers.DateTimeField(source="sent_at", allow_null=True)
    next_attempt_at = serializers.DateTimeField(allow_null=True, help_text="At the earliest.")


class Administered(Door):
    """An address for administrators alone."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        must_be_allowed(self.actor, Action.MANAGE_WEBHOOKS)


class WebhookEndpointsView(Administered, Listing):
    queryset = WebhookEndpoint.objects.none()
    serializer_class = WebhookEndpointOut
    problem_statuses: ClassVar[tuple[int, ...]] = (409,)

    @extend_schema(operation_id="list_webhook_endpoints", tags=TAG, responses=WebhookEndpointOut(many=True))
    def get(self, request: Request) -> Response:
        """List your organization's endpoints, newest first, deactivated ones too."""
        return self.listed(selectors.endpoints(self.actor))

    @extend_schema(
        operation_id="register_webhook_endpoint",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=WebhookEndpointIn,
        responses={201: WebhookEndpointWithSecretOut},
    )
    def post(self, request: Request) -> Response:
        """Register an endpoint. Its secret is in this answer and never again in any."""
        values = self.read(WebhookEndpointIn)
        return self.once(lambda: self._register(values), unkept=_SECRET)

    def _register(self, values: dict[str, Any]) -> Response:
        row, secret = endpoints.register(**values, by=self.actor, now=self.now)
        answer = _with_secret(row, secret, status=201)
        answer["Location"] = reverse("api:webhook-endpoint", args=[row.public_id])
        return answer


class WebhookEndpointView(Administered):
    problem_statuses: ClassVar[tuple[int, ...]] = (409,)

    @extend_schema(operation_id="read_webhook_endpoint", tags=TAG, responses=WebhookEndpointOut)
    def get(self, request: Request, endpoint_id: WebhookEndpointId) -> Response:
        """Read one endpoint."""
        return _told(selectors.endpoint(self.actor, endpoint_id))

    @extend_schema(
        operation_id="change_webhook_endpoint",
        tags=TAG,
        request=WebhookEndpointChangeIn,
        responses=WebhookEndpointOut,
    )
    def patch(self, request: Request, endpoint_id: WebhookEndpointId) -> Response:
        """Change an endpoint, pause it, or make it active again."""
        values = self.read(WebhookEndpointChangeIn)
        return _told(endpoints.change(endpoint_id=endpoint_id, **values, by=self.actor, now=self.now))

    @extend_schema(operation_id="deactivate_webhook_endpoint", tags=TAG, responses={204: None})
    def delete(self, request: Request, endpoint_id: WebhookEndpointId) -> Response:
        """Deactivate an endpoint for good. Its log stays; what waits for it is given up."""
        endpoints.deactivate(endpoint_id=endpoint_id, by=self.actor, now=self.now)
        return Response(status=204)


class SecretRotationView(Administered):
    problem_statuses: ClassVar[tuple[int, ...]] = (409,)

    @extend_schema(
        operation_id="rotate_webhook_secret",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=WebhookEndpointWithSecretOut,
    )
    def post(self, request: Request, endpoint_id: WebhookEndpointId) -> Response:
        """Get a new secret, shown this once. The one before signs beside it for another 24 hours."""
        self.read(In)
        return self.once(lambda: self._rotate(endpoint_id), unkept=_SECRET)

    def _rotate(self, endpoint_id: WebhookEndpointId) -> Response:
        return _with_secret(*endpoints.rotate_secret(endpoint_id=endpoint_id, by=self.actor, now=self.now))


class WebhookTestView(Administered):
    problem_statuses: ClassVar[tuple[int, ...]] = (409,)

    @extend_schema(
        operation_id="test_webhook_endpoint",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={202: WebhookEndpointOut},
    )
    def post(self, request: Request, endpoint_id: WebhookEndpointId) -> Response:
        """Send the endpoint a `webhook.test` event. What came of it is in its deliveries, where Location leads."""
        self.read(In)
        return self.once(lambda: self._test(endpoint_id))

    def _test(self, endpoint_id: WebhookEndpointId) -> Response:
        row = endpoints.send_test(endpoint_id=endpoint_id, by=self.actor, now=self.now)
        answer = Response(WebhookEndpointOut(row).data, status=202)
        answer["Location"] = reverse("api:webhook-deliveries", args=[endpoint_id])
        return answer


class WebhookDeliveriesView(Administered, Listing):
    queryset = Delivery.objects.none()
    serializer_class = WebhookDeliveryOut

    @extend_schema(operation_id="list_webhook_deliveries", tags=TAG, responses=WebhookDeliveryOut(many=True))
    def get(self, request: Request, endpoint_id: WebhookEndpointId) -> Response:
        """List what an endpoint was told, or is still to be told, newest first."""
        return self.listed(selectors.deliveries(self.actor, endpoint_id))


class WebhookReplayView(Administered):
    problem_statuses: ClassVar[tuple[int, ...]] = (409,)

    @extend_schema(
        operation_id="replay_webhook_delivery",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={202: WebhookDeliveryOut},
    )
    def post(self, request: Request, delivery_id: WebhookDeliveryId) -> Response:
        """Deliver again, under the same id, what was delivered or given up. It comes out of its order."""
        self.read(In)
        return self.once(lambda: self._replay(delivery_id))

    def _replay(self, delivery_id: WebhookDeliveryId) -> Response:
        row = endpoints.replay(delivery_id=delivery_id, by=self.actor, now=self.now)
        return Response(WebhookDeliveryOut(row).data, status=202)


def _told(row: WebhookEndpoint) -> Response:
    return Response(WebhookEndpointOut(row).data)


def _with_secret(row: WebhookEndpoint, secret: str, *, status: int = 200) -> Response:
    whole = {**WebhookEndpointOut(row).data, "secret": secret}
    return Response(whole, status=status)
