"""The machines of one's own organization. Its administrators alone are let in."""

from datetime import timedelta
from typing import Any, ClassVar

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.machines.scopes import EVERYTHING
from authz.access.models import ApiClient
from authz.access.roles import Action, Role, must_be_allowed
from authz.administration import selectors
from authz.administration.services import clients
from authz.api.fields import In, OneOf, Text, WholeNumber, Word
from authz.api.schema import GIVEN_ROLES
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import ApiClientId

TAG = ["API clients"]
_SECRET = {"client_secret"}
_LONGEST_OVERLAP_HOURS = 7 * 24


class ApiClientIn(In):
    """Without keys or an address of keys, a secret is made."""

    name = Text(max_length=100)
    roles = serializers.ListField(child=OneOf(GIVEN_ROLES), min_length=1, max_length=len(Role))
    scopes = serializers.ListField(
        child=Text(max_length=80), required=False, default=lambda: list(EVERYTHING), min_length=1, max_length=50,
        help_text="What its tokens may cover at most, such as `system/Patient.rs`; all its roles allow when left out.",
    )  # fmt: skip
    jwks = serializers.JSONField(required=False, default=None, help_text="A JSON Web Key Set of public keys.")
    jwks_url = Text(max_length=500, required=False, default="", help_text="Where its key set is published.")
    requests_a_minute = WholeNumber(min_value=1, max_value=100_000, required=False, allow_null=True, default=None)


class ApiClientChangeIn(In):
    """What is left out stays as it is. Keys or their address take the place of a secret, and of each other."""

    scopes = serializers.ListField(child=Text(max_length=80), required=False, min_length=1, max_length=50)
    jwks = serializers.JSONField(required=False)
    jwks_url = Text(max_length=500, required=False)
    requests_a_minute = WholeNumber(min_value=1, max_value=100_000, required=False)


class SecretRotationIn(In):
    overlap_hours = WholeNumber(
        min_value=0, max_value=_LONGEST_OVERLAP_HOURS, required=False, default=24,
        help_text="For how long the secret before still holds; 0 when it is no secret any more.",
    )  # fmt: skip


class ApiClientOut(serializers.Serializer[ApiClient]):
    id = serializers.UUIDField(source="public_id", help_text="Its `client_id`.")
    name = serializers.CharField()
    roles = serializers.ListField(child=Word(Role))
    scopes = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField()
    registered_at = serializers.DateTimeField(allow_null=True)
    requests_a_minute = serializers.IntegerField(allow_null=True, help_text="Null: as many as the deployment allows.")
    jwks = serializers.JSONField(allow_null=True)
    jwks_url = serializers.CharField()
    keys_fetched_at = serializers.DateTimeField(source="fetched_at", allow_null=True)
    previous_secret_until = serializers.DateTimeField(allow_null=True, help_text="Until when the secret before holds.")


class ApiClientWithSecretOut(ApiClientOut):
    client_secret = serializers.CharField(
        allow_null=True, help_text="Shown this once; null for a client with keys, and when an answer is repeated."
    )


class _Administered(Door):
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        must_be_allowed(self.actor, Action.MANAGE_CLIENTS)


class ApiClientsView(_Administered, Listing):
    queryset = ApiClient.objects.none()
    serializer_class = ApiClientOut
    problem_statuses: ClassVar[tuple[int, ...]] = (409,)

    @extend_schema(operation_id="list_api_clients", tags=TAG, responses=ApiClientOut(many=True))
    def get(self, request: Request) -> Response:
        """List your organization's machines, newest first, deactivated ones too."""
        return self.listed(selectors.clients(self.actor))

    @extend_schema(
        operation_id="register_api_client",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=ApiClientIn,
        responses={201: ApiClientWithSecretOut},
    )
    def post(self, request: Request) -> Response:
        """Register a machine, with keys of its own or with a secret, which is in this answer and never again."""
        values = self.read(ApiClientIn)
        values["roles"] = {Role(role) for role in values["roles"]}
        return self.once(lambda: self._register(values), unkept=_SECRET)

    def _register(self, values: dict[str, Any]) -> Response:
        row, secret = clients.register(**values, by=self.actor, now=self.now)
        answer = _with_secret(row, secret or None, status=201)
        answer["Location"] = reverse("api:api-client", args=[row.public_id])
        return answer


class ApiClientView(_Administered):
    problem_statuses: ClassVar[tuple[int, ...]] = (409,)

    @extend_schema(operation_id="read_api_client", tags=TAG, responses=ApiClientOut)
    def get(self, request: Request, client_id: ApiClientId) -> Response:
        """Read one machine."""
        return Response(ApiClientOut(selectors.client(self.actor, client_id)).data)

    @extend_schema(operation_id="change_api_client", tags=TAG, request=ApiClientChangeIn, responses=ApiClientOut)
    def patch(self, request: Request, client_id: ApiClientId) -> Response:
        """Change a machine's scopes, limit or keys."""
        values = self.read(ApiClientChangeIn)
        row = clients.change(client_id=client_id, **values, by=self.actor, now=self.now)
        return Response(ApiClientOut(row).data)

    @extend_schema(operation_id="deactivate_api_client", tags=TAG, responses={204: None})
    def delete(self, request: Request, client_id: ApiClientId) -> Response:
        """Deactivate a machine for good; its tokens end at once."""
        clients.deactivate(client_id=client_id, by=self.actor, now=self.now)
        return Response(status=204)


class ClientSecretRotationView(_Administered):
    problem_statuses: ClassVar[tuple[int, ...]] = (409,)

    @extend_schema(
        operation_id="rotate_api_client_secret",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=SecretRotationIn,
        responses=ApiClientWithSecretOut,
    )
    def post(self, request: Request, client_id: ApiClientId) -> Response:
        """Get a new secret, shown this once. The one before holds beside it for `overlap_hours`; keys end at once."""
        overlap = timedelta(hours=self.read(SecretRotationIn)["overlap_hours"])
        return self.once(lambda: self._rotate(client_id, overlap), unkept=_SECRET)

    def _rotate(self, client_id: ApiClientId, overlap: timedelta) -> Response:
        return _with_secret(*clients.rotate_secret(client_id=client_id, overlap=overlap, by=self.actor, now=self.now))


def _with_secret(row: ApiClient, secret: str | None, *, status: int = 200) -> Response:
    return Response({**ApiClientOut(row).data, "client_secret": secret}, status=status)
