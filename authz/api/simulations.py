"""What a policy would have changed over recorded history, before anybody activates it: asked for, run by a worker."""

from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Action, must_be_allowed
from authz.api.fields import Day, In, PublicId, WholeNumber, Word
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import PayerPolicyId
from authz.simulations import selectors, services
from authz.simulations.models import Simulation, SimulationState

TAG = ["policies"]


class SimulationIn(In):
    """The days in which requests are counted, both included; without plans, those that name the policy's code."""

    since = Day()
    until = Day()
    plans = serializers.ListField(child=PublicId(), required=False, default=list)
    minutes_a_request = WholeNumber(required=False, default=services.MINUTES_A_REQUEST, min_value=1, max_value=10_000)


class SideOut(serializers.Serializer[Any]):
    """What one policy brings in the period."""

    patients = serializers.IntegerField()
    requests = serializers.IntegerField()
    requests_a_week = serializers.CharField()
    reviewer_hours = serializers.CharField()


class WeekOut(serializers.Serializer[Any]):
    """Requests of the week that begins on a Monday."""

    week_of = serializers.DateField()
    in_force = serializers.IntegerField()
    draft = serializers.IntegerField()


class SimulationReportOut(serializers.Serializer[Any]):
    """Figures only. Mid-therapy: newly caught, in an episode of use that had begun before the period."""

    policy_in_force = serializers.CharField()
    policy_drafted = serializers.CharField()
    plans = serializers.ListField(child=serializers.CharField())
    since = serializers.DateField()
    until = serializers.DateField()
    members = serializers.IntegerField()
    members_with_use = serializers.IntegerField()
    newly_caught = serializers.IntegerField()
    released = serializers.IntegerField()
    caught_by_both = serializers.IntegerField()
    newly_caught_in_mid_therapy = serializers.IntegerField()
    minutes_a_request = serializers.IntegerField()
    in_force = SideOut()
    draft = SideOut()
    by_week = WeekOut(many=True)
    rule_version = serializers.CharField()
    formulary_version = serializers.CharField()


class SimulationOut(serializers.Serializer[Simulation]):
    """A simulation: how far it is, and its figures once it is done."""

    id = serializers.UUIDField(source="public_id")
    policy = serializers.UUIDField(source="policy.public_id")
    since = serializers.DateField()
    until = serializers.DateField()
    minutes_a_request = serializers.IntegerField()
    asked_by = serializers.CharField(source="asked_by.full_name")
    asked_at = serializers.DateTimeField()
    state = Word(SimulationState)
    patients_done = serializers.IntegerField()
    patients_in_all = serializers.IntegerField()
    finished_at = serializers.DateTimeField(allow_null=True)
    report = SimulationReportOut(allow_null=True)


class SimulationsView(Listing):
    queryset = Simulation.objects.none()
    serializer_class = SimulationOut

    @extend_schema(operation_id="list_simulations", tags=TAG, responses=SimulationOut(many=True))
    def get(self, request: Request, policy_id: PayerPolicyId) -> Response:
        """List the simulations of one of your policies, newest first."""
        return self.listed(selectors.simulations(self.actor, policy_id))

    @extend_schema(
        operation_id="ask_simulation",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=SimulationIn,
        responses={202: SimulationOut},
    )
    def post(self, request: Request, policy_id: PayerPolicyId) -> Response:
        """Ask what a policy would have changed for your members. A worker runs it; read the answer's Location again."""
        must_be_allowed(self.actor, Action.DECIDE_POLICIES)
        values = self.read(SimulationIn)
        return self.once(lambda: self._ask(policy_id, values))

    def _ask(self, policy_id: PayerPolicyId, values: dict[str, Any]) -> Response:
        row = services.ask(policy_id=policy_id, **values, by=self.actor, now=self.now)
        answer = Response(SimulationOut(row).data, status=202)
        answer["Location"] = reverse("api:policy-simulation", args=[policy_id, row.public_id])
        return answer


class SimulationView(Door):
    @extend_schema(operation_id="read_simulation", tags=TAG, responses=SimulationOut)
    def get(self, request: Request, policy_id: PayerPolicyId, simulation_id: UUID) -> Response:
        """Read a simulation: how far it is, and its figures once it is done."""
        return Response(SimulationOut(selectors.simulation(self.actor, policy_id, simulation_id)).data)
