"""Rows written together: one statement, so all of them or none."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from authz.access.database.rows import Found, Question, change_found, change_where, write
from authz.audit import services as audit
from authz.audit.models import AuditEntry
from authz.outbox.models import OutboxMessage
from authz.prior_auths.models import PriorAuth
from tests import cast as stage
from tests.cast import NOW, Cast, later, unknown_id


def a_fact(topic: str = "a-topic", **other: object) -> OutboxMessage:
    return OutboxMessage(**{"topic": topic, "subject_id": unknown_id(), "announced_at": NOW, "due_at": NOW} | other)


def test_rows_of_several_tables_and_a_changed_one_are_written_in_one_statement(cast: Cast) -> None:
    prior_auth = stage.detected(cast)
    prior_auth.runs_out_on, prior_auth.reason = NOW.date(), "Not to be written."
    entry = audit.entry(by=cast.rae, action="look", subject_kind="x", subject_id=unknown_id(), now=NOW)

    with CaptureQueriesContext(connection) as asked:
        write(a_fact("one"), entry, a_fact("two"), changed=prior_auth, names={"runs_out_on"})

    assert len(asked) == 1
    assert set(OutboxMessage.objects.filter(topic__in=["one", "two"]).values_list("topic", "attempts")) == {
        ("one", 0),
        ("two", 0),
    }
    assert AuditEntry.objects.get(action="look").public_id == entry.public_id
    written = PriorAuth.objects.get(pk=prior_auth.pk)
    assert (written.runs_out_on, written.reason) == (NOW.date(), "")


def test_what_was_not_loaded_stays_as_it_is(cast: Cast) -> None:
    was = stage.queued(cast)
    known = PriorAuth.objects.defer(*PriorAuth.LONG).get(pk=was.pk)
    known.leased_until = later(1)

    write(changed=known)

    written = PriorAuth.objects.get(pk=was.pk)
    assert (written.leased_until, written.packet, written.explanation) == (later(1), was.packet, was.explanation)


@pytest.mark.django_db
def test_of_rows_written_together_none_is_there_when_one_is_refused() -> None:
    with pytest.raises(DatabaseError, match="too long"), transaction.atomic():
        write(a_fact("first"), a_fact("x" * 61))

    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_a_changed_row_that_is_not_there_is_an_error() -> None:
    gone = a_fact()
    gone.pk = 1

    with pytest.raises(DatabaseError, match="no such row"):
        write(changed=gone)


def waiting(topic: str) -> Question:
    sql = "SELECT id, subject_id, attempts FROM authz_outboxmessage WHERE topic = %(topic)s FOR UPDATE"
    return Question(sql, ["id", "subject_id", "attempts"], {"topic": topic})


@pytest.mark.django_db
def test_a_row_is_found_changed_and_told_of_in_one_statement() -> None:
    write(a_fact("waits", attempts=3))
    told = a_fact("told", subject_id=Found("subject_id"), attempts=Found("attempts") + 2)

    with CaptureQueriesContext(connection) as asked:
        found = change_found(OutboxMessage, waiting("waits"), told, changes={"attempts": Found("attempts") + 1})

    assert len(asked) == 1
    assert found is not None
    assert found.attempts == 4
    assert list(OutboxMessage.objects.filter(topic="told").values_list("subject_id", "attempts")) == [
        (found.subject_id, 5)
    ]


@pytest.mark.django_db
def test_where_nothing_is_found_nothing_is_told() -> None:
    found = change_found(OutboxMessage, waiting("nothing"), a_fact("told"), changes={"attempts": 1})

    assert found is None
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_only_rows_for_which_it_still_holds_are_changed() -> None:
    write(a_fact("one", attempts=1), a_fact("two", attempts=2), a_fact("three", attempts=1, settled_at=NOW))
    keys = list(OutboxMessage.objects.values_list("pk", flat=True))

    count = change_where(OutboxMessage, keys, still={"attempts": 1, "settled_at": None}, dead_at=NOW, last_error="x")

    assert count == 1
    assert list(OutboxMessage.objects.filter(dead_at=NOW).values_list("topic", "last_error")) == [("one", "x")]
