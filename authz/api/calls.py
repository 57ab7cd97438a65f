"""Peer-to-peer calls: offered on a request, a time agreed on by both sides, what came of it."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Actor
from authz.api.etags import etag, expected_version
from authz.api.fields import In, Instant, OneOf, PublicId, Text, Word
from authz.api.prior_auth_in import NoteIn
from authz.api.prior_auth_steps import IF_MATCH, StepDoor, header
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import CallId, PriorAuthId
from authz.prior_auths import calls
from authz.prior_auths.call_lifecycle import MOST_TIMES, TABLE, CallOutcome, CallState, CallStep
from authz.prior_auths.models import Call, CallEvent, CallTime
from authz.prior_auths.services import calling


class TimesIn(In):
    """Times to choose from, which lie ahead. They stand instead of those there were."""

    times = serializers.ListField(child=Instant(), min_length=1, max_length=MOST_TIMES)


class OfferIn(In):
    """Times to choose from, which lie ahead; who offers may leave them to the clinic, who asks names one."""

    times = serializers.ListField(child=Instant(), max_length=MOST_TIMES, required=False, default=list)


class ChooseIn(In):
    """The id of the time that is chosen."""

    time = PublicId(source="time_id")


class ConcludeIn(In):
    """What came of the call, and what was said, in a sentence."""

    outcome = OneOf(CallOutcome)
    reason = Text(max_length=2000)

    def validate_outcome(self, outcome: str) -> CallOutcome:
        return CallOutcome(outcome)


class CallTimeOut(serializers.Serializer[CallTime]):
    """One time to choose."""

    id = serializers.UUIDField(source="public_id")
    starts_at = serializers.DateTimeField()


class CallEventOut(serializers.Serializer[CallEvent]):
    """One step that was taken."""

    sequence = serializers.IntegerField()
    step = Word(CallStep)
    to_state = Word(CallState)
    at = serializers.DateTimeField()
    actor_name = serializers.CharField()
    note = serializers.CharField()


class CallOut(serializers.Serializer[Call]):
    """A peer-to-peer call on a request. It decides nothing. `version` is its ETag, in quotation marks."""

    id = serializers.UUIDField(source="public_id")
    version = serializers.IntegerField()
    prior_authorization = serializers.UUIDField(source="prior_auth.public_id")
    number = serializers.CharField(source="prior_auth.number", help_text="The request's number.")
    state = Word(CallState)
    is_required = serializers.BooleanField(help_text="Whether the request's regime requires the offer.")
    offered_at = serializers.DateTimeField(help_text="When it was offered, or asked for.")
    times = serializers.SerializerMethodField(help_text="To choose from now; those of the side that spoke last.")
    starts_at = serializers.DateTimeField(allow_null=True, help_text="The time agreed on.")
    outcome = serializers.CharField(help_text="What came of it; empty until it is concluded.")
    events = CallEventOut(many=True)
    allowed_steps = serializers.SerializerMethodField(help_text="What you may do with it now.")

    @extend_schema_field(CallTimeOut(many=True))
    def get_times(self, call: Call) -> list[dict[str, Any]]:
        return [dict(CallTimeOut(time).data) for time in calls.times(call)]

    @extend_schema_field(serializers.ListField(child=Word(CallStep)))
    def get_allowed_steps(self, call: Call) -> list[str]:
        return [step.value for step in calls.allowed_steps(call, self.context["by"])]


CALL_DOORS: dict[CallStep, StepDoor] = {
    CallStep.OFFER_TIMES: StepDoor(
        take=calling.offer_times, expects=TimesIn, says="Offer, as the insurer, other times.", address="offer-times"
    ),
    CallStep.PROPOSE_TIMES: StepDoor(
        take=calling.propose_times,
        expects=TimesIn,
        says="Propose, as the clinic, other times.",
        address="propose-times",
    ),
    CallStep.ACCEPT: StepDoor(
        take=calling.accept, expects=ChooseIn, says="Accept one of the insurer's times.", address="accept"
    ),
    CallStep.CONFIRM: StepDoor(
        take=calling.confirm, expects=ChooseIn, says="Confirm one of the clinic's times.", address="confirm"
    ),
    CallStep.DECLINE: StepDoor(take=calling.decline, expects=NoteIn, says="Do without the call.", address="decline"),
    CallStep.CONCLUDE: StepDoor(
        take=calling.conclude, expects=ConcludeIn, says="Record what came of the call.", address="conclude"
    ),
}
"""Every step that people take on a call. A row in the calls' table needs one here, or a test says so."""


