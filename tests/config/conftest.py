"""Folders that the embedded servers can use, whoever runs the tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import paths
from config.embedded.postgres import Postgres
from config.embedded.processes import Account, server_account
from config.embedded.valkey import Valkey


@pytest.fixture
def account() -> Account | None:
    """The account the servers run as."""
    return server_account()


@pytest.fixture
def folder(account: Account | None) -> Iterator[Path]:
    """A folder with a short name that the servers' account can enter; pytest's own is closed to it when root tests."""
    made = paths.temporary_folder(account)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def postgres(folder: Path) -> Iterator[Postgres]:
    """A PostgreSQL that has not been started yet."""
    server = Postgres(folder / "postgres", folder / "run", durable=False)
    yield server
    server.stop()


@pytest.fixture
def valkey(folder: Path) -> Iterator[Valkey]:
    """A Valkey that has not been started yet."""
    server = Valkey(folder / "valkey", folder / "run")
    yield server
    server.stop()
