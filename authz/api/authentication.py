"""Who is asking: a bearer token becomes an Actor, and nothing else does."""

from typing import Any

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from authz import clock
from authz.access.roles import Actor
from authz.access.selectors import TokenRefused, actor_for_token


class TokenAuthentication(BaseAuthentication):
    """Read `Authorization: Bearer <token>`; `request.user` is then the Actor and `request.auth` the token."""

    def authenticate(self, request: Request) -> tuple[Any, str] | None:
        """Return the actor and the token; None without such a header.

        :raises TokenRefused: when the header holds no single token, or one that is unknown, expired or revoked.
        """
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2 or not words[1].isascii():
            raise TokenRefused("The Authorization header must be the word Bearer and one token.")
        token = words[1].decode("ascii")
        return actor_for_token(token, now=clock.now()), token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="authz"'


class IsActor(BasePermission):
    """Let in whoever has at least one role where they act; what each role may do, the services decide."""

    message = "You have no role in this organization."

    # `view` has no narrower type here: DRF's views import this module while they are being made.
    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, Actor) and bool(request.user.roles)
