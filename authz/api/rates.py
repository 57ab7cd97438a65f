"""How often one may ask: GCRA (the generic cell rate algorithm) in one Redis script, for all processes together.

Redis is an accelerator: while it is gone everybody is let through, and nobody waits for it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import ceil
from time import monotonic
from typing import Any, Final

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from authz.access.roles import Actor

log = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 0.2
_MINUTE: Final = 60

# One key holds the instant until which its allowance is used up, in microseconds of the server's own clock.
_GCRA: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local limit = tonumber(ARGV[1])
local interval = 60000000 / limit
local used_until = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local next = used_until + interval
local early = next - 60000000 - now
if early > 0 then
  return {0, 0, math.ceil(early), math.ceil(used_until - now)}
end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000))
return {1, math.floor(-early / interval), 0, math.ceil(next - now)}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What is left of a limit of so many requests in any minute; `wait` and `reset` are whole seconds."""

    limit: int
    is_within: bool
    remaining: int
    wait: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        """Return what a caller is told (draft-ietf-httpapi-ratelimit-headers)."""
        return {
            "RateLimit-Policy": f'"default";q={self.limit};w={_MINUTE}',
            "RateLimit": f'"default";r={self.remaining};t={self.reset}',
        }


class Limiter:
    """Counts in Redis, and after a failure lets everybody through for a while without asking."""

    def __init__(self, url: str, *, clock: Callable[[], float] = monotonic) -> None:
        """`clock` returns seconds."""
        redis = Redis.from_url(url, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS)
        self._count: Any = redis.register_script(_GCRA)
        self._clock = clock
        self._silent_until = float("-inf")

    def admit(self, who: str, *, limit: int) -> Rate | None:
        """Count one request of somebody who may make so many in any minute; None when nobody counts now."""
        if self._clock() < self._silent_until:
            return None
        try:
            is_within, remaining, wait, reset = self._count(keys=[f"authz:rate:{who}"], args=[limit])
        except RedisError as failure:
            self._silent_until = self._clock() + _PAUSE_SECONDS
            log.warning("rates-not-counted error=%s", type(failure).__name__)
            return None
        return Rate(
            limit=limit,
            is_within=bool(is_within),
            remaining=int(remaining),
            wait=ceil(int(wait) / 1_000_000),
            reset=ceil(int(reset) / 1_000_000),
        )


@cache
def limiter() -> Limiter:
    """Return this process's limiter."""
    return Limiter(settings.REDIS_URL)


class ClientThrottle(BaseThrottle):
    """Holds each machine to its own limit. People are not counted: they type."""

    rate: Rate | None = None

    # `view` has no narrower type here: the views' base imports this module.
    def allow_request(self, request: Request, view: Any) -> bool:
        """Say whether the machine is within its limit, and leave the view what to tell of it."""
        if isinstance(request.user, Actor) and request.user.client_id is not None:
            limit = request.user.requests_a_minute or settings.CLIENT_REQUESTS_A_MINUTE
            self.rate = view.rate = limiter().admit(f"client:{request.user.client_id}", limit=limit)
        return self.rate is None or self.rate.is_within

    def wait(self) -> float | None:
        """Return after how many seconds to come again."""
        return self.rate.wait if self.rate else None