class RequestCallsView(Listing):
    problem_statuses: ClassVar[tuple[int, ...]] = (409,)
    queryset = Call.objects.none()
    serializer_class = CallOut

    @extend_schema(operation_id="list_calls", tags=["peer-to-peer calls"], responses=CallOut(many=True))
    def get(self, request: Request, prior_auth_id: PriorAuthId) -> Response:
        """List the peer-to-peer calls on a request, newest first."""
        return self.listed(calls.calls_of(self.actor, prior_auth_id))

    @extend_schema(
        operation_id="offer_call",
        tags=["peer-to-peer calls"],
        parameters=[IDEMPOTENCY_KEY],
        request=OfferIn,
        responses={201: CallOut},
    )
    def post(self, request: Request, prior_auth_id: PriorAuthId) -> Response:
        """Offer the prescriber a call on a request in review, or decided against; as the clinic, ask for one."""
        values = self.read(OfferIn)
        return self.once(lambda: self._begin(prior_auth_id, values))

    def _begin(self, prior_auth_id: PriorAuthId, values: dict[str, Any]) -> Response:
        begin = calling.ask_for if TABLE[CallStep.OFFER].by.isdisjoint(self.actor.roles) else calling.offer
        begun = begin(prior_auth_id=prior_auth_id, by=self.actor, now=self.now, **values)
        answer = _whole(CallId(begun.public_id), self.actor)
        answer.status_code = 201
        return answer

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "by": self.request.user}


class CallView(Door):
    @extend_schema(operation_id="read_call", tags=["peer-to-peer calls"], responses=CallOut)
    def get(self, request: Request, call_id: CallId) -> Response:
        """Read one peer-to-peer call, with what happened."""
        return _whole(call_id, self.actor)


class CallStepView(Door):
    """Take one step; the answer is the call as it is then, with its ETag."""

    problem_statuses: ClassVar[tuple[int, ...]] = (409, 412)
    door: ClassVar[StepDoor]

    def post(self, request: Request, call_id: CallId) -> Response:
        values = self.read(self.door.expects)
        version = expected_version(request, is_required=False)
        answer = self.once(lambda: self._take(call_id, values, version))
        answer["ETag"] = etag(answer.data["version"])
        return answer

    def _take(self, call_id: CallId, values: dict[str, Any], version: int | None) -> Response:
        self.door.take(call_id=call_id, by=self.actor, now=self.now, expected_version=version, **values)
        return _whole(call_id, self.actor)


def call_step_view(step: CallStep) -> type[CallStepView]:
    """Return the view of one step, with its own entry in the OpenAPI document."""
    door = CALL_DOORS[step]
    document = extend_schema(
        operation_id=f"{step.value}_call",
        tags=["peer-to-peer calls"],
        description=door.says,
        parameters=[header(IF_MATCH, required=False), IDEMPOTENCY_KEY],
        request=door.expects,
        responses=CallOut,
    )
    name = f"Call{step.value.title().replace('_', '')}View"
    view: type[CallStepView] = type(name, (CallStepView,), {"door": door, "__doc__": door.says})
    return extend_schema_view(post=document)(view)


def _whole(call_id: CallId, by: Actor) -> Response:
    row = calls.call(by, call_id)
    answer = Response(CallOut(row, context={"by": by}).data)
    answer["ETag"] = etag(row.version)
    return answer
