"""Pytest plugin: a real PostgreSQL and a real Valkey for the whole run, started before Django reads its settings.

Set DATABASE_URL or REDIS_URL to use a server of your own for that one.
"""

import atexit
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from config.embedded import paths
from config.embedded.postgres import Postgres
from config.embedded.processes import CannotStart, server_account
from config.embedded.valkey import Valkey

OWN_VALKEY = "AUTHZ_TESTS_OWN_VALKEY"
_at_the_end: list[Callable[[], None]] = []


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Start what is missing. pytest-django reads the settings in this same hook, after us."""
    os.environ.setdefault("DJANGO_ENV", "test")
    os.environ.setdefault("AUTHZ_SECRET_KEY", "a-secret-for-tests-only-of-enough-length")
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not {name, f"{name}_FILE"} & set(os.environ)]
    if "PYTEST_XDIST_WORKER" in os.environ:
        # A process beside others has a database of its own on the first one's server, by its name; tests empty Valkey.
        missing = ["REDIS_URL"] if OWN_VALKEY in os.environ else []
    if not missing:
        return
    # Pytest calls pytest_unconfigure only for a run that got as far as configuring.
    atexit.register(pytest_unconfigure)
    try:
        _start(missing, _folder())
    except CannotStart as reason:
        raise pytest.UsageError(str(reason)) from reason


def _folder() -> Path:
    folder = paths.temporary_folder(server_account())
    _at_the_end.append(lambda: shutil.rmtree(folder))
    return folder


def _start(missing: list[str], folder: Path) -> None:
    run_dir = folder / "run"
    if "REDIS_URL" in missing:
        valkey = Valkey(folder / "valkey", run_dir)
        _at_the_end.append(valkey.stop)
        valkey.begin()
        os.environ["REDIS_URL"] = valkey.url()
        os.environ[OWN_VALKEY] = "yes"
    if "DATABASE_URL" in missing:
        postgres = Postgres(folder / "postgres", run_dir, durable=False)
        _at_the_end.append(postgres.stop)
        postgres.start()
        postgres.create_database("authz")
        os.environ["DATABASE_URL"] = postgres.url("authz")
    if "REDIS_URL" in missing:
        valkey.wait()


def pytest_unconfigure() -> None:
    """Stop what was started, also after Ctrl-C; a killed run is cleared up by the kernel."""
    while _at_the_end:
        _at_the_end.pop()()
