"""One supervisor per data folder; what it tells the programs; what a reset removes."""

import json
import os
from pathlib import Path

import pytest

from config.embedded import environment, lock
from config.embedded.reset import reset


def told(data: Path) -> dict[str, str]:
    addresses = {"DATABASE_URL": "postgresql://embedded", "REDIS_URL": "unix:///embedded"}
    return environment.for_programs(data=data, port=8123, mail_port=2525, hook_port=8183, addresses=addresses)


def test_a_second_start_is_told_the_pid_and_the_url_of_the_first(folder: Path) -> None:
    with lock.held(folder):
        lock.write_note(folder, "http://127.0.0.1:8123")

        said = rf"already running: pid {os.getpid()}, http://127.0.0.1:8123"
        with pytest.raises(lock.AlreadyRunning, match=said), lock.held(folder):
            pass


def test_a_second_start_is_told_when_the_first_has_no_url_yet(folder: Path) -> None:
    with lock.held(folder), pytest.raises(lock.AlreadyRunning, match="just starting"), lock.held(folder):
        pass


def test_the_folder_is_free_again_after_an_end_and_after_a_crash(folder: Path) -> None:
    with lock.held(folder):
        lock.write_note(folder, "http://127.0.0.1:8123")
    after_an_end = (folder / lock.NOTE).exists()
    (folder / lock.NOTE).write_text(json.dumps({"pid": 1, "url": "http://crashed"}), encoding="utf-8")

    with lock.held(folder):
        taken = True

    assert taken
    assert not after_an_end


def test_the_programs_are_told_where_the_embedded_servers_are(folder: Path) -> None:
    env = told(folder)

    assert (env["DATABASE_URL"], env["REDIS_URL"]) == ("postgresql://embedded", "unix:///embedded")
    assert (env["DJANGO_ENV"], env["PORT"]) == ("demonstration", "8123")
    assert env["AUTHZ_BASE_URL"] == "http://127.0.0.1:8123"
    assert env["AUTHZ_DEMO_MAIL_DIR"] == str(folder / "mail")


def test_a_demonstration_never_mails_anybody_but_the_catcher(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_HOST", "smtp.hospital.example")

    env = told(folder)

    assert (env["EMAIL_HOST"], env["EMAIL_PORT"]) == ("127.0.0.1", "2525")


def test_the_secret_key_is_made_once_and_only_we_can_read_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTHZ_SECRET_KEY", raising=False)

    first, second = told(folder)["AUTHZ_SECRET_KEY"], told(folder)["AUTHZ_SECRET_KEY"]

    assert first == second
    assert len(first) >= 50
    assert (folder / "secret-key").stat().st_mode & 0o777 == 0o600


def test_a_secret_key_of_yours_is_used_instead(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHZ_SECRET_KEY", "mine")

    assert told(folder)["AUTHZ_SECRET_KEY"] == "mine"
    assert not (folder / "secret-key").exists()


@pytest.mark.parametrize("name", environment.MIGHT_BE_YOURS)
def test_a_server_is_yours_when_its_url_or_a_file_with_it_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name, raising=False)
    unset = environment.is_yours(name)
    monkeypatch.setenv(f"{name}_FILE", "/run/secrets/url")
    by_file = environment.is_yours(name)
    monkeypatch.delenv(f"{name}_FILE")
    monkeypatch.setenv(name, "somewhere")

    assert (unset, by_file, environment.is_yours(name)) == (False, True, True)


def test_production_is_refused_and_told_which_urls_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ENV", "production")
    monkeypatch.setenv("REDIS_URL", "redis://redis:6379/0")
    monkeypatch.delenv("DATABASE_URL", raising=False)

    with pytest.raises(environment.WrongDeployment, match=r"demonstration.* DATABASE_URL must be set"):
        environment.refuse_production()


def test_a_reset_removes_what_a_start_made_and_nothing_else(folder: Path) -> None:
    for name in ("postgres", "valkey", "mail", "run", "family-photos"):
        (folder / name).mkdir()
    for name in ("web.log", "secret-key", "processes.json", "letter.txt"):
        (folder / name).touch()

    reset(folder)

    assert sorted(p.name for p in folder.iterdir()) == ["family-photos", "letter.txt"]


def test_a_reset_refuses_while_a_supervisor_serves(folder: Path) -> None:
    (folder / "postgres").mkdir()

    with lock.held(folder), pytest.raises(lock.AlreadyRunning):
        reset(folder)

    assert (folder / "postgres").exists()
