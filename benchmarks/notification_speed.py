"""How soon and how fast people and systems are told. Run: python -m benchmarks.notification_speed [SECONDS RATE]

On an embedded PostgreSQL that writes durably and an embedded Valkey, with worker, courier and beat as the embedded
deployment starts them, facts about a thousand requests are committed at an even rate (50 a second for 20 seconds unless
said). Each goes into the inboxes of two people and to a webhook receiver. A notice has come when PostgreSQL committed
it, or when the receiver heard of it; all clocks are this machine's.

Then, in the same run: a backlog of 1,000 facts is worked off, against as many plain Celery tasks of one database write
as it made notices, by the same worker. And without Valkey, five facts a second go on being committed.

Exits with status 1 when being told takes more than 100 ms at the median or 1 s at the 99th percentile, the backlog is
worked off at less than half the speed of plain tasks, or without Valkey the 99th percentile is above the sweep interval
and one second.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_urlsafe
from statistics import median, quantiles
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, transaction

from benchmarks._embedded import embedded_database
from benchmarks._requests import record_requests
from config.embedded import paths
from config.embedded.folders import ROOT
from config.embedded.ports import any_free
from config.embedded.postgres import Postgres
from config.embedded.processes import Process, server_account, spawn
from config.embedded.programs import beat, courier, worker
from config.embedded.valkey import Valkey
from tests.receiver import Receiver

SECONDS, RATE, REQUESTS, BACKLOG, SWEEP, SECONDS_ALONE, RATE_ALONE = 20, 50, 1000, 1000, 2, 20, 5
TOPIC = "prior-auth.forwarded"  # two people hear of it, in their inboxes alone
MOST_AT_MEDIAN, MOST_AT_P99, LEAST_OF_PLAIN, PATIENCE = 0.100, 1.0, 0.5, 180.0


@contextmanager
def working(folder: Path) -> Iterator[None]:
    """Run worker, courier and beat; the worker knows the plain task beside ours."""
    plain_worker = [word.replace("workers.app", "benchmarks._plain_tasks") for word in worker()]
    programs = {"worker": plain_worker, "courier": courier(), "beat": beat()}
    started: list[Process] = []
    for name, words in programs.items():
        log, command = folder / f"{name}.log", [sys.executable, "-m", *words]
        started.append(spawn(command, log=log, cwd=ROOT, env=dict(os.environ), if_we_die=signal.SIGKILL))
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


class Clinic:
    """A clinic with a member of staff, a prescriber, an endpoint, and a thousand requests."""

    def __init__(self, receiver: Receiver) -> None:
        from authz.access import services as access  # noqa: PLC0415  # models need the settings
        from authz.access.roles import OrganizationKind, Role  # noqa: PLC0415
        from authz.access.selectors import actor_for  # noqa: PLC0415
        from authz.notifications.channels.webhook import endpoints  # noqa: PLC0415
        from authz.policies.services import create_plan  # noqa: PLC0415
        from authz.prior_auths.models import PriorAuth  # noqa: PLC0415

        now, zone = datetime.now(UTC), "America/New_York"
        clinic = access.create_organization(kind=OrganizationKind.CLINIC, name="Clinic", time_zone=zone)
        insurer = access.create_organization(kind=OrganizationKind.INSURER, name="Insurer", time_zone=zone)
        create_plan(insurer=insurer, code="P", name="Plan")
        for role in (Role.STAFF, Role.STAFF, Role.CLINIC_ADMIN):
            number = clinic.memberships.count()
            person = access.create_person(email=f"p{number}@example.org", full_name="P", password=token_urlsafe())
            access.add_membership(person=person, organization=clinic, role=role)
        endpoints.register(url=receiver.url, by=actor_for(person=person, organization=clinic), now=now)
        record_requests(REQUESTS, clinic=clinic.pk, insurer=insurer.pk, now=now)
        self.subjects = list(PriorAuth.objects.values_list("public_id", flat=True))
        self._next = 0

    def commit(self) -> float:
        """Commit one fact about the next request; return when that was, in Unix seconds."""
        from authz.outbox.services import announce  # noqa: PLC0415

        with transaction.atomic():
            announce(topic=TOPIC, subject_id=self.subjects[self._next % REQUESTS], now=datetime.now(UTC))
            committing = time.time()
        self._next += 1
        return committing

    def committed(self, times: Sequence[float]) -> dict[int, float]:
        """Return when each of the latest facts was committed, by its key."""
        from authz.outbox.models import OutboxMessage  # noqa: PLC0415

        keys = OutboxMessage.objects.order_by("-pk").values_list("pk", flat=True)[: len(times)]
        return dict(zip(keys, reversed(times), strict=True))


def evenly(clinic: Clinic, *, seconds: int, rate: int) -> dict[int, float]:
    """Commit facts at an even rate; return when each was committed."""
    begun, committed = time.monotonic(), []
    for number in range(seconds * rate):
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        committed.append(clinic.commit())
    late = time.monotonic() - begun - seconds
    if late > 1:
        print(f"  committing {seconds * rate} facts took {late:.1f} s longer than it should: this machine is too slow")
    return clinic.committed(committed)


def until(what: str, is_so: Callable[[], object]) -> None:
    """Wait.

    :raises TimeoutError: when it does not come in three minutes.
    """
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)


def told(receiver: Receiver, committed: Mapping[int, float]) -> tuple[list[float], list[float]]:
    """Wait until all is told; return how long it took into the inboxes and to the receiver, in seconds."""
    from authz.notifications.models import Delivery  # noqa: PLC0415

    def are_there() -> bool:
        written = Delivery.objects.filter(message__in=committed).count()  # before looking for what is not made
        return written == 3 * len(committed) and not Delivery.objects.filter(sent_at=None).exists()

    until("everything told", are_there)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT delivery.message_id, extract(epoch FROM pg_xact_commit_timestamp(entry.xmin))"
            " FROM authz_inboxentry entry JOIN authz_delivery delivery ON delivery.id = entry.delivery_id"
            " WHERE delivery.message_id = ANY(%s)",
            [list(committed)],
        )
        entered = [float(at) - committed[key] for key, at in cursor.fetchall()]
    heard = dict(zip(receiver.ids, receiver.heard, strict=True))
    hooks = Delivery.objects.filter(message__in=committed, channel="webhook").values_list("message_id", "public_id")
    return entered, [heard[str(public_id)].at - committed[key] for key, public_id in hooks]


def show(what: str, waits: Sequence[float]) -> tuple[float, float]:
    """Print the median and the 99th percentile, and return them."""
    middle, high = median(waits), quantiles(waits, n=100)[-1]
    print(f"  {what}: median {middle * 1000:.0f} ms, p99 {high * 1000:.0f} ms, longest {max(waits) * 1000:.0f} ms")
    return middle, high


def drains_fast_enough(clinic: Clinic, folder: Path) -> bool:
    """Work off a backlog, and as many plain tasks; print both, and return whether the target was met."""
    from authz.notifications.models import Delivery  # noqa: PLC0415
    from benchmarks import _plain_tasks as plain_tasks  # noqa: PLC0415

    nudge, settings.OUTBOX_NUDGE = settings.OUTBOX_NUDGE, "benchmarks.notification_speed.no_nudge"
    for _ in range(BACKLOG):
        clinic.commit()
    settings.OUTBOX_NUDGE = nudge
    before = Delivery.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(plain_tasks.TABLE)
    with working(folder):
        clinic.commit()
        until("the first of the backlog", lambda: Delivery.objects.count() > before)
        begun, at = time.monotonic(), Delivery.objects.filter(sent_at__isnull=False).count()
        until("the backlog", lambda: Delivery.objects.filter(sent_at__isnull=False).count() >= before + 3 * BACKLOG)
        made = Delivery.objects.filter(sent_at__isnull=False).count() - at
        by_us = made / (time.monotonic() - begun)
        plain_tasks.send(plain_tasks.app, made)
        until("the first plain task", lambda: _plain_rows() > 0)
        begun, at = time.monotonic(), _plain_rows()
        until("the plain tasks", lambda: _plain_rows() == made)
        by_plain = (made - at) / (time.monotonic() - begun)
    print(f"backlog: {by_us:.0f} notices a second; plain tasks: {by_plain:.0f} a second: {by_us / by_plain:.0%}")
    return by_us >= LEAST_OF_PLAIN * by_plain


def no_nudge(_waiting: object) -> None:
    """Call nobody: the backlog is to wait."""


def _plain_rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM plain")
        return int(cursor.fetchone()[0])


def main(postgres: Postgres, valkey: Valkey, receiver: Receiver, *, seconds: int, rate: int) -> bool:
    """Measure, print, and return whether all targets were met."""
    with psycopg.connect(postgres.url("postgres", user="postgres"), autocommit=True) as line:
        line.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    connection.close()
    postgres.stop()
    postgres.start()
    clinic, folder, met = Clinic(receiver), postgres.data_dir.parent, []
    with working(folder):
        told(receiver, clinic.committed([clinic.commit()]))  # all are up, and have their connections
        print(f"{rate} facts a second for {seconds} s:")
        entered, heard = told(receiver, evenly(clinic, seconds=seconds, rate=rate))
        for what, waits in {"into the inbox": entered, "to the receiver": heard}.items():
            middle, high = show(what, waits)
            met.append(middle <= MOST_AT_MEDIAN and high <= MOST_AT_P99)
    met.append(drains_fast_enough(clinic, folder))
    with working(folder):
        told(receiver, clinic.committed([clinic.commit()]))
        valkey.stop()
        print(f"without Valkey, {RATE_ALONE} facts a second for {SECONDS_ALONE} s, swept every {SWEEP} s:")
        entered, heard = told(receiver, evenly(clinic, seconds=SECONDS_ALONE, rate=RATE_ALONE))
        for what, waits in {"into the inbox": entered, "to the receiver": heard}.items():
            met.append(show(what, waits)[1] <= SWEEP + 1)
    return all(met)


def _run(*, seconds: int, rate: int) -> bool:
    folder = paths.temporary_folder(server_account())
    valkey = Valkey(folder / "valkey", folder / "run")
    valkey.start()
    port = any_free()
    environment: dict[str, Any] = {
        "REDIS_URL": valkey.url(),
        "AUTHZ_SWEEP_SECONDS": str(SWEEP),
        "AUTHZ_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32",
        "AUTHZ_WEBHOOK_PORTS": f"443,{port}",
    }
    try:
        with embedded_database(durable=True, **environment) as postgres, Receiver(port=port).opened() as receiver:
            return main(postgres, valkey, receiver, seconds=seconds, rate=rate)
    finally:
        valkey.stop()


if __name__ == "__main__":
    sizes = [int(word) for word in sys.argv[1:3]] or [SECONDS, RATE]
    sys.exit(0 if _run(seconds=sizes[0], rate=sizes[1]) else 1)
