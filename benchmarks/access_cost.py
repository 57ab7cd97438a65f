"""What keeping organizations apart, the trail and limits cost together. Run: python -m benchmarks.access_cost [ROUNDS]

On an embedded PostgreSQL and Valkey of its own, over the API and in one process, a clinic's system records a fill and
reads a case in turns with row-level security, the trail and its limit of requests, and without: with them as the
product does, without them as a superuser whom no policy holds, on Django's own connection that says nothing at the
start of a transaction, adding no entries and counting no requests. The first tenth warms up. Exits with status 1 when
the median of either is more than a quarter above the one without.
"""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from statistics import median
from time import perf_counter
from typing import Any

from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper as DjangosOwn
from django.test import Client

from authz import clock
from benchmarks._embedded import embedded_database
from config.embedded import paths
from config.embedded.processes import server_account
from config.embedded.valkey import Valkey

ROUNDS, MOST_SHARE = 300, 0.25
MOST_A_MINUTE = 100_000
OXYCODONE_5, ZONE = "1049621", "America/New_York"


def spent(work: Callable[[], object]) -> float:
    """Return how many milliseconds the work takes on the wall."""
    began = perf_counter()
    work()
    return (perf_counter() - began) * 1000


@contextmanager
def without() -> Iterator[None]:
    """Ask as a superuser, on a connection that says nothing of in whose name, and leave no trail."""
    from authz.access import tenancy  # noqa: PLC0415  # it needs the settings
    from authz.api.rates import ClientThrottle  # noqa: PLC0415
    from authz.audit import services as audit  # noqa: PLC0415

    kept, told, add = connections["default"], tenancy._tell_open_transaction, audit._add
    count = ClientThrottle.allow_request
    connections["default"] = bare(kept.settings_dict)
    tenancy._tell_open_transaction = lambda: None
    audit._add = lambda *_, **__: None
    ClientThrottle.allow_request = lambda *_: True  # type: ignore[method-assign]  # that is the point
    try:
        yield
    finally:
        connections["default"], tenancy._tell_open_transaction = kept, told
        audit._add = add
        ClientThrottle.allow_request = count  # type: ignore[method-assign]


_bare: list[DjangosOwn] = []


def bare(settings: dict[str, Any]) -> DjangosOwn:
    """Return the one connection that no policy holds."""
    if not _bare:
        _bare.append(DjangosOwn({**settings, "USER": "postgres"}))
    return _bare[0]


class Caller:
    """A system's requests to the API, within a limit that it never reaches."""

    def __init__(self, organization: Any) -> None:
        from authz.access.machines import services as machines  # noqa: PLC0415
        from authz.access.roles import Role  # noqa: PLC0415

        self._client, self._headers = Client(), dict[str, str]()
        self._machine, self._secret = machines.create_client(
            organization=organization, name="A system", roles={Role.STAFF}, requests_a_minute=MOST_A_MINUTE
        )
        self.log_in()

    def log_in(self) -> None:
        """Get a token, which is good for five minutes."""
        from authz.access.machines import services as machines  # noqa: PLC0415

        token, _ = machines.issue_for_secret(
            client_id=str(self._machine.public_id), client_secret=self._secret, scope=None, now=clock.now()
        )
        self._headers = {"Authorization": f"Bearer {token}"}

    def send(self, method: str, path: str, body: object = None) -> Any:
        """Send one request and return what it was answered.

        :raises RuntimeError: when it was refused.
        """
        text = "" if body is None else json.dumps(body)
        answer = self._client.generic(
            method, f"/api/v1/{path}", text, content_type="application/json", headers=self._headers
        )
        if answer.status_code >= 300:
            raise RuntimeError(answer.content)
        return answer.json()


