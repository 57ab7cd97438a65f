"""The lives of a request and of an appeal as data: what a caller may build its buttons from."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Role
from authz.api.appeal_steps import APPEAL_DOORS
from authz.api.fields import Word
from authz.api.prior_auth_steps import DOORS, StepDoor
from authz.api.views import Door
from authz.prior_auths import appeal_lifecycle
from authz.prior_auths.appeal_lifecycle import AppealState, AppealStep
from authz.prior_auths.lifecycle import ACTIVE, ENDED, TABLE, State, Step
from authz.prior_auths.transition import StateT, StepT, Transition


class _RowOut(serializers.Serializer[Any]):
    by = serializers.ListField(child=Word(Role))
    announces = serializers.CharField(help_text="The topic others hear of; empty when nobody needs to.")
    address = serializers.CharField(help_text="Last part of the address; empty for steps nobody takes on it there.")
    needs_if_match = serializers.BooleanField()
    needs_idempotency_key = serializers.BooleanField()


class StepOut(_RowOut):
    """`sources` is empty for a step that opens a request; `address` for steps nobody takes on one over the API."""

    step = Word(Step)
    sources = serializers.ListField(child=Word(State))
    target = Word(State, allow_null=True, help_text="Null for a step that leaves the request where it is.")


class AppealStepOut(_RowOut):
    """`sources` is empty for filing, which is done on the request."""

    step = Word(AppealStep)
    sources = serializers.ListField(child=Word(AppealState))
    target = Word(AppealState, allow_null=True)


class AppealLifecycleOut(serializers.Serializer[Any]):
    """The life of an appeal, a child case of the request."""

    active = serializers.ListField(child=Word(AppealState))
    ended = serializers.ListField(child=Word(AppealState))
    steps = AppealStepOut(many=True)


class LifecycleOut(serializers.Serializer[Any]):
    active = serializers.ListField(child=Word(State))
    ended = serializers.ListField(child=Word(State))
    steps = StepOut(many=True)
    appeals = AppealLifecycleOut()


class LifecycleView(Door):
    """Says nothing about anybody, so it needs no token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="read_lifecycle", tags=["meta"], auth=[], responses=LifecycleOut)
    def get(self, request: Request) -> Response:
        """Tell the states of a request and of an appeal, and every step with who may take it from where."""
        answer = {
            "active": [state.value for state in State if state in ACTIVE],
            "ended": [state.value for state in State if state in ENDED],
            "steps": _rows(State, TABLE, DOORS),
            "appeals": {
                "active": [state.value for state in AppealState if state in appeal_lifecycle.UNDECIDED],
                "ended": [state.value for state in AppealState if state in appeal_lifecycle.ENDED],
                "steps": _rows(AppealState, appeal_lifecycle.TABLE, APPEAL_DOORS),
            },
        }
        return Response(LifecycleOut(answer).data)


def _rows(
    states: type[StateT], table: Mapping[StepT, Transition[StateT]], doors: Mapping[StepT, StepDoor]
) -> list[dict[str, Any]]:
    return [
        {
            "step": step.value,
            "sources": [state.value for state in states if state in transition.sources],
            "target": transition.target.value if transition.target else None,
            "by": [role.value for role in Role if role in transition.by],
            "announces": transition.says,
            "address": doors[step].address if step in doors else "",
            "needs_if_match": step in doors and doors[step].needs_version,
            "needs_idempotency_key": step in doors and doors[step].needs_key,
        }
        for step, transition in table.items()
    ]
