"""Requests for prior authorization: the worklist, one request and its events."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Actor
from authz.api.etags import etag
from authz.api.filters import TruthFilter
from authz.api.prior_auth_in import OpenIn
from authz.api.prior_auth_out import EventOut, PriorAuthDetailOut, PriorAuthOut
from authz.api.problems import MEDIA_TYPE
from authz.api.schema import ProblemOut
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import PriorAuthId
from authz.prior_auths import selectors
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.lifecycle import State
from authz.prior_auths.models import Event, PriorAuth
from authz.prior_auths.services import intake
from authz.prior_auths.worklist import awaited


class PriorAuthFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    state = filters.ChoiceFilter(choices=[(state.value, state.value) for state in State])
    urgency = filters.ChoiceFilter(choices=[(urgency.value, urgency.value) for urgency in Urgency])
    patient = filters.UUIDFilter(field_name="patient__public_id")
    number = filters.CharFilter(label="The request's number, exactly.")
    needs_act = TruthFilter(method="by_need", label="Waiting for a step that you may take.")

    class Meta:
        model = PriorAuth
        fields: list[str] = []

    def by_need(self, rows: QuerySet[PriorAuth], name: str, value: bool) -> QuerySet[PriorAuth]:
        waiting = awaited(self.request.user.roles)
        return rows.filter(waiting) if value else rows.exclude(waiting)


class PriorAuthsView(Listing):
    queryset = PriorAuth.objects.none()
    serializer_class = PriorAuthOut
    filterset_class = PriorAuthFilters

    @extend_schema(
        operation_id="list_prior_authorizations",
        tags=["prior authorizations"],
        responses=PriorAuthOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """List requests: a clinic's own, and for an insurer those submitted to it; voided ones only when asked for."""
        rows = selectors.listed(self.actor)
        is_asked = request.query_params.get("state") == State.VOIDED.value
        return self.listed(rows if is_asked else rows.exclude(state=State.VOIDED.value))

    @extend_schema(
        operation_id="open_prior_authorization",
        tags=["prior authorizations"],
        parameters=[IDEMPOTENCY_KEY],
        request=OpenIn,
        responses={201: PriorAuthDetailOut, (404, MEDIA_TYPE): ProblemOut, (409, MEDIA_TYPE): ProblemOut},
    )
    def post(self, request: Request) -> Response:
        """Open a request by hand, on the patient's latest use; the rule opens those it asks for itself."""
        values = self.read(OpenIn)
        return self.once(lambda: self._open(values))

    def _open(self, values: dict[str, Any]) -> Response:
        opened = intake.open_request(
            patient_id=values["patient"],
            reason=values["reason"],
            new_fact=values["new_fact"],
            by=self.actor,
            now=self.now,
        )
        answer = whole(selectors.prior_auth(self.actor, PriorAuthId(opened.public_id)), self.actor)
        answer.status_code = 201
        return answer

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "by": self.request.user}


class PriorAuthView(Door):
    @extend_schema(operation_id="read_prior_authorization", tags=["prior authorizations"], responses=PriorAuthDetailOut)
    def get(self, request: Request, prior_auth_id: PriorAuthId) -> Response:
        """Read one request. The ETag is what a decision must send back as If-Match."""
        row = selectors.prior_auth(self.actor, prior_auth_id)
        return whole(row, self.actor)


class EventsView(Listing):
    queryset = Event.objects.none()
    serializer_class = EventOut
    is_oldest_first = True

    @extend_schema(operation_id="list_events", tags=["prior authorizations"], responses=EventOut(many=True))
    def get(self, request: Request, prior_auth_id: PriorAuthId) -> Response:
        """List what happened to a request, oldest first; an insurer sees nothing from before it was submitted."""
        return self.listed(selectors.events(self.actor, prior_auth_id))


def whole(row: PriorAuth, by: Actor) -> Response:
    """Answer with all of a request, and its ETag."""
    answer = Response(PriorAuthDetailOut(row, context={"by": by}).data)
    answer["ETag"] = etag(row.version)
    return answer
