"""One POST of an event to an endpoint. What a receiver says beside its status and one header is not read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from django.conf import settings

from authz.outbound.calls import call

LONGEST_WAIT = timedelta(hours=1)
"""However long a receiver asks us to wait, it is asked again by then."""

_SECONDS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver answered: a status, and how long it asks us to wait, bounded."""

    status: int
    wait: timedelta


def post(url: str, *, body: bytes, headers: Mapping[str, str], now: datetime) -> Answer:
    """Post the body once.

    :raises NoAnswer: when the URL may not be called, nobody answers in time, or what answers does not speak HTTP.
    """
    return call(
        url,
        method="POST",
        headers=headers,
        body=body,
        seconds=settings.WEBHOOK_ANSWER_SECONDS,
        read=lambda response: Answer(response.status, _wait(response.getheader("Retry-After") or "", now=now)),
    )


def _wait(text: str, *, now: datetime) -> timedelta:
    """Return how long a Retry-After asks to wait: seconds, or until a date (RFC 9110, 10.2.3); 0 for anything else."""
    if _SECONDS.fullmatch(text):
        return min(timedelta(seconds=int(text)), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return timedelta(0)
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(timedelta(0), min(until - now, LONGEST_WAIT))
