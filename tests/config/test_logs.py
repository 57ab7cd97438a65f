"""What is logged: one JSON object a line, with ids and without anything of a patient."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.test import Client

from tests import cast as stage
from tests.config.clashing_urls import CANARY, clash
from workers.app import app

SOMEBODY = stage.unknown_id()


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the service's own console handler writes."""
    console: Any = next(handler for handler in logging.getLogger().handlers if handler.name == "console")
    paper = io.StringIO()
    before = console.setStream(paper)
    yield paper
    console.setStream(before)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.mark.parametrize("path", ["api/v1/clash/", "clash/"])
def test_a_refusal_of_the_database_in_web_is_logged_by_its_names_alone(
    cast: stage.Cast, settings: LazySettings, written: io.StringIO, path: str
) -> None:
    stage.register(cast)
    stage.register(cast)
    settings.ROOT_URLCONF = "tests.config.clashing_urls"

    answer = Client(raise_request_exception=False).get(f"/{path}{SOMEBODY}/")

    assert answer.status_code == 500
    assert CANARY not in written.getvalue()
    assert "DETAIL" not in written.getvalue()
    [line] = lines(written)
    assert (line["level"], line["logger"], line["method"]) == ("error", "django.request", "GET")
    assert line["route"] == f"{path}<uuid:patient_id>/"
    assert line["patient_id"] == str(SOMEBODY)
    ours, cause = line["exceptions"]
    assert ours["type"] == "django.db.utils.IntegrityError"
    assert cause["type"] == "psycopg.errors.UniqueViolation"
    assert cause["sqlstate"] == "23505"
    assert cause["constraint"] == "authz_patient_public_id_key"
    assert any(frame.startswith("tests/config/clashing_urls.py:") for frame in ours["frames"])


@app.task(name="tests.clash")
def clashing_task() -> None:
    clash()


@pytest.mark.django_db
def test_a_refusal_of_the_database_in_a_task_is_logged_by_its_names_alone(
    cast: stage.Cast, written: io.StringIO
) -> None:
    stage.register(cast)
    stage.register(cast)

    clashing_task.apply(task_id=str(SOMEBODY))

    assert CANARY not in written.getvalue()
    [line] = lines(written)
    assert line["event"] == f"Task tests.clash[{SOMEBODY}] raised unexpected: …"
    assert line["exceptions"][0]["constraint"] == "authz_patient_public_id_key"


def refused_by_the_database() -> psycopg.Error:
    return psycopg.errors.UniqueViolation(f"duplicate key\nDETAIL:  Key (value)=({CANARY}) already exists.")


def test_an_exception_told_in_a_sentence_is_its_type(written: io.StringIO) -> None:
    error = refused_by_the_database()
    log = logging.getLogger("anybody")

    log.warning("not kept: %s", error)
    log.warning("not kept: %r", ValueError(CANARY))
    log.warning(f"not kept: {error}")
    try:
        raise ValueError(CANARY) from error
    except ValueError as failure:
        log.exception(f"not kept: {failure} {failure!r} {error}")

    assert CANARY not in written.getvalue()
    assert [line["event"] for line in lines(written)] == [
        "not kept: UniqueViolation 23505",
        "not kept: 'ValueError'",
        "not kept: duplicate key",
        "not kept: ValueError ValueError UniqueViolation",
    ]


def test_what_an_exception_says_is_not_cut_out_of_the_middle_of_our_words(written: io.StringIO) -> None:
    logging.getLogger("anybody").error("a patient 7 of 17", exc_info=KeyError(7))

    [line] = lines(written)
    assert line["event"] == "a patient KeyError of 17"


def test_a_line_has_its_time_in_utc_its_level_and_whoever_wrote_it(written: io.StringIO) -> None:
    logging.getLogger("authz.anybody").info("postponed id=%s\nattempt=%d", 7, 2)

    [line] = lines(written)
    assert line.pop("at").endswith("+00:00")
    assert line == {"level": "info", "logger": "authz.anybody", "event": "postponed id=7\nattempt=2"}


def test_an_address_is_logged_without_its_query(written: io.StringIO) -> None:
    logging.getLogger("gunicorn.access").info(
        "%(r)s",
        {"m": "GET", "U": "/api/v1/patients/", "s": "200", "M": 12, "q": f"identifier={CANARY}", "r": f"?{CANARY}"},
    )
    logging.getLogger("gunicorn.error").error("Error handling request %s", f"/api/v1/patients?identifier={CANARY}")

    assert CANARY not in written.getvalue()
    answered, broken = lines(written)
    assert answered.pop("at")
    assert answered == {
        "level": "info", "logger": "gunicorn.access", "event": "answered",
        "method": "GET", "path": "/api/v1/patients/", "status": "200", "milliseconds": 12,
    }  # fmt: skip
    assert broken["event"] == "Error handling request /api/v1/patients"


def test_exceptions_that_lead_to_each_other_are_told_once_each(written: io.StringIO) -> None:
    first, second = ValueError("a"), KeyError("b")
    first.__context__, second.__context__ = second, first

    logging.getLogger("anybody").error("odd", exc_info=first)

    [line] = lines(written)
    assert [failure["type"] for failure in line["exceptions"]] == ["builtins.ValueError", "builtins.KeyError"]
