"""PURE: signatures as https://www.standardwebhooks.com has them, version 1.0.0: HMAC-SHA256 over id, time and body."""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from hmac import digest
from secrets import token_bytes
from uuid import UUID

PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """Return a fresh secret, as a receiver is told it."""
    return PREFIX + b64encode(token_bytes(_BYTES)).decode()


def signed_headers(*, message_id: UUID | str, at: datetime, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """Return the three headers; a receiver may know any one of the secrets."""
    seconds = str(int(at.timestamp()))
    content = f"{message_id}.{seconds}.".encode() + body
    return {
        "webhook-id": str(message_id),
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(_signature(content, secret) for secret in secrets),
    }


def _signature(content: bytes, secret: str) -> str:
    key = b64decode(secret.removeprefix(PREFIX), validate=True)
    return f"v1,{b64encode(digest(key, content, sha256)).decode()}"
