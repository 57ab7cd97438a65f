"""Versions on the wire: `ETag: "7"` tells the version of what was read, `If-Match: "7"` acts only on that one.

A list that is polled has a weak one: `If-None-Match` with it is answered 304 while nothing has changed.
"""

import re
from hashlib import sha256

from rest_framework.request import Request

from authz.errors import AuthzError

_VERSION = re.compile(r'"([0-9]{1,9})"')


class IfMatchRequired(AuthzError):
    """A decision must say on which version of what was read it was made."""

    code = "if-match-required"


class IfMatchInvalid(AuthzError):
    """The If-Match header is not one version in quotation marks."""

    code = "if-match-invalid"


def etag(version: int) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def expected_version(request: Request, *, is_required: bool) -> int | None:
    """Return the version that If-Match names; None without that header.

    :raises IfMatchRequired: when there is none and the step needs one.
    :raises IfMatchInvalid: for anything but one strong ETag; `*` would match every version and so protect from nothing.
    """
    header = request.headers.get("If-Match")
    if header is None and is_required:
        raise IfMatchRequired("Send If-Match with the ETag of what you decide on, as you read it.")
    if header is None:
        return None
    match = _VERSION.fullmatch(header.strip())
    if match is None:
        raise IfMatchInvalid('If-Match must be one ETag as this API gave it, such as "7".')
    return int(match[1])


def weak_etag(*parts: object) -> str:
    """Return the ETag of an answer that these parts determine."""
    return f'W/"{sha256(repr(parts).encode()).hexdigest()[:32]}"'


def is_unchanged(request: Request, tag: str) -> bool:
    """Say whether the caller has the answer of this ETag already, by If-None-Match (RFC 9110, 13.1.2: weakly)."""
    had = {one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")}
    return "*" in had or tag.removeprefix("W/") in had
