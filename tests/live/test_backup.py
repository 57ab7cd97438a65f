"""Dump, wipe, restore, go on, as docs/backup.md has it: nothing is lost, and nothing is sent twice."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from redis import Redis

from config.embedded.paths import postgres_programs, temporary_folder
from config.embedded.postgres import PRODUCT, Postgres
from config.embedded.processes import server_account
from tests.live.processes import ROOT, beat, wait_until, worker
from tests.post_office import Mood, PostOffice

pytestmark = pytest.mark.live

DATABASE = "authz"


@contextmanager
def server() -> Iterator[Postgres]:
    """Run a PostgreSQL of this test's own, with nothing in it."""
    folder = temporary_folder(server_account())
    made = Postgres(folder / "postgres", folder / "run", durable=False)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def ask(postgres: Postgres, question: sql.Composable | str) -> list[tuple[object, ...]]:
    """Return the rows of an answer, as somebody whom row-level security does not hold."""
    with psycopg.connect(postgres.url(DATABASE, user="postgres")) as line:
        return line.execute(question).fetchall()  # type: ignore[arg-type]  # plain text of ours


def contents(postgres: Postgres) -> dict[str, object]:
    """Return a hash of every table."""
    tables = [str(name) for (name,) in ask(postgres, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    hashed = "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} t"
    return {name: ask(postgres, sql.SQL(hashed).format(sql.Identifier(name)))[0][0] for name in tables}


def tool(name: str, postgres: Postgres, *words: str | Path) -> None:
    """Run one of PostgreSQL's own programs as its superuser."""
    program = postgres_programs(server_account()) / name
    where = ["--host", str(postgres.run_dir), "--username", "postgres"]
    subprocess.run([program, *where, *words], check=True, capture_output=True)


def environment(postgres: Postgres, office: PostOffice, redis_url: str) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_ENV": "test",
        "DATABASE_URL": postgres.url(DATABASE, user=PRODUCT),
        "REDIS_URL": redis_url,
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(office.port),
        "EMAIL_USE_TLS": "false",
        "AUTHZ_SWEEP_SECONDS": "1",
        "AUTHZ_LEASE_SECONDS": "3",
    }


def manage(env: dict[str, str], *words: str) -> None:
    subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=env, check=True, capture_output=True)


def message_ids(office: PostOffice) -> list[str]:
    letters = [message_from_bytes(bytes(letter.content or b""), policy=default) for letter in office.letters]
    return [str(letter["Message-ID"]) for letter in letters]


def left(postgres: Postgres) -> int:
    """Return how much is still to be told or sent."""
    counted = """
        SELECT (SELECT count(*) FROM authz_outboxmessage WHERE settled_at IS NULL)
            + (SELECT count(*) FROM authz_delivery WHERE sent_at IS NULL)
    """
    return int(str(ask(postgres, counted)[0][0]))


def test_after_a_restore_nothing_is_lost_and_nothing_is_sent_twice(broker: "Redis[bytes]", tmp_path: Path) -> None:
    office, dump, redis_url = PostOffice(), tmp_path / "authz.dump", os.environ["REDIS_URL"]
    with ExitStack() as open_ones:
        open_ones.enter_context(office.opened())
        with server() as first:
            first.create_database(DATABASE)
            env = environment(first, office, redis_url)
            manage({**env, "DATABASE_URL": first.url(DATABASE)}, "migrate", "--no-input")
            manage({**env, "DJANGO_ENV": "demonstration"}, "load_demonstration")
            with worker(env, tmp_path) as running, beat(env, tmp_path):
                wait_until(lambda: len(office.letters) >= 2, what="the first mails", log=running.log)
                office.mood = Mood.REFUSE
                wait_until(
                    lambda: not ask(first, "SELECT 1 FROM authz_outboxmessage WHERE settled_at IS NULL LIMIT 1"),
                    what="every fact told",
                    log=running.log,
                )
            sent, waiting = message_ids(office), left(first)
            tool("pg_dump", first, "--format=custom", "--file", dump, DATABASE)
            kept = contents(first)

        office.mood = Mood.ACCEPT
        broker.flushall()
        with server() as second:
            second.create_database(DATABASE)
            tool("pg_restore", second, "--exit-on-error", "--dbname", DATABASE, dump)
            restored = contents(second)
            env = environment(second, office, redis_url)
            with worker(env, tmp_path) as running, beat(env, tmp_path):
                wait_until(lambda: left(second) == 0, what="all that waited", log=running.log)
            mails = ask(
                second, "SELECT public_id FROM authz_delivery WHERE channel = 'email' AND last_error <> 'needless'"
            )
            with pytest.raises(psycopg.Error):
                ask(second, "UPDATE authz_event SET note = 'x' RETURNING 1")

    assert restored == kept
    assert waiting > 0
    assert len(sent) < len(set(message_ids(office))) == len(message_ids(office)) == len(mails)
