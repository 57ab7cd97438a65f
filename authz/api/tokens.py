"""Log in for a bearer token, and log out."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access import services
from authz.access.source import source_of
from authz.api.fields import In, PublicId, Secret, Text
from authz.api.organizations import OrganizationOut
from authz.api.views import Door


class PersonLogIn(In):
    """`code` only for whoever has a second factor; `organization` only for whoever belongs to several."""

    email = Text(max_length=254)
    password = Secret(max_length=1024)
    code = Secret(max_length=32, required=False, default="", help_text="Of an authenticator app, or a recovery code.")
    organization = PublicId(required=False, allow_null=True, default=None)


class TokenOut(serializers.Serializer[Any]):
    """The token is shown this once. Send it as `Authorization: Bearer <token>`."""

    token = serializers.CharField()
    token_type = serializers.CharField()
    expires_at = serializers.DateTimeField()
    organization = OrganizationOut()


class TokensView(Door):
    """Every log-in gives a new token; an Idempotency-Key is ignored here, because answers to it are kept."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    problem_statuses: ClassVar[tuple[int, ...]] = (401, 403, 429)

    @extend_schema(
        operation_id="log_in",
        tags=["tokens"],
        auth=[],
        request=PersonLogIn,
        responses={201: TokenOut},
    )
    def post(self, request: Request) -> Response:
        """Exchange a person's e-mail address, password and code for a token. Machines get theirs at `/oauth/token`."""
        given = self.read(PersonLogIn)
        text, token = services.log_in(
            email=given["email"],
            password=given["password"],
            organization_id=given["organization"],
            code=given["code"],
            source=source_of(request.META),
            now=self.now,
        )
        answer = {
            "token": text,
            "token_type": "Bearer",
            "expires_at": token.expires_at,
            "organization": token.organization,
        }
        return Response(TokenOut(answer).data, status=201)


class CurrentTokenView(Door):
    @extend_schema(operation_id="log_out", tags=["tokens"], responses={204: None})
    def delete(self, request: Request) -> Response:
        """End the token that this request carries."""
        services.revoke_token(token=str(request.auth), now=self.now)
        return Response(status=204)
