"""The life of a request as data: what a caller may build its buttons from."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Role
from authz.api.fields import Word
from authz.api.prior_auth_steps import DOORS
from authz.api.views import Door
from authz.prior_auths.lifecycle import ACTIVE, ENDED, TABLE, State, Step
from authz.prior_auths.transition import Transition


class StepOut(serializers.Serializer[Any]):
    """`sources` is empty for a step that opens a request; `address` for steps nobody takes on one over the API."""

    step = Word(Step)
    sources = serializers.ListField(child=Word(State))
    target = Word(State, allow_null=True, help_text="Null for a step that leaves the request where it is.")
    by = serializers.ListField(child=Word(Role))
    announces = serializers.CharField(help_text="The topic others hear of; empty when nobody needs to.")
    address = serializers.CharField(help_text="Last part of the address; empty for the system's own steps.")
    needs_if_match = serializers.BooleanField()
    needs_idempotency_key = serializers.BooleanField()


class LifecycleOut(serializers.Serializer[Any]):
    active = serializers.ListField(child=Word(State))
    ended = serializers.ListField(child=Word(State))
    steps = StepOut(many=True)


class LifecycleView(Door):
    """Says nothing about anybody, so it needs no token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="read_lifecycle", tags=["meta"], auth=[], responses=LifecycleOut)
    def get(self, request: Request) -> Response:
        """Tell the states of a request, and every step with who may take it from where."""
        answer = {
            "active": [state.value for state in State if state in ACTIVE],
            "ended": [state.value for state in State if state in ENDED],
            "steps": [_row(step, transition) for step, transition in TABLE.items()],
        }
        return Response(LifecycleOut(answer).data)


def _row(step: Step, transition: Transition[State]) -> dict[str, Any]:
    door = DOORS.get(step)
    return {
        "step": step.value,
        "sources": [state.value for state in State if state in transition.sources],
        "target": transition.target.value if transition.target else None,
        "by": [role.value for role in Role if role in transition.by],
        "announces": transition.says,
        "address": door.address if door else "",
        "needs_if_match": door is not None and door.needs_version,
        "needs_idempotency_key": door is not None and door.needs_key,
    }
