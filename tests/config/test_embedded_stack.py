"""Each server is started unless there is one of yours, and the database is prepared unless it is already."""

import os
from pathlib import Path

import pytest

from config.embedded import ports, preparation
from config.embedded.stack import Stack

pytestmark = pytest.mark.live


@pytest.mark.parametrize(
    ("yours", "started"),
    [
        ([], {"Valkey", "PostgreSQL"}),
        (["DATABASE_URL"], {"Valkey"}),
        (["REDIS_URL"], {"PostgreSQL"}),
        (["DATABASE_URL", "REDIS_URL"], set()),
    ],
)
def test_each_server_is_started_unless_its_url_is_set(
    yours: list[str], started: set[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {name: os.environ[name] for name in yours}
    for name in {"DATABASE_URL", "REDIS_URL"} - set(yours):
        monkeypatch.delenv(name)

    stack = Stack(folder, ports.any_free())
    stack.start_servers()
    names = {server.name for server in stack.servers}
    told = {name: stack.env[name] for name in ("DATABASE_URL", "REDIS_URL")}
    stack.stop()

    assert names == started
    assert {name: told[name] for name in yours} == given
    assert all(str(folder) in told[name].replace("%2F", "/") for name in set(told) - set(yours))


def test_a_change_of_the_code_prepares_the_database_again(tmp_path: Path) -> None:
    (tmp_path / "authz" / "migrations").mkdir(parents=True)
    (tmp_path / "authz" / "models.py").write_text("first", encoding="utf-8")
    data = tmp_path / "data"
    data.mkdir()
    before = preparation.digest(tmp_path)
    preparation.finish(data, before)
    unchanged = preparation.is_done(data, preparation.digest(tmp_path))

    (tmp_path / "authz" / "migrations" / "0002_more.py").write_text("", encoding="utf-8")

    assert unchanged
    assert not preparation.is_done(data, preparation.digest(tmp_path))


def test_a_preparation_cut_short_is_done_again(tmp_path: Path) -> None:
    preparation.finish(tmp_path, "this code")

    preparation.begin(tmp_path)

    assert not preparation.is_done(tmp_path, "this code")
