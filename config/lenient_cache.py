"""A cache in Redis that is empty while Redis is gone: what counts in it lets everybody through meanwhile."""

import logging
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class LenientRedisCache(RedisCache):
    """Django's cache in Redis, of which a failure is no error."""

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Say that it was added, as it was not there."""
        try:
            return bool(super().add(key, value, timeout, version))
        except RedisError as failure:
            _lost(failure)
            return True

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """Return what is there, or the default."""
        try:
            return super().get(key, default, version)
        except RedisError as failure:
            _lost(failure)
            return default

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> None:
        """Keep it, if it can be kept."""
        try:
            super().set(key, value, timeout, version)
        except RedisError as failure:
            _lost(failure)

    def delete(self, key: Any, version: Any = None) -> bool:
        """Say whether it was there."""
        try:
            return bool(super().delete(key, version))
        except RedisError as failure:
            _lost(failure)
            return False


def _lost(failure: RedisError) -> None:
    log.warning("cache-unreachable error=%s", type(failure).__name__)
