"""Refusals, in the words of RFC 9457. One table turns a stable code into an HTTP status."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.settings import api_settings

from authz.errors import AuthzError, InvalidInput

MEDIA_TYPE: Final = "application/problem+json"
API_PREFIX: Final = "/api/"

STATUS: Final[dict[str, int]] = {
    # who is asking
    "not-authenticated": 401,
    "token-refused": 401,
    "log-in-refused": 401,
    "second-factor-needed": 401,
    "second-factor-missing": 403,
    "too-many-log-ins": 429,
    "organization-needed": 422,
    "forbidden": 403,
    "insufficient-scope": 403,
    "licence-needed": 403,
    "specialty-needed": 403,
    "person-needed": 403,
    "reviewer-needed": 403,
    # what is asked for
    "not-found": 404,
    "unknown-policy": 404,
    "unknown-regime": 404,
    "method-not-allowed": 405,
    "not-acceptable": 406,
    # what was sent
    "malformed-body": 400,
    "malformed-request": 400,
    "length-required": 411,
    "body-too-large": 413,
    "unsupported-media-type": 415,
    "invalid-input": 422,
    "regime-not-for-drugs": 422,
    "not-ready": 422,
    "file-refused": 422,
    "file-infected": 422,
    "import-too-large": 413,
    "import-truncated": 422,
    "import-unreadable": 422,
    # when it was sent
    "illegal-step": 409,
    "not-with-independent-reviewer": 409,
    "already-open": 409,
    "patient-of-yours": 409,
    "asked-anew": 409,
    "new-fact-needed": 409,
    "not-in-hand": 409,
    "conflict-of-interest": 403,
    "nothing-to-forward": 409,
    "nothing-to-attest": 409,
    "return-not-allowed": 409,
    "same-urgency": 409,
    "speed-not-refusable": 409,
    "extension-not-allowed": 409,
    "time-is-over": 409,
    "decided-by-law": 409,
    "reopening-too-late": 409,
    "under-appeal": 409,
    "with-independent-reviewer": 409,
    "nothing-to-talk-about": 409,
    "already-offered": 409,
    "nothing-to-appeal": 409,
    "already-appealed": 409,
    "appeal-too-late": 409,
    "appeal-not-forwarded": 409,
    "second-person-needed": 409,
    "already-read": 409,
    "another-decider-needed": 403,
    "answers-closed": 409,
    "policy-closed": 409,
    "patients-shared-by-others": 409,
    "lease-held-by-another": 409,
    "limit-reached": 409,
    "too-many-clients": 409,
    "too-many-invitations": 409,
    "invitation-ended": 409,
    "client-deactivated": 409,
    "endpoint-not-active": 409,
    "delivery-waiting": 409,
    "stale-version": 412,
    "if-match-required": 428,
    "if-match-invalid": 400,
    "idempotency-key-required": 400,
    "idempotency-key-invalid": 400,
    "idempotency-key-reused": 422,
    "throttled": 429,
    "scanner-unavailable": 503,
    # ourselves
    "server-error": 500,
}
"""Every code and its status. A new AuthzError needs a row here and a paragraph in docs/problems.md."""

_FRAMEWORK: Final[list[tuple[type[exceptions.APIException], str]]] = [
    (exceptions.ParseError, "malformed-body"),
    (exceptions.NotAuthenticated, "not-authenticated"),
    (exceptions.AuthenticationFailed, "token-refused"),
    (exceptions.PermissionDenied, "forbidden"),
    (exceptions.NotFound, "not-found"),
    (exceptions.MethodNotAllowed, "method-not-allowed"),
    (exceptions.NotAcceptable, "not-acceptable"),
    (exceptions.UnsupportedMediaType, "unsupported-media-type"),
    (exceptions.Throttled, "throttled"),
]
_NO_ADDRESS = "There is nothing at this address. Every address of the API ends with a slash."
_CHALLENGE = 'Bearer realm="authz"'
# Beside 401, what RFC 6750 has a challenge for.
_TOLD = frozenset({"insufficient-scope"})


def as_problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the answer to an exception raised in a view; None lets Django answer 500 without a trace."""
    request = context["request"]
    if isinstance(error, AuthzError):
        return _answer(request.path, error.code, error.detail, errors=_field_errors(error), more=error.context)
    if isinstance(error, exceptions.ValidationError):
        found = [_field_error(path, str(leaf), leaf.code or "invalid") for path, leaf in _leaves(error.detail)]
        return _answer(request.path, InvalidInput.code, "Some fields are not right.", errors=found)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        return _of_framework(request.path, error)
    return None


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that matches nothing: a problem below /api/, a page elsewhere."""
    if request.path.startswith(API_PREFIX):
        return _outside_a_view(request, "not-found", _NO_ADDRESS)
    return defaults.page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django refuses before any view sees it, such as a foreign Host header."""
    if request.path.startswith(API_PREFIX):
        return _outside_a_view(request, "malformed-request", "The request cannot be read.")
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer our own fault, without saying anything of its inside."""
    if request.path.startswith(API_PREFIX):
        return _outside_a_view(request, "server-error", "Something went wrong on our side; nothing was changed.")
    return defaults.server_error(request)


def problem(path: str, code: str, detail: str, *, more: Mapping[str, object] | None = None) -> dict[str, object]:
    """Return the members of a problem: `type` is the address of the paragraph that explains the code."""
    return {
        **(more or {}),
        "type": f"{settings.BASE_URL}/api/problems/#{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": STATUS[code],
        "code": code,
        "detail": detail,
        "instance": path,
    }


def _answer(
    path: str,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    members = problem(path, code, detail, more=more)
    if errors:
        members["errors"] = errors
    headers = {"WWW-Authenticate": _challenge(code, more)} if STATUS[code] == 401 or code in _TOLD else {}
    return Response(members, status=STATUS[code], headers=headers, content_type=MEDIA_TYPE)


def _challenge(code: str, more: Mapping[str, object] | None) -> str:
    if code == "insufficient-scope":
        return f'{_CHALLENGE}, error="insufficient_scope", scope="{(more or {}).get("scope", "")}"'
    return f'{_CHALLENGE}, error="invalid_token"' if code == "token-refused" else _CHALLENGE


def _of_framework(path: str, error: exceptions.APIException) -> Response:
    code = next((code for kind, code in _FRAMEWORK if isinstance(error, kind)), "server-error")
    answer = _answer(path, code, str(error.detail))
    wait = getattr(error, "wait", None)
    if wait is not None:
        answer["Retry-After"] = str(int(wait))
    return answer


def _outside_a_view(request: HttpRequest, code: str, detail: str) -> HttpResponse:
    body = JSONRenderer().render(problem(request.path, code, detail))
    return HttpResponse(body, status=STATUS[code], content_type=MEDIA_TYPE)


def _field_errors(error: AuthzError) -> list[dict[str, str]]:
    fields: Mapping[str, list[str]] = getattr(error, "fields", {})
    return [_field_error(name, sentence, "invalid") for name, found in fields.items() for sentence in found]


def _field_error(path: str, sentence: str, code: str) -> dict[str, str]:
    return {"field": path, "code": code.replace("_", "-"), "detail": sentence}


def _leaves(detail: Any, path: str = "") -> Iterator[tuple[str, exceptions.ErrorDetail]]:
    """Yield every error with its dotted path, such as `items[3].days_supply`."""
    if isinstance(detail, exceptions.ErrorDetail):
        yield path, detail
    elif isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _leaves(inner, _below(path, name))
    else:
        for place, inner in enumerate(detail):
            yield from _leaves(inner, path if isinstance(inner, exceptions.ErrorDetail) else f"{path}[{place}]")


def _below(path: str, name: object) -> str:
    if name == api_settings.NON_FIELD_ERRORS_KEY:
        return path
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else str(name)