def set_up() -> tuple[Caller, str, str]:
    """Have a clinic, an insurer and a patient; return the clinic's system, and the ids of the plan and a request."""
    from authz.access import services as access  # noqa: PLC0415  # models need the settings
    from authz.access.roles import OrganizationKind  # noqa: PLC0415
    from authz.policies.services import create_plan  # noqa: PLC0415

    clinic = access.create_organization(kind=OrganizationKind.CLINIC, name="Clinic", time_zone=ZONE)
    insurer = access.create_organization(kind=OrganizationKind.INSURER, name="Insurer", time_zone=ZONE)
    plan = create_plan(insurer=insurer, code="P", name="Plan")
    caller = Caller(clinic)
    patient = new_patient(caller, str(plan.public_id), 0)
    for number in range(10):
        caller.send("POST", "fills/", fill(patient, f"first-{number}", days_ago=number))
    (request,) = caller.send("GET", f"prior-authorizations/?patient={patient}")["results"]
    caller.send("POST", f"prior-authorizations/{request['id']}/take-up/", {})
    return caller, str(plan.public_id), request["id"]


def new_patient(caller: Caller, plan: str, number: int) -> str:
    """Register a patient with a coverage; return their id."""
    born = {"identifier": f"N-{number}", "family_name": "Roe", "given_name": "Sam", "birth_date": "1980-01-01"}
    patient = str(caller.send("POST", "patients/", born)["id"])
    covered = {"patient": patient, "plan": plan, "member_id": f"M-{number}", "starts_on": "2020-01-01"}
    caller.send("POST", "coverages/", covered)
    return patient


def fill(patient: str, identifier: str, *, days_ago: int) -> dict[str, Any]:
    """Return a dispensing of five days."""
    day = clock.day_in(ZONE, at=clock.now()) - timedelta(days=days_ago)
    return {
        "patient": patient,
        "identifier": identifier,
        "dispensed_on": day.isoformat(),
        "rxcui": OXYCODONE_5,
        "quantity": "20",
        "days_supply": 5,
        "fill_number": 0,
    }


def one_round(caller: Caller, plan: str, request: str, number: int) -> Iterator[tuple[str, float]]:
    """Record the fifth fill of a new patient and read a case; yield how many milliseconds either took."""
    patient = new_patient(caller, plan, number)
    for before in range(4):
        caller.send("POST", "fills/", fill(patient, f"{number}-{before}", days_ago=before + 1))
    new = fill(patient, f"{number}-new", days_ago=0)
    yield "recording a fill", spent(lambda: caller.send("POST", "fills/", new))
    yield "reading a case", spent(lambda: caller.send("GET", f"prior-authorizations/{request}/"))


def measure(rounds: int) -> dict[str, tuple[float, float]]:
    """Return the medians of each act with and without, in milliseconds."""
    caller, plan, request = set_up()
    times: dict[tuple[str, bool], list[float]] = {}
    for number in range(1, rounds + 1):
        caller.log_in()
        for is_held in (True, False):
            with nullcontext() if is_held else without():
                for name, took in one_round(caller, plan, request, number * 2 + is_held):
                    if number > rounds // 10:
                        times.setdefault((name, is_held), []).append(took)
    acts = {name for name, _ in times}
    return {name: (median(times[name, True]), median(times[name, False])) for name in acts}


def main() -> bool:
    """Measure, print, and return whether it costs no more than it may."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    folder = paths.temporary_folder(server_account())
    valkey = Valkey(folder / "valkey", folder / "run")
    valkey.start()
    with embedded_database(durable=True, REDIS_URL=valkey.url()):
        logging.disable(logging.WARNING)
        connection.close()
        connection.settings_dict["USER"] = "authz_app"
        found = measure(rounds)
        for one in _bare:
            one.close()
    valkey.stop()
    for name, (held, free) in found.items():
        print(f"{name}: p50 {held:.2f} ms with, {free:.2f} ms without: {held / free - 1:+.1%}")
    return all(held / free - 1 <= MOST_SHARE for held, free in found.values())


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
