"""What is put where a filter, a page, an order or an id belongs reaches no statement, and tells nothing of anybody."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, TypeVar
from uuid import UUID

import pytest
from django.test import Client

from tests.access.full_house import fill_the_house
from tests.access.test_every_door import Door, doors, ids_of_everything, known_to, markers, somebody_with_every_role
from tests.api.callers import Caller, person
from tests.cast import Cast

_Asked = TypeVar("_Asked")

HOSTILE: Final = (
    "' OR '1'='1",
    "1; DROP TABLE authz_patient; --",
    "') UNION SELECT password FROM authz_person --",
    "$$; SELECT pg_sleep(30); $$",
    "%' OR pg_sleep(30) IS NULL --",
    "../../../../etc/passwd",
    "{{7*7}}<script>alert(1)</script>",
    "\x00",
    "\ud7ff\ufffe\u202e",
    "9" * 400,
    "-1",
    "1e309",
    "NaN",
    "[]",
    "%",
    "*",
    "x" * 20_000,
    "2025-02-30",
    "0001-01-01T00:00:00-23:59",
    "9999-12-31T23:59:59.999999Z",
)
EVERYWHERE: Final = (
    "limit",
    "cursor",
    "page",
    "offset",
    "ordering",
    "sort",
    "fields",
    "format",
    "search",
    "patient__birth_date",
)


def asked(caller: Caller, path: str, name: str, value: str) -> Any:
    headers = {"Authorization": f"Bearer {caller.token}"}
    return caller.client.get(path, {name: value}, headers=headers)


def of_the_api(known: dict[str, str]) -> list[Door]:
    return [door for door in doors(known) if door.path.startswith("/api/v1/") and "get" in door.methods]


def test_nothing_hostile_in_a_filter_a_page_or_an_order_reaches_the_database(
    cast: Cast, tried: Counter[str], pytestconfig: pytest.Config
) -> None:
    fill_the_house(cast)
    callers, all_doors = [person("stella"), person("rae")], of_the_api(ids_of_everything())
    every = [
        (caller, door, name, value)
        for caller in callers
        for door in all_doors
        for name in (*door.parameters, *EVERYWHERE)
        for value in HOSTILE
    ]

    broken = list[str]()
    for caller, door, name, value in _some_of(every, pytestconfig):
        tried["hostile parameters"] += 1
        answer = asked(caller, door.path, name, value)
        if answer.status_code >= 500 or b"Traceback" in _body(answer):
            broken.append(f"{door.path}?{name}={value[:30]!r}: {answer.status_code}")

    assert broken == [], "\n".join(broken)


def test_nothing_hostile_on_a_page_reaches_the_database(
    cast: Cast, tried: Counter[str], pytestconfig: pytest.Config
) -> None:
    fill_the_house(cast)
    browser = Client(raise_request_exception=False)
    browser.force_login(cast.people["stella"])
    session = browser.session
    session["organization"] = str(cast.riverside.public_id)
    session.save()
    names = (
        "show",
        "state",
        "ball",
        "due",
        "prescriber",
        "payer",
        "assignee",
        "page",
        "search",
        "on",
        "known_on",
        "next",
    )
    pages = [door for door in doors(ids_of_everything()) if not door.path.startswith(("/api/", "/accounts/", "/oauth"))]

    read = [door for door in pages if "get" in door.methods and "log-out" not in door.path]
    every = [(door, name, value) for door in read for name in names for value in HOSTILE]

    broken = list[str]()
    for door, name, value in _some_of(every, pytestconfig):
        tried["hostile parameters"] += 1
        answer = browser.get(door.path, {name: value})
        if answer.status_code >= 500:
            broken.append(f"{door.path}?{name}={value[:30]!r}: {answer.status_code}")

    assert broken == [], "\n".join(broken)


def neighbours(key: str) -> Iterator[str]:
    """Yield ids that somebody would try who has seen this one."""
    number = UUID(key).int
    yield from (str(UUID(int=(number + step) % 2**128)) for step in (-2, -1, 1, 2, 1 << 64))


def test_who_tries_ids_learns_not_even_which_of_them_there_are(
    cast: Cast, tried: Counter[str], pytestconfig: pytest.Config
) -> None:
    fill_the_house(cast)
    known = ids_of_everything()
    strangers = {one: somebody_with_every_role(one) for one in (cast.hillside, cast.summit)}
    steps = 1 if pytestconfig.getoption("short") else 5

    telling = list[str]()
    for organization, stranger in strangers.items():
        caller = person(stranger.email.partition("@")[0], organization)
        secrets = markers(allowed=known_to(organization))
        for door in [one for one in of_the_api(known) if one.has_ids]:
            there = _told(caller, door.path)
            for key in [one for one in known.values() if one in door.path]:
                for other in list(neighbours(key))[:steps]:
                    tried["ids tried"] += 1
                    not_there = _told(caller, door.path.replace(key, other))
                    is_silent = there[0] == 200 or there == not_there
                    if not is_silent or any(secret in not_there[1] for secret in secrets):
                        telling.append(f"{organization} {door.path}: {there} {not_there}")

    assert telling == [], "\n".join(telling)


def _told(caller: Caller, path: str) -> tuple[int, str]:
    answer = caller.client.get(path, headers={"Authorization": f"Bearer {caller.token}"})
    problem = answer.json() if "json" in answer.get("Content-Type", "") else {}
    return answer.status_code, f"{problem.get('code')}: {problem.get('detail')}"


def _some_of(every: list[_Asked], config: pytest.Config) -> list[_Asked]:
    """Return all of it; for a short run some hundred, spread over the whole. The step is prime, so that all differ."""
    return every[::53] if config.getoption("short") else every


def _body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)
