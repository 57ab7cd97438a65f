"""The lives of a request, an appeal and a peer-to-peer call as data: what a caller may build its buttons from."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Role
from authz.api.appeal_steps import APPEAL_DOORS
from authz.api.calls import CALL_DOORS
from authz.api.codes_out import CodeMapOut, code_maps
from authz.api.fields import Word
from authz.api.prior_auth_steps import DOORS, StepDoor
from authz.api.views import Door
from authz.prior_auths import appeal_lifecycle, call_lifecycle
from authz.prior_auths.appeal_lifecycle import AppealState, AppealStep
from authz.prior_auths.call_lifecycle import CallState, CallStep
from authz.prior_auths.lifecycle import ACTIVE, TABLE, State, Step
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
    before_decision = serializers.BooleanField(help_text="Not open to a reopened request, whose determination stands.")


class AppealStepOut(_RowOut):
    """`sources` is empty for filing, which is done on the request; a document is added with those of the request."""

    step = Word(AppealStep)
    sources = serializers.ListField(child=Word(AppealState))
    target = Word(AppealState, allow_null=True)


class AppealLifecycleOut(serializers.Serializer[Any]):
    """The life of an appeal, a child case of the request."""

    active = serializers.ListField(child=Word(AppealState))
    ended = serializers.ListField(child=Word(AppealState))
    steps = AppealStepOut(many=True)


class CallStepOut(_RowOut):
    """`sources` is empty for the offer, which is made on the request."""

    step = Word(CallStep)
    sources = serializers.ListField(child=Word(CallState))
    target = Word(CallState, allow_null=True)


class CallLifecycleOut(serializers.Serializer[Any]):
    """The life of a peer-to-peer call, a record of its own on the request."""

    active = serializers.ListField(child=Word(CallState))
    ended = serializers.ListField(child=Word(CallState))
    steps = CallStepOut(many=True)


class LifecycleOut(serializers.Serializer[Any]):
    active = serializers.ListField(child=Word(State))
    ended = serializers.ListField(child=Word(State))
    steps = StepOut(many=True)
    appeals = AppealLifecycleOut()
    peer_to_peer = CallLifecycleOut()
    codes = CodeMapOut(many=True, help_text="What a request says in the words of other systems.")


class LifecycleView(Door):
    """Says nothing about anybody, so it needs no token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="read_lifecycle", tags=["meta"], auth=[], responses=LifecycleOut)
    def get(self, request: Request) -> Response:
        """Tell the states of requests, appeals and peer-to-peer calls, and each step with who may take it whence."""
        answer = {
            **_life(State, ACTIVE, TABLE, DOORS),
            "appeals": _life(AppealState, appeal_lifecycle.UNDECIDED, appeal_lifecycle.TABLE, APPEAL_DOORS),
            "peer_to_peer": _life(CallState, call_lifecycle.OPEN, call_lifecycle.TABLE, CALL_DOORS),
            "codes": list(code_maps()),
        }
        return Response(LifecycleOut(answer).data)


def _life(
    states: type[StateT],
    active: Collection[StateT],
    table: Mapping[StepT, Transition[StateT]],
    doors: Mapping[StepT, StepDoor],
) -> dict[str, Any]:
    return {
        "active": [state.value for state in states if state in active],
        "ended": [state.value for state in states if state not in active],
        "steps": [_row(states, step, transition, doors.get(step)) for step, transition in table.items()],
    }


def _row(states: type[StateT], step: StrEnum, transition: Transition[StateT], door: StepDoor | None) -> dict[str, Any]:
    return {
        "step": step.value,
        "sources": [state.value for state in states if state in transition.sources],
        "target": transition.target.value if transition.target else None,
        "before_decision": transition.before_decision,
        "by": [role.value for role in Role if role in transition.by],
        "announces": transition.says,
        "address": door.address if door else "",
        "needs_if_match": door is not None and door.needs_version,
        "needs_idempotency_key": door is not None and door.needs_key,
    }
