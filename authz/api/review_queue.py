"""The insurer's review queue: what waits, the next one to take, who has how much, and who is away."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.fields import In, Instant
from authz.api.filters import TruthFilter
from authz.api.pages import MostPressingFirst
from authz.api.prior_auth_in import NoteIn
from authz.api.prior_auth_out import PersonOut, PriorAuthDetailOut, QueuedOut
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import PriorAuthId
from authz.prior_auths import review_queue, selectors
from authz.prior_auths.lifecycle import UNDECIDED
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.review_queue import Whose
from authz.prior_auths.services import absences, queue


class QueueFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    whose = filters.ChoiceFilter(choices=[(whose.value, whose.value) for whose in Whose], method="by_whose")
    state = filters.ChoiceFilter(choices=[(state.value, state.value) for state in sorted(UNDECIDED)])
    breach_risk = TruthFilter(method="by_risk", label="Due within eight hours, or overdue.")

    class Meta:
        model = PriorAuth
        fields: list[str] = []

    def by_whose(self, rows: QuerySet[PriorAuth], name: str, value: str) -> QuerySet[PriorAuth]:
        return review_queue.of(rows, Whose(value), self.request.user)

    def by_risk(self, rows: QuerySet[PriorAuth], name: str, value: bool) -> QuerySet[PriorAuth]:
        risky = review_queue.at_risk(rows, now=self.request.parser_context["view"].now)
        return risky if value else rows.exclude(pk__in=risky.values("pk"))


class ReviewQueueView(Listing):
    queryset = PriorAuth.objects.none()
    serializer_class = QueuedOut
    filterset_class = QueueFilters
    pagination_class = MostPressingFirst

    @extend_schema(operation_id="read_review_queue", tags=["review queue"], responses=QueuedOut(many=True))
    def get(self, request: Request) -> Response:
        """List what your insurer has to decide: by legal deadline, then by the day the patient runs out."""
        return self.listed(review_queue.review_queue(self.actor))

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "by": self.request.user}


class NextView(Door):
    @extend_schema(
        operation_id="claim_next",
        tags=["review queue"],
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={200: PriorAuthDetailOut, 204: None},
    )
    def post(self, request: Request) -> Response:
        """Take in hand the most pressing request you may take; 204 when none waits for you."""
        self.read(In)
        return self.once(self._claim)

    def _claim(self) -> Response:
        taken = queue.claim_next(by=self.actor, now=self.now)
        return self.whole(taken) if taken else Response(status=204)

    def whole(self, row: PriorAuth) -> Response:
        """Answer with the request as it is now."""
        found = selectors.prior_auth(self.actor, PriorAuthId(row.public_id))
        return Response(PriorAuthDetailOut(found, context={"by": self.actor}).data)


class HeartbeatView(NextView):
    problem_statuses = (409,)

    @extend_schema(
        operation_id="renew_lease",
        tags=["review queue"],
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=PriorAuthDetailOut,
    )
    def post(self, request: Request, prior_auth_id: PriorAuthId) -> Response:  # type: ignore[override]  # its address
        """Keep a request in hand for another half an hour."""
        self.read(In)
        return self.once(
            lambda: self.whole(queue.renew_lease(prior_auth_id=prior_auth_id, by=self.actor, now=self.now))
        )


class SkipView(NextView):
    problem_statuses = (409,)

    @extend_schema(
        operation_id="skip_request",
        tags=["review queue"],
        parameters=[IDEMPOTENCY_KEY],
        request=NoteIn,
        responses=PriorAuthDetailOut,
    )
    def post(self, request: Request, prior_auth_id: PriorAuthId) -> Response:  # type: ignore[override]  # its address
        """Pass a waiting request over, for a reason: for a day you are not offered it.

        Once it is at risk you are, when nothing else waits for you.
        """
        reason = self.read(NoteIn)["reason"]
        return self.once(
            lambda: self.whole(queue.skip(prior_auth_id=prior_auth_id, reason=reason, by=self.actor, now=self.now))
        )


class LoadOut(serializers.Serializer[Any]):
    """What one reviewer has."""

    person = serializers.UUIDField(source="person_id")
    name = serializers.CharField()
    in_hand = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="Waiting for the clinic's answers.")
    at_risk = serializers.IntegerField(help_text="Due within eight hours, or overdue.")
    is_absent = serializers.BooleanField()


class WorkloadOut(serializers.Serializer[Any]):
    results = LoadOut(many=True)


class WorkloadView(Door):
    @extend_schema(operation_id="read_workload", tags=["review queue"], responses=WorkloadOut)
    def get(self, request: Request) -> Response:
        """Tell how much each reviewer of your insurer has."""
        return Response(WorkloadOut({"results": review_queue.workload(self.actor, now=self.now)}).data)


class AbsenceIn(In):
    """From when to when somebody is away."""

    starts_at = Instant()
    ends_at = Instant()
    person = serializers.UUIDField(
        source="person_id", required=False, help_text="Who, where an administrator says it; left out it is you."
    )


class BackIn(In):
    """Who is back, and from which absence."""

    starts_at = Instant(required=False, help_text="When the absence starts; left out it is the one that runs.")
    person = serializers.UUIDField(
        source="person_id", required=False, help_text="Who, where an administrator says it; left out it is you."
    )


class AbsenceOut(serializers.Serializer[Any]):
    person = PersonOut()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class AbsencesOut(serializers.Serializer[Any]):
    results = AbsenceOut(many=True)


class AbsencesView(Door):
    @extend_schema(operation_id="list_absences", tags=["review queue"], responses=AbsencesOut)
    def get(self, request: Request) -> Response:
        """List who reviews for your insurer and is away, now or later, the earliest first."""
        found = review_queue.absences(self.actor, now=self.now)
        return Response(AbsencesOut({"results": found}).data)

    @extend_schema(
        operation_id="be_away",
        tags=["review queue"],
        parameters=[IDEMPOTENCY_KEY],
        request=AbsenceIn,
        responses={201: AbsenceOut},
    )
    def post(self, request: Request) -> Response:
        """Note that you are away, or as an administrator that a colleague is: nothing is handed to them meanwhile."""
        values = self.read(AbsenceIn)
        return self.once(lambda: self._be_away(values))

    def _be_away(self, values: dict[str, Any]) -> Response:
        absence = absences.be_away(**values, by=self.actor, now=self.now)
        return Response(AbsenceOut(absence).data, status=201)


class BackView(Door):
    @extend_schema(
        operation_id="be_back",
        tags=["review queue"],
        parameters=[IDEMPOTENCY_KEY],
        request=BackIn,
        responses=AbsencesOut,
    )
    def post(self, request: Request) -> Response:
        """End your absence, or a colleague's, or take back one to come; answer who is still away, or will be."""
        values = self.read(BackIn)
        return self.once(lambda: self._be_back(values))

    def _be_back(self, values: dict[str, Any]) -> Response:
        absences.be_back(**values, by=self.actor, now=self.now)
        return Response(AbsencesOut({"results": review_queue.absences(self.actor, now=self.now)}).data)
