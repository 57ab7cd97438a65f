"""The embedded PostgreSQL: private, careful with what an earlier start left, and clear when it cannot start."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from config.embedded import leftovers
from config.embedded.postgres import Postgres
from config.embedded.processes import Account, CannotStart, await_end, server_account, spawn

pytestmark = pytest.mark.live


def ask(postgres: Postgres, question: LiteralString) -> object:
    with psycopg.connect(postgres.url("authz")) as line:
        row = line.execute(question).fetchone()
    return row[0] if row else None


def test_it_listens_on_a_unix_socket_and_on_no_network_address(postgres: Postgres) -> None:
    postgres.start()
    postgres.create_database("authz")

    assert ask(postgres, "SHOW listen_addresses") == ""
    assert ask(postgres, "SELECT inet_server_addr()") is None


def test_nobody_else_can_enter_the_folder_of_its_socket(postgres: Postgres) -> None:
    postgres.start()

    account = server_account()
    seen = postgres.run_dir.stat()

    assert seen.st_mode & 0o077 == 0
    assert seen.st_uid == (account.uid if account else os.geteuid())


def test_the_product_is_no_superuser_and_owns_its_database(postgres: Postgres) -> None:
    postgres.start()
    postgres.create_database("authz")

    assert ask(postgres, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert ask(postgres, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'authz'") == "authz"


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        ("INSERT INTO member VALUES ('canary-4711')", None),
        ("INSERT INTO member VALUES (%s)", ["canary-4711"]),
        ("SELECT %s::text::date", ["canary-4711"]),
        ("DO $$ BEGIN RAISE 'no' USING DETAIL = 'canary-4711', HINT = 'canary-4711'; END $$", None),
        ("SELECT FROM canary-4711 nonsense", None),
    ],
)
def test_what_it_refuses_is_quoted_in_no_log_line(
    postgres: Postgres, statement: LiteralString, parameters: list[str] | None
) -> None:
    postgres.start()
    postgres.create_database("authz")
    with psycopg.connect(postgres.url("authz"), autocommit=True) as line:
        line.execute("CREATE TABLE member (number text PRIMARY KEY NOT NULL)")
        line.execute("INSERT INTO member VALUES ('canary-4711')")
        with pytest.raises(psycopg.Error):
            line.execute(statement, parameters)
    postgres.stop()

    log = postgres.log.read_text(encoding="utf-8")

    assert "canary" not in log
    assert "database system is shut down" in log


def test_what_was_committed_is_there_after_a_stop_and_a_start(folder: Path) -> None:
    first = Postgres(folder / "postgres", folder / "run", durable=True)
    first.start()
    first.create_database("authz")
    with psycopg.connect(first.url("authz")) as line:
        line.execute("CREATE TABLE kept AS SELECT 7 AS days")
    first.stop()

    second = Postgres(folder / "postgres", folder / "run", durable=True)
    second.start()
    second.create_database("authz")

    assert ask(second, "SELECT days FROM kept") == 7
    second.stop()


def test_a_pid_file_whose_pid_belongs_to_somebody_else_now_does_not_stop_a_start(
    postgres: Postgres, folder: Path, account: Account | None
) -> None:
    postgres.start()
    postgres.stop()
    # Of the servers' own account: PostgreSQL itself sees through a stranger that it may not signal.
    stranger = spawn(["sleep", "60"], log=folder / "stranger.log", account=account)
    (postgres.data_dir / "postmaster.pid").write_text(f"{stranger.pid}\n{postgres.data_dir}\n", encoding="utf-8")

    postgres.start()

    assert postgres.answers()
    assert stranger.poll() is None
    await_end(stranger, seconds=0)


def test_a_server_left_over_from_an_earlier_start_is_stopped_first(postgres: Postgres, folder: Path) -> None:
    postgres.start()
    left_over = postgres.process
    assert left_over is not None

    again = Postgres(folder / "postgres", folder / "run", durable=False)
    again.start()

    assert left_over.wait(5) == 0
    assert again.answers()
    again.stop()


def test_a_killed_server_starts_again_with_what_was_committed(postgres: Postgres) -> None:
    postgres.start()
    postgres.create_database("authz")
    assert postgres.process is not None
    postgres.process.send_signal(signal.SIGKILL)
    postgres.process.wait()

    postgres.start()

    assert ask(postgres, "SELECT count(*) FROM pg_database WHERE datname = 'authz'") == 1


def test_files_of_an_initdb_cut_short_are_made_anew(postgres: Postgres, folder: Path) -> None:
    (folder / "postgres.part").mkdir()
    (folder / "postgres.part" / "half").touch()

    postgres.start()

    assert postgres.answers()
    assert not (folder / "postgres.part").exists()


def test_data_of_another_version_is_refused_with_the_way_out(postgres: Postgres) -> None:
    postgres.data_dir.mkdir()
    (postgres.data_dir / "PG_VERSION").write_text("16\n", encoding="utf-8")

    with pytest.raises(CannotStart, match=r"made by PostgreSQL 16, and this is 18.*make reset"):
        postgres.start()


def test_a_server_that_dies_at_start_is_reported_at_once_with_the_end_of_its_log(postgres: Postgres) -> None:
    postgres.start()
    postgres.stop()
    (postgres.data_dir / "postgresql.conf").write_text("no_such_setting = 1\n", encoding="utf-8")

    with pytest.raises(CannotStart, match=r"(?s)did not start.*no_such_setting"):
        postgres.start()


def test_a_uid_without_a_passwd_entry_is_told_about_database_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 987_654_321)

    with pytest.raises(CannotStart, match=r"uid 987654321.*no entry in /etc/passwd.*DATABASE_URL"):
        server_account()


def test_a_process_is_known_by_its_command_line_and_not_by_its_pid() -> None:
    # It speaks once it runs: for an instant a process just born has no command line yet.
    says_and_sleeps = "import time; print(flush=True); time.sleep(60)"
    sleeper = subprocess.Popen([sys.executable, "-c", says_and_sleeps], stdout=subprocess.PIPE)

    try:
        assert sleeper.stdout is not None
        sleeper.stdout.readline()
        assert leftovers.is_running(sleeper.pid, mentions=("time.sleep(60)",))
        assert not leftovers.is_running(sleeper.pid, mentions=("postgres",))
    finally:
        sleeper.kill()
        sleeper.communicate()
    assert not leftovers.is_running(sleeper.pid, mentions=())
