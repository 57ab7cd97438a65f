"""Appeals: filed on a request, listed in the order in which they are due, read with their clocks and their events."""

from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Actor
from authz.api.appeal_out import AppealDetailOut, AppealEventOut, AppealOut
from authz.api.etags import etag
from authz.api.fields import In, OneOf, Text
from authz.api.pages import MostPressingFirst
from authz.api.prior_auth_steps import header
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import AppealId, PriorAuthId
from authz.notifications.selectors import decision_notices
from authz.prior_auths import appeals, selectors
from authz.prior_auths.appeal_lifecycle import AppealState
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.models import Appeal, AppealEvent
from authz.prior_auths.services import appealing


class FileIn(In):
    """Why the decision is wrong, and how soon a new one is needed.

    After the last day, `good_cause` says why it comes so late; it is then accepted and marked.
    """

    urgency = OneOf(Urgency, required=False, default=Urgency.STANDARD.value)
    reason = Text(max_length=2000)
    good_cause = Text(max_length=2000, required=False, default="", allow_blank=True)

    def validate_urgency(self, urgency: str) -> Urgency:
        return Urgency(urgency)


class AppealFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    state = filters.ChoiceFilter(choices=[(state.value, state.value) for state in AppealState])
    urgency = filters.ChoiceFilter(choices=[(urgency.value, urgency.value) for urgency in Urgency])
    prior_authorization = filters.UUIDFilter(field_name="prior_auth__public_id")

    class Meta:
        model = Appeal
        fields: list[str] = []


class AppealsView(Listing):
    queryset = Appeal.objects.none()
    serializer_class = AppealOut
    filterset_class = AppealFilters
    pagination_class = MostPressingFirst

    @extend_schema(operation_id="list_appeals", tags=["appeals"], responses=AppealOut(many=True))
    def get(self, request: Request) -> Response:
        """List appeals: by legal deadline, then by the day the patient runs out; what has ended stands last."""
        return self.listed(appeals.appeals(self.actor))

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "by": self.request.user}


class RequestAppealsView(AppealsView):
    problem_statuses: ClassVar[tuple[int, ...]] = (409,)

    @extend_schema(operation_id="list_appeals_of_prior_authorization", tags=["appeals"], responses=AppealOut(many=True))
    def get(self, request: Request, prior_auth_id: PriorAuthId) -> Response:  # type: ignore[override]  # its address
        """List the appeals of the decisions on one request."""
        return self.listed(appeals.appeals_of(self.actor, prior_auth_id))

    @extend_schema(
        operation_id="file_appeal",
        tags=["appeals"],
        parameters=[header(IDEMPOTENCY_KEY, required=True)],
        request=FileIn,
        responses={201: AppealDetailOut},
    )
    def post(self, request: Request, prior_auth_id: PriorAuthId) -> Response:
        """Appeal the adverse decision in force on a request, for the patient; the time to decide it runs from now."""
        values = self.read(FileIn)
        return self.once(lambda: self._file(prior_auth_id, values), is_required=True)

    def _file(self, prior_auth_id: PriorAuthId, values: dict[str, Any]) -> Response:
        notices = decision_notices(selectors.prior_auth(self.actor, prior_auth_id))
        filed = appealing.file(prior_auth_id=prior_auth_id, notices=notices, by=self.actor, now=self.now, **values)
        answer = whole(AppealId(filed.public_id), self.actor)
        answer.status_code = 201
        return answer


class AppealView(Door):
    @extend_schema(operation_id="read_appeal", tags=["appeals"], responses=AppealDetailOut)
    def get(self, request: Request, appeal_id: AppealId) -> Response:
        """Read one appeal. The ETag is what a decision must send back as If-Match."""
        return whole(appeal_id, self.actor)


class AppealEventsView(Listing):
    queryset = AppealEvent.objects.none()
    serializer_class = AppealEventOut
    is_oldest_first = True

    @extend_schema(operation_id="list_appeal_events", tags=["appeals"], responses=AppealEventOut(many=True))
    def get(self, request: Request, appeal_id: AppealId) -> Response:
        """List what happened to an appeal, oldest first."""
        return self.listed(appeals.events(self.actor, appeal_id))


def whole(appeal_id: AppealId, by: Actor) -> Response:
    """Answer with an appeal as it is now, and its ETag."""
    row = appeals.appeal(by, appeal_id)
    answer = Response(AppealDetailOut(row, context={"by": by}).data)
    answer["ETag"] = etag(row.version)
    return answer
