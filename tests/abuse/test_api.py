"""Requests made of the API's own description, as every role, a machine and a stranger: each answer is as described.

Half of the requests are as the description has them, half are not. Most name rows that are there, so that more is
reached than refusals. What a request changes is undone after it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from django.conf import LazySettings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import given
from hypothesis import strategies as some
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from authz.access import services as access
from authz.access.roles import CLINIC_ROLES, Role
from tests import cast as stage
from tests.abuse.conftest import Tries
from tests.access.full_house import fill_the_house
from tests.access.test_every_door import ids_of_everything
from tests.api.callers import machine, person
from tests.cast import Cast

SCHEMA: Final = schemathesis.openapi.from_path(Path(__file__).parents[2] / "docs" / "openapi.yaml")
OPERATIONS: Final = [found.ok() for found in SCHEMA.get_all_operations()]
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OF_THE_CAST: Final = {
    "staff": "stella",
    "prescriber": "jones",
    "intake": "ivy",
    "reviewer": "rae",
    "physician": "patel",
    "appeal reviewer": "uma",
    "insurer administrator": "nora",
}
WHO: Final = (*OF_THE_CAST, "clinic administrator", "machine", "stranger")
CASES_OF_EACH: Final = 5
"""Requests of each operation as each of them: with some 160 operations and ten of them, more than 5,000."""


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def token_of(who: str, cast: Cast) -> str:
    """Return the token of somebody in a role; none of a stranger."""
    if who == "stranger":
        return ""
    if who == "machine":
        return machine(cast.riverside, *CLINIC_ROLES).token
    if who == "clinic administrator":
        cleo = access.create_person(email="cleo@example.org", full_name="Cleo Hart", password=stage.PASSWORD)
        access.add_membership(person=cleo, organization=cast.riverside, role=Role.CLINIC_ADMIN)
        return person("cleo").token
    return person(OF_THE_CAST[who]).token


def aimed(case: Any, known: dict[str, str], *, version: int) -> Any:
    """Return a case that names rows which are there, where it names any, and of which version they are."""
    case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
    if isinstance(case.body, dict):
        case.body = {name: known.get(f"{name}_id", value) for name, value in case.body.items()}
    if "If-Match" in case.headers:
        case.headers["If-Match"] = f'"{version}"'
    return case


@pytest.fixture
def send(cast: Cast, settings: LazySettings) -> Iterator[Callable[..., None]]:
    """Send a case, hold its answer to the description, and undo what it did."""
    settings.CLIENT_REQUESTS_A_MINUTE = settings.MACHINE_LOG_INS_A_MINUTE = 1_000_000
    fill_the_house(cast)
    application = get_wsgi_application()

    def sent(case: Any, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with undone():
            answer = case.call(app=application, base_url="http://testserver", headers=headers)
        case.validate_response(answer, checks=CHECKS)

    # As in Django's own client: the connection is the test's, and goes on.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield sent
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_every_answer_is_as_the_description_says(
    cast: Cast, send: Callable[..., None], tries: Tries, tried: Counter[str], pytestconfig: pytest.Config
) -> None:
    tokens, known = {who: token_of(who, cast) for who in WHO}, ids_of_everything()
    # A short run goes through every operation once, each as somebody else.
    is_short = pytestconfig.getoption("short")
    asked = [
        (operation, who)
        for place, operation in enumerate(OPERATIONS)
        for who in ([WHO[place % len(WHO)]] if is_short else WHO)
    ]

    broken = list[str]()
    for operation, who in asked:
        right, wrong = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

        @tries(CASES_OF_EACH)
        @given(case=right | wrong, is_aimed=some.integers(0, 3), version=some.integers(0, 6))
        def answers(by: str, case: Any, is_aimed: int, version: int) -> None:
            tried[f"requests as {by}"] += 1
            send(aimed(case, known, version=version) if is_aimed else case, tokens[by])

        try:
            answers(who)
        # A group of failures is no Exception. Every operation is tried, and all that is wrong is told.
        except (Exception, BaseExceptionGroup) as fault:  # noqa: BLE001
            broken.append(f"{operation.label} as {who}: {type(fault).__name__}: {fault}")

    assert broken == [], "\n\n".join(broken)
