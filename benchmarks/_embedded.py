"""A database of its own for a benchmark, gone afterwards."""

import atexit
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.core.management import call_command
from django.db import connection

from config.embedded import paths
from config.embedded.postgres import FOR_ALL, Postgres
from config.embedded.processes import server_account


@contextmanager
def embedded_database(*, durable: bool, **more: str) -> Iterator[Postgres]:
    """Start a PostgreSQL of our own and point Django at it; a durable one writes every commit to the disk.

    `more` is what else the environment says, of Redis for one, which is nowhere unless said.
    """
    folder = paths.temporary_folder(server_account())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    postgres = Postgres(folder / "postgres", folder / "run", durable=durable)
    postgres.start()
    try:
        postgres.create_database("authz")
        os.environ |= {
            "DATABASE_URL": postgres.url("authz", options=FOR_ALL),
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "DJANGO_ENV": "test",
            "AUTHZ_SECRET_KEY": "a-secret-for-benchmarks-only-of-enough-length",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            **more,
        }
        django.setup()
        call_command("migrate", verbosity=0)
        yield postgres
    finally:
        connection.close()
        postgres.stop()
