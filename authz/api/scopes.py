"""A machine's token covers what its scopes name, and no more. People's tokens are not narrowed."""

from typing import Any, Final

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from authz.access.machines.areas import TYPE_OF_ADDRESS, TYPE_OF_AREA
from authz.access.machines.scopes import Need, cover
from authz.access.roles import Actor
from authz.errors import AuthzError

# One may always ask who one is, and end one's own token.
_FREE: Final = frozenset({"my-organization", "current-token"})
_VERSION: Final = "v1"


class InsufficientScope(AuthzError):
    """The token's scopes do not cover this request; `scope` is the smallest one that would."""

    code = "insufficient-scope"


class WithinScopes(BasePermission):
    """Refuse a machine what none of its token's scopes covers."""

    # `view` has no narrower type here: DRF's views import this module while they are being made.
    def has_permission(self, request: Request, view: Any) -> bool:
        """Let through what is covered.

        :raises InsufficientScope: naming the scope that is missing.
        """
        actor = request.user
        if not isinstance(actor, Actor) or actor.scopes is None:
            return True
        need = need_of(request, is_list=hasattr(view, "listed"))
        if need is not None and not cover(actor.scopes, need):
            raise InsufficientScope(f"The token's scopes do not cover this; {need.scope} would.", scope=need.scope)
        return True


def need_of(request: Request, *, is_list: bool) -> Need | None:
    """Return what a request does, in the words of scopes; None for what any token may."""
    match = request._request.resolver_match
    if match is None or match.url_name is None or match.url_name in _FREE:
        return None
    area = area_of(match.route)
    name = match.url_name
    return Need(area=area, type=TYPE_OF_ADDRESS.get(name, TYPE_OF_AREA[area]), letter=_letter(request.method, is_list))


def area_of(route: str) -> str:
    """Return the first part of an address of the API after its version."""
    return route.partition(f"{_VERSION}/")[2].partition("/")[0]


def _letter(method: str | None, is_list: bool) -> str:
    if method in {"GET", "HEAD", "OPTIONS"}:
        return "s" if is_list else "r"
    if method == "DELETE":
        return "d"
    return "c" if method == "POST" and is_list else "u"
