"""A POST sent twice with one Idempotency-Key has one effect and one answer.

One transaction holds the key's row, the service's work and the stored answer. A refusal rolls all three back, so a
corrected body may use the key again. A concurrent second sender waits at the unique constraint for the first to finish.
"""

import json
import re
from collections.abc import Callable, Collection
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Actor
from authz.api.models import IdempotentAnswer
from authz.audit.circumstances import present, saw
from authz.errors import AuthzError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class KeyInvalid(AuthzError):
    """The Idempotency-Key is not 1 to 255 visible ASCII characters."""

    code = "idempotency-key-invalid"


class KeyRequired(AuthzError):
    """This step is never taken without an Idempotency-Key."""

    code = "idempotency-key-required"


class KeyReused(AuthzError):
    """The key was used before, for another address or another body."""

    code = "idempotency-key-reused"


def answer_once(
    request: Request,
    act: Callable[[], Response],
    *,
    by: Actor,
    now: datetime,
    is_required: bool = False,
    unkept: Collection[str] = (),
) -> Response:
    """Return what `act` answers, or what it answered when this caller first used this key.

    What is answered under the names in `unkept` is a secret: it is not kept, and null when it is answered again.

    :raises KeyRequired: when the header is missing and needed.
    :raises KeyInvalid: when the header is no key.
    :raises KeyReused: when the key belongs to another address or body.
    """
    key = _key(request, is_required=is_required)
    with transaction.atomic():
        if key is None:
            return act()
        kept, is_first = IdempotentAnswer.objects.get_or_create(
            caller=_caller(by), key=key, defaults={"request_sha256": _hash(request), "answered_at": now}
        )
        return _keep(kept, act(), unkept) if is_first else _replay(kept, request)


def earlier_answer(request: Request, *, by: Actor) -> Response | None:
    """Return what this caller was answered under this key before, None when the key is new or missing.

    For work too long for one transaction and harmless when done twice; its answer is then kept by `answer_once`.

    :raises KeyInvalid: when the header is no key.
    :raises KeyReused: when the key belongs to another address or body.
    """
    key = _key(request, is_required=False)
    kept = IdempotentAnswer.objects.filter(caller=_caller(by), key=key).first() if key else None
    return _replay(kept, request) if kept else None


def _key(request: Request, *, is_required: bool) -> str | None:
    key = request.headers.get(HEADER)
    if key is None and is_required:
        raise KeyRequired(f"Send an {HEADER}: a text of your own that stays the same when you try again.")
    if key is not None and not _KEY.fullmatch(key):
        raise KeyInvalid(f"{HEADER} must be 1 to 255 visible ASCII characters.")
    return key


def _caller(actor: Actor) -> str:
    if actor.client_id is not None:
        return f"client:{actor.client_id}"
    return f"person:{actor.person_id}@{actor.organization}"


def _hash(request: Request) -> str:
    """Hash what was asked, not how it was spelt: the order of names and the spaces between them do not matter."""
    asked: list[Any] = [request.method, request.path, request.headers.get("If-Match"), request.data]
    return sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def _keep(kept: IdempotentAnswer, answer: Response, unkept: Collection[str]) -> Response:
    kept.status = answer.status_code
    body: Any = None if answer.data is None else json.loads(JSONRenderer().render(answer.data))
    kept.body = {**body, **dict.fromkeys(unkept)} if unkept else body
    kept.location = answer.get("Location", "")
    kept.patients = sorted(present().patients)
    kept.save(update_fields=["status", "body", "location", "patients"])
    return answer


def _replay(kept: IdempotentAnswer, request: Request) -> Response:
    if kept.request_sha256 != _hash(request):
        raise KeyReused(f"This {HEADER} was used for another request. Use a new one for a new request.")
    for key in kept.patients:
        saw(key)
    headers = {REPLAYED: "true", **({"Location": kept.location} if kept.location else {})}
    return Response(kept.body, status=kept.status, headers=headers)
