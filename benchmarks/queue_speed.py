"""How fast the review queue is when it is long. Run: python -m benchmarks.queue_speed [REQUESTS REVIEWERS CLAIMS]

On an embedded PostgreSQL of its own, which writes durably, it queues requests (100,000 unless said). Then so many
reviewers (16) take the next request so many times (60), and in the same minute update a row by its primary key as
often: each on a connection of their own, in two processes with threads, as the web service runs (see Dockerfile). Then
a page of 50 of the queue is read, by the product and by plain SQL. All of it is asked in the insurer's name, as over
the API. Exits with status 1 when the 99th percentile of taking the next is more than ten times the median of the
update, two reviewers share a request, or the page takes more than 5 queries or 5 times as long as the same rows by
plain SQL.
"""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from secrets import token_urlsafe
from statistics import median, quantiles
from threading import Thread
from time import perf_counter
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from benchmarks._embedded import embedded_database
from benchmarks._requests import record_requests

REQUESTS, REVIEWERS, CLAIMS = 100_000, 16, 60
MOST_TIMES_AN_UPDATE, MOST_QUERIES, MOST_TIMES_PLAIN_SQL, PAGE, ROUNDS = 10.0, 5, 5.0, 50, 30
WEB_PROCESSES = 2
WARM = 12
"""So often each reviewer takes one before it counts, as a process at work has: for the first ten times of a statement
on a connection PostgreSQL reads or plans it anew."""
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

_PLAIN = """
SELECT request.*, patient.public_id, clinic.public_id, clinic.name, insurer.public_id, insurer.name
FROM authz_priorauth request JOIN authz_patient patient ON patient.id = request.patient_id
JOIN authz_organization clinic ON clinic.id = request.clinic_id
JOIN authz_organization insurer ON insurer.id = request.insurer_id
WHERE request.insurer_id = %s
    AND request.state IN ('queued', 'incomplete', 'in_review', 'info_requested', 'clinical_review')
ORDER BY COALESCE(request.due_at, request.reopened_at), request.runs_out_on, request.id LIMIT %s
"""
_PLAIN_EVENTS = "SELECT * FROM authz_event WHERE prior_auth_id = ANY(%s) ORDER BY sequence"


def spent(work: Callable[[], object]) -> float:
    """Return how many milliseconds the work takes on the wall."""
    began = perf_counter()
    work()
    return (perf_counter() - began) * 1000


def a_reviewer(person: int, start: Any, claims: int, told: Any) -> None:
    """Update rows by key, then take the next request, as often as asked; tell how long each took, and what was got."""
    from authz.access.models import Organization, Person  # noqa: PLC0415  # models need the settings
    from authz.access.selectors import actor_for  # noqa: PLC0415
    from authz.access.tenancy import within  # noqa: PLC0415
    from authz.prior_auths.models import PriorAuth  # noqa: PLC0415
    from authz.prior_auths.services import queue  # noqa: PLC0415

    connection.close()
    insurer = Organization.objects.get(kind="insurer")
    actor = actor_for(person=Person.objects.get(pk=person), organization=insurer)
    mine = list(PriorAuth.objects.order_by("-pk").values_list("pk", flat=True)[person * claims : (person + 1) * claims])
    got: list[int] = []

    def update(key: int) -> None:
        with within(insurer.pk):
            PriorAuth.objects.filter(pk=key).update(version=F("version"))

    def take() -> None:
        with within(insurer.pk):
            taken = queue.claim_next(by=actor, now=NOW)
        got.extend([taken.pk] if taken else [])

    for _ in range(WARM):
        take()
    start.wait()
    updates = [spent(lambda key=key: update(key)) for key in mine]
    start.wait()
    told.put((updates, [spent(take) for _ in range(claims)], got))


