"""A real worker's log: Celery and the tasks write through our formatter alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from redis import Redis

from tests import cast as stage
from tests.as_the_product import as_owner
from tests.live.processes import environment, wait_until, worker
from tests.post_office import PostOffice

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]

CANARY = "canary-4711"
REFUSING = f"""
CREATE FUNCTION refuse_delivery() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION '{CANARY}' USING ERRCODE = 'unique_violation', DETAIL = '{CANARY}', CONSTRAINT = 'told_once';
END $$;
CREATE TRIGGER refuse_delivery BEFORE INSERT ON authz_delivery FOR EACH ROW EXECUTE FUNCTION refuse_delivery();
"""


@pytest.fixture
def deliveries_are_refused() -> Iterator[None]:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(REFUSING)
    yield
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION refuse_delivery CASCADE")


def test_a_refusal_of_the_database_is_logged_by_its_names_alone(
    cast: stage.Cast, broker: "Redis[bytes]", post_office: PostOffice, tmp_path: Path, deliveries_are_refused: None
) -> None:
    with worker(environment(post_office), tmp_path) as running:
        stage.detected(cast)
        wait_until(lambda: "UniqueViolation" in running.log.read_text(), what="the refusal", log=running.log)
    written = running.log.read_text()

    assert CANARY not in written
    told = [json.loads(line) for line in written.splitlines() if "told_once" in line]
    assert [failure["type"] for failure in told[0]["exceptions"]] == [
        "django.db.utils.IntegrityError",
        "psycopg.errors.UniqueViolation",
    ]
    assert "Traceback" not in written
