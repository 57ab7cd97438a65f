"""The reasons an insurer decides by: what ships with the product, in the insurer's own words where it has any."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Action, must_be_allowed
from authz.api.fields import In, Text
from authz.api.views import IDEMPOTENCY_KEY, Door
from authz.policies import services
from authz.policies.reasons import LibraryReason
from authz.policies.selectors import reasons_of


class LibraryReasonIn(In):
    """A reason in the insurer's own words; a code that is known already is said anew."""

    code = Text(max_length=40)
    text = Text(max_length=2000)
    criterion = Text(max_length=500)
    would_change = Text(max_length=1000)


class LibraryReasonOut(serializers.Serializer[LibraryReason]):
    """A coded reason, one sentence a patient can read, the criterion's clause, and what would change it."""

    code = serializers.CharField()
    text = serializers.CharField()
    criterion = serializers.CharField()
    would_change = serializers.CharField()


class ReasonsOut(serializers.Serializer[Any]):
    results = LibraryReasonOut(many=True)


class ReasonsView(Door):
    @extend_schema(operation_id="list_reasons", tags=["policies"], responses=ReasonsOut)
    def get(self, request: Request) -> Response:
        """List the reasons by which your insurer decides against what was asked."""
        must_be_allowed(self.actor, Action.READ_POLICIES)
        return Response(ReasonsOut({"results": list(reasons_of(self.actor.organization).values())}).data)

    @extend_schema(
        operation_id="record_reason",
        tags=["policies"],
        parameters=[IDEMPOTENCY_KEY],
        request=LibraryReasonIn,
        responses={201: LibraryReasonOut},
    )
    def post(self, request: Request) -> Response:
        """Say a reason in your insurer's own words, or add one."""
        must_be_allowed(self.actor, Action.DECIDE_POLICIES)
        reason = LibraryReason(**self.read(LibraryReasonIn))
        return self.once(lambda: self._record(reason))

    def _record(self, reason: LibraryReason) -> Response:
        services.record_reason(reason=reason, by=self.actor, now=self.now)
        return Response(LibraryReasonOut(reason).data, status=201)
