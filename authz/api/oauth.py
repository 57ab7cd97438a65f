"""The token endpoint for machines (RFC 6749, client credentials), and what SMART asks to be told of it.

It speaks OAuth, not the API: forms in, and refusals in the words of RFC 6749.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from authz import clock
from authz.access.machines import services as machines
from authz.access.machines.scopes import EVERYTHING, TYPES, ScopeRefused
from authz.access.machines.services import ClientRefused
from authz.access.models import AccessToken
from authz.access.source import source_of
from authz.api.rates import limiter

FORM: Final = "application/x-www-form-urlencoded"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MOST_BYTES: Final = 16 * 1024
_MOST_FIELDS: Final = 20


class _Refused(Exception):
    def __init__(self, error: str, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.error, self.status = error, status


def token_url() -> str:
    """Return the address of the token endpoint, which is also the audience of what is signed for it."""
    return f"{settings.BASE_URL}/oauth/token"


@csrf_exempt
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """Exchange a machine's proof of who it is for a token that lives five minutes at most."""
    rate = limiter().admit(f"token-endpoint:{source_of(request.META)}", limit=settings.MACHINE_LOG_INS_A_MINUTE)
    if rate is not None and not rate.is_within:
        body = {"error": "temporarily_unavailable", "error_description": "Too many requests. Try again later."}
        return JsonResponse(body, status=429, headers={"Retry-After": str(rate.wait), **_NOT_KEPT})
    try:
        text, issued = _exchanged(request)
    except _Refused as refusal:
        return _refusal(refusal)
    except ClientRefused as refused:
        return _refusal(_Refused("invalid_client", str(refused), 401))
    except ScopeRefused as refused:
        return _refusal(_Refused("invalid_scope", str(refused)))
    answer = {
        "access_token": text,
        "token_type": "bearer",
        "expires_in": int((issued.expires_at - issued.issued_at).total_seconds()),
        "scope": " ".join(issued.scopes or ()),
    }
    return JsonResponse(answer, headers=_NOT_KEPT)


@require_safe
def smart_configuration(_request: HttpRequest) -> HttpResponse:
    """Tell how a machine gets a token (SMART App Launch 2, Backend Services)."""
    return JsonResponse(
        {
            "token_endpoint": token_url(),
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": [
                "private_key_jwt",
                "client_secret_basic",
                "client_secret_post",
            ],
            "token_endpoint_auth_signing_alg_values_supported": ["ES384", "RS384"],
            "scopes_supported": [*EVERYTHING, *(f"system/{name}.cruds" for name in sorted(TYPES))],
            "capabilities": ["client-confidential-asymmetric", "client-confidential-symmetric", "permission-v2"],
        },
        headers={"Cache-Control": "max-age=3600"},
    )


_NOT_KEPT: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def _exchanged(request: HttpRequest) -> tuple[str, AccessToken]:
    form = _form(request)
    if form.get("grant_type") != "client_credentials":
        raise _Refused("unsupported_grant_type", "The only grant_type here is client_credentials.")
    basic = request.headers.get("Authorization")
    ways = [name for name in ("client_assertion", "client_secret") if name in form]
    if len(ways) + (basic is not None) > 1:
        raise _Refused("invalid_request", "Prove who you are in one way only.")
    scope, now = form.get("scope"), clock.now()
    if "client_assertion" in form:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise _Refused("invalid_request", f"The client_assertion_type must be {ASSERTION_TYPE}.")
        return machines.issue_for_assertion(
            assertion=form["client_assertion"],
            client_id=form.get("client_id"),
            audience=token_url(),
            scope=scope,
            now=now,
        )
    client_id, secret = _basic(basic) if basic is not None else (form.get("client_id", ""), form.get("client_secret"))
    if secret is None:
        raise ClientRefused("Send a client_assertion, or the client's id and secret.")
    return machines.issue_for_secret(client_id=client_id, client_secret=secret, scope=scope, now=now)


def _form(request: HttpRequest) -> Mapping[str, str]:
    if request.content_type != FORM:
        raise _Refused("invalid_request", f"Send a body of the type {FORM}.")
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        raise _Refused("invalid_request", f"The body is longer than {MOST_BYTES} bytes.")
    try:
        fields = parse_qsl(
            request.body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise _Refused("invalid_request", "The body is no form in UTF-8, or has too many fields.") from None
    form = dict(fields)
    if len(form) < len(fields):
        raise _Refused("invalid_request", "A parameter is there more than once.")
    # RFC 6749: a parameter without a value is as if it were left out.
    return {name: value for name, value in form.items() if value}


def _basic(header: str) -> tuple[str, str]:
    scheme, _, coded = header.partition(" ")
    try:
        client_id, colon, secret = b64decode(coded.strip(), validate=True).decode("utf-8").partition(":")
    except (NotBase64, ValueError):
        colon = ""
    if scheme.lower() != "basic" or not colon:
        raise _Refused("invalid_client", "Authorization must be Basic, with the client's id and secret.", 401)
    return unquote_plus(client_id), unquote_plus(secret)


def _refusal(refusal: _Refused) -> HttpResponse:
    challenge = {"WWW-Authenticate": 'Basic realm="authz"'} if refusal.status == 401 else {}
    body = {"error": refusal.error, "error_description": str(refusal)}
    return JsonResponse(body, status=refusal.status, headers={**challenge, **_NOT_KEPT})
