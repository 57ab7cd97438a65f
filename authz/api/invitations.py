"""Inviting people into one's own organization. Its administrators alone are let in."""

from typing import Any, ClassVar

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Action, Role, must_be_allowed
from authz.administration import selectors
from authz.administration.models import Invitation
from authz.administration.services import invitations
from authz.api.fields import In, OneOf, Word
from authz.api.schema import GIVEN_ROLES
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import InvitationId

TAG = ["invitations"]


class InvitationIn(In):
    email = serializers.EmailField(max_length=254)
    roles = serializers.ListField(child=OneOf(GIVEN_ROLES), min_length=1, max_length=len(Role))


class InvitationOut(serializers.Serializer[Invitation]):
    id = serializers.UUIDField(source="public_id")
    email = serializers.CharField()
    roles = serializers.ListField(child=Word(Role))
    invited_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    mailed_at = serializers.DateTimeField(source="sent_at", allow_null=True)
    accepted_at = serializers.DateTimeField(allow_null=True)
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class _Administered(Door):
    problem_statuses: ClassVar[tuple[int, ...]] = (409,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        must_be_allowed(self.actor, Action.MANAGE_PEOPLE)


class InvitationsView(_Administered, Listing):
    queryset = Invitation.objects.none()
    serializer_class = InvitationOut

    @extend_schema(operation_id="list_invitations", tags=TAG, responses=InvitationOut(many=True))
    def get(self, request: Request) -> Response:
        """List who was invited into your organization, newest first."""
        return self.listed(selectors.invitations(self.actor))

    @extend_schema(
        operation_id="invite",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=InvitationIn,
        responses={201: InvitationOut},
    )
    def post(self, request: Request) -> Response:
        """Invite somebody by mail into roles of your organization. The link holds once, and for seven days."""
        values = self.read(InvitationIn)
        return self.once(lambda: self._invite(values["email"], {Role(role) for role in values["roles"]}))

    def _invite(self, email: str, roles: set[Role]) -> Response:
        row = invitations.invite(email=email, roles=roles, by=self.actor, now=self.now)
        answer = Response(InvitationOut(row).data, status=201)
        answer["Location"] = reverse("api:invitation", args=[row.public_id])
        return answer


class InvitationView(_Administered):
    @extend_schema(operation_id="read_invitation", tags=TAG, responses=InvitationOut)
    def get(self, request: Request, invitation_id: InvitationId) -> Response:
        """Read one invitation."""
        return Response(InvitationOut(selectors.invitation(self.actor, invitation_id)).data)

    @extend_schema(operation_id="withdraw_invitation", tags=TAG, responses={204: None})
    def delete(self, request: Request, invitation_id: InvitationId) -> Response:
        """Withdraw an invitation that was not accepted yet."""
        invitations.withdraw(invitation_id=invitation_id, by=self.actor, now=self.now)
        return Response(status=204)