def a_web_process(people: Sequence[int], start: Any, claims: int, told: Any) -> None:
    """Serve some of the reviewers, each in a thread."""
    threads = [Thread(target=a_reviewer, args=(person, start, claims, told)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def claims_keep_up(people: Sequence[int], claims: int) -> bool:
    """Let all reviewers take requests at once, print, and return whether the targets were met."""
    context = get_context("fork")
    start, told = context.Barrier(len(people)), context.Queue()
    connection.close()  # a process does not share its parent's connection
    workers = [
        context.Process(target=a_web_process, args=(people[first::WEB_PROCESSES], start, claims, told))
        for first in range(WEB_PROCESSES)
    ]
    for worker in workers:
        worker.start()
    results = [told.get() for _ in people]
    for worker in workers:
        worker.join()
    updates, takes, got = ([value for result in results for value in result[part]] for part in range(3))
    p99 = quantiles(takes, n=100)[-1]
    times, shared = p99 / median(updates), len(got) - len(set(got))
    print(
        f"update by key: median {median(updates):.2f} ms; take the next: median {median(takes):.2f}, p99 {p99:.2f} ms"
    )
    print(f"that is {times:.1f} times (at most {MOST_TIMES_AN_UPDATE}); {len(got)} taken, {shared} shared")
    return times <= MOST_TIMES_AN_UPDATE and not shared and len(got) == len(people) * (claims + WARM)


def page_keeps_up(person: int) -> bool:
    """Read a page of the queue both ways, print, and return whether the targets were met."""
    from authz.access.models import Organization, Person  # noqa: PLC0415
    from authz.access.selectors import actor_for  # noqa: PLC0415
    from authz.access.tenancy import within  # noqa: PLC0415
    from authz.prior_auths.review_queue import review_queue  # noqa: PLC0415

    insurer = Organization.objects.get(kind="insurer")
    actor = actor_for(person=Person.objects.get(pk=person), organization=insurer)

    def page() -> list[object]:
        return list(review_queue(actor)[:PAGE])

    def plain() -> None:
        with connection.cursor() as cursor:
            cursor.execute(_PLAIN, [insurer.pk, PAGE])
            cursor.execute(_PLAIN_EVENTS, [[row[0] for row in cursor.fetchall()]])
            cursor.fetchall()

    with within(insurer.pk), transaction.atomic():
        with CaptureQueriesContext(connection) as captured:
            page()
        rounds = [(spent(plain), spent(page)) for _ in range(ROUNDS)]
    by_sql, by_us = (median(side) for side in zip(*rounds, strict=True))
    times = f"{by_us / by_sql:.1f} times (at most {MOST_TIMES_PLAIN_SQL})"
    print(f"page of {PAGE}: {len(captured)} queries, {by_us:.1f} ms; plain SQL {by_sql:.1f} ms: {times}")
    return len(captured) <= MOST_QUERIES and by_us <= MOST_TIMES_PLAIN_SQL * by_sql


def main(requests: int, reviewers: int, claims: int) -> bool:
    """Record, measure, print; return whether all targets were met."""
    from authz.access import services as access  # noqa: PLC0415
    from authz.access.roles import OrganizationKind, Role  # noqa: PLC0415
    from authz.policies.services import create_plan  # noqa: PLC0415

    zone = "America/New_York"
    clinic = access.create_organization(kind=OrganizationKind.CLINIC, name="Clinic", time_zone=zone)
    insurer = access.create_organization(kind=OrganizationKind.INSURER, name="Insurer", time_zone=zone)
    create_plan(insurer=insurer, code="P", name="Plan")
    people = []
    for number in range(reviewers):
        person = access.create_person(email=f"r{number}@example.org", full_name=f"R {number}", password=token_urlsafe())
        access.add_membership(person=person, organization=insurer, role=Role.REVIEWER)
        people.append(person.pk)
    told_at = NOW - timedelta(minutes=1)
    took = spent(lambda: record_requests(requests, clinic=clinic.pk, insurer=insurer.pk, now=told_at)) / 1000
    print(f"queued {requests:,} requests in {took:.0f} s", flush=True)
    return all([page_keeps_up(people[0]), claims_keep_up(people, claims)])


if __name__ == "__main__":
    sizes = [int(word) for word in sys.argv[1:4]] or [REQUESTS, REVIEWERS, CLAIMS]
    with embedded_database(durable=True):
        is_met = main(*sizes)
    sys.exit(0 if is_met else 1)
