"""Quick questions to the servers, for the answer of /readyz and for the doctor alike."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

_BROKER_SECONDS = 1


def missing_migrations() -> int:
    """Return how many migrations the database has not had yet.

    :raises Error: when it cannot be asked.
    """
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def broker() -> Iterator[redis.Redis]:
    """Give a line to the broker that has just answered.

    :raises RedisError: when it does not answer within a second.
    """
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_BROKER_SECONDS, socket_connect_timeout=_BROKER_SECONDS
    )
    try:
        client.ping()
        yield client
    finally:
        client.close()
