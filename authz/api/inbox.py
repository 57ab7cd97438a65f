"""What a person was told, and what of it waits for them."""

from collections.abc import Callable
from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.etags import is_unchanged, weak_etag
from authz.api.fields import In
from authz.api.filters import TruthFilter
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import NoticeId
from authz.notifications import selectors, services
from authz.notifications.models import InboxEntry
from authz.notifications.wording import sentence

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of the answer you have: while it still holds, the answer is 304 without a body.",
)


class NoticeRequestOut(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField()


class NoticeOut(serializers.Serializer[InboxEntry]):
    """A notice carries no patient data: read what it is about for that: a request, a patient or an emergency."""

    id = serializers.UUIDField(source="public_id")
    topic = serializers.CharField()
    text = serializers.SerializerMethodField()
    prior_authorization = NoticeRequestOut(source="prior_auth", allow_null=True)
    patient = serializers.UUIDField(source="pain_hint.patient.public_id", allow_null=True, default=None)
    emergency_access = serializers.UUIDField(
        source="emergency_access.public_id", allow_null=True, default=None, help_text="In `emergency-access/`."
    )
    needs_act = serializers.BooleanField(help_text="It asks for an act.")
    is_open = serializers.BooleanField(
        help_text="The act is still needed: nobody has done it, and nobody of your organization has acknowledged it."
    )
    on_behalf_of = serializers.CharField(
        source="delivery.on_behalf_of.full_name",
        allow_null=True,
        default=None,
        help_text="The colleague for whom you are told.",
    )
    arrived_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)
    acknowledged_at = serializers.DateTimeField(allow_null=True)

    def get_text(self, entry: InboxEntry) -> str:
        return sentence(entry.topic, number=entry.number)


class NoticeFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    is_read = TruthFilter(field_name="read_at", lookup_expr="isnull", exclude=True)
    is_acknowledged = TruthFilter(field_name="acknowledged_at", lookup_expr="isnull", exclude=True)
    needs_act = TruthFilter()
    is_open = TruthFilter()
    prior_authorization = filters.UUIDFilter(field_name="prior_auth__public_id")

    class Meta:
        model = InboxEntry
        fields: list[str] = []


class InboxView(Listing):
    queryset = InboxEntry.objects.none()
    serializer_class = NoticeOut
    filterset_class = NoticeFilters

    @extend_schema(
        operation_id="list_notices",
        tags=["inbox"],
        parameters=[IF_NONE_MATCH],
        responses={200: NoticeOut(many=True), 304: None},
    )
    def get(self, request: Request) -> Response:
        """List your own notices, newest first; 304 while nothing has changed. A machine has none."""
        tag = weak_etag(selectors.inbox_state(self.actor), request.get_full_path())
        return _unless_known(request, tag, lambda: self.listed(selectors.inbox(self.actor)))


class InboxCountOut(serializers.Serializer[Any]):
    unread = serializers.IntegerField()
    open = serializers.IntegerField(help_text="Those that wait for an act.")


class InboxCountView(Door):
    @extend_schema(
        operation_id="count_notices",
        tags=["inbox"],
        parameters=[IF_NONE_MATCH],
        responses={200: InboxCountOut, 304: None},
    )
    def get(self, request: Request) -> Response:
        """Count your own notices; 304 while nothing has changed."""
        state = selectors.inbox_state(self.actor)
        counts = {"unread": state.unread, "open": len(state.open_ids)}
        return _unless_known(request, weak_etag(state), lambda: Response(InboxCountOut(counts).data))


class ReadView(Door):
    @extend_schema(
        operation_id="mark_notice_read", tags=["inbox"], parameters=[IDEMPOTENCY_KEY], request=None, responses=NoticeOut
    )
    def post(self, request: Request, notice_id: NoticeId) -> Response:
        """Note that you have read a notice; the first time is kept."""
        self.read(In)
        return self.once(lambda: _told(services.mark_read(notice_id=notice_id, by=self.actor, now=self.now)))


class AcknowledgementView(Door):
    @extend_schema(
        operation_id="acknowledge_notice",
        tags=["inbox"],
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=NoticeOut,
    )
    def post(self, request: Request, notice_id: NoticeId) -> Response:
        """Note that you have taken a notice in hand; it is read then, too."""
        self.read(In)
        return self.once(lambda: _told(services.acknowledge(notice_id=notice_id, by=self.actor, now=self.now)))


def _told(entry: InboxEntry) -> Response:
    return Response(NoticeOut(entry).data)


def _unless_known(request: Request, tag: str, answer: Callable[[], Response]) -> Response:
    found = Response(status=304) if is_unchanged(request, tag) else answer()
    found["ETag"] = tag
    return found
