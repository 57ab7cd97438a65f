"""How tests speak to the API: as somebody of the cast, over real requests, and with proof that nothing changed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from io import BytesIO
from typing import Any

from django.apps import apps
from django.http import HttpResponse
from django.test import Client

from authz import clock
from authz.access.machines.services import create_client, issue_for_secret
from authz.access.models import AccessToken, Organization
from authz.access.roles import CLINIC_ROLES, Role
from authz.access.services import log_in
from authz.audit.models import AuditEntry
from authz.audit.services import READ
from authz.policies.models import PayerPolicy
from authz.prescriptions.models import Patient
from authz.prior_auths.models import PriorAuth
from tests import cast as stage

PATEL_NPI = "1003000126"
BAD_NPI = "1234567890"


class Caller:
    """Somebody with a token; without one a stranger. Paths are below /api/v1/."""

    def __init__(self, token: str = "") -> None:
        self.token = token
        self.client = Client(raise_request_exception=False)

    def get(self, path: str, *, if_none_match: str | None = None, **parameters: str) -> Any:
        headers = self._headers() | ({"If-None-Match": if_none_match} if if_none_match else {})
        return self.client.get(f"/api/v1/{path}", parameters, headers=headers)

    def get_as(self, accept: str, path: str, **parameters: str) -> Any:
        return self.client.get(f"/api/v1/{path}", parameters, headers={**self._headers(), "Accept": accept})

    def get_csv(self, path: str, **parameters: str) -> Any:
        return self.get_as("text/csv", path, **parameters)

    def post(self, path: str, body: Any = None, *, key: str | None = None, if_match: str | None = None) -> Any:
        return self.send("POST", path, json.dumps(body) if body is not None else "", key=key, if_match=if_match)

    def patch(self, path: str, body: Any, *, if_match: str | None = None) -> Any:
        return self.send("PATCH", path, json.dumps(body), if_match=if_match)

    def put(self, path: str, body: Any) -> Any:
        return self.send("PUT", path, json.dumps(body))

    def delete(self, path: str) -> Any:
        return self.client.delete(f"/api/v1/{path}", headers=self._headers())

    def send(
        self,
        method: str,
        path: str,
        body: str | bytes,
        *,
        key: str | None = None,
        if_match: str | None = None,
        content_type: str = "application/json",
    ) -> Any:
        headers = self._headers()
        if key is not None:
            headers["Idempotency-Key"] = key
        if if_match is not None:
            headers["If-Match"] = if_match
        return self.client.generic(method, f"/api/v1/{path}", body, content_type=content_type, headers=headers)

    def in_chunks(self, path: str, *, content_type: str = "application/json") -> Any:
        """Send a body as servers hand over a chunked one: with its Transfer-Encoding, without a Content-Length."""
        body = BytesIO(b'{"urgency": "expedited"}')
        headers = {**self._headers(), "Transfer-Encoding": "chunked", "Idempotency-Key": "in-chunks"}
        extra: dict[str, Any] = {"CONTENT_TYPE": content_type, "wsgi.input": body, "wsgi.input_terminated": True}
        return self.client.generic("POST", f"/api/v1/{path}", headers=headers, **extra)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def person(name: str, organization: Organization | None = None) -> Caller:
    """Return somebody of the cast, logged in."""
    text, _ = log_in(
        email=f"{name}@example.org",
        password=stage.PASSWORD,
        organization_id=organization.public_id if organization else None,
        now=clock.now(),
    )
    return Caller(text)


def machine(organization: Organization, *roles: Role) -> Caller:
    """Return a machine of an organization, with its token."""
    client, secret = create_client(organization=organization, name="A machine", roles=set(roles))
    text, _ = issue_for_secret(client_id=str(client.public_id), client_secret=secret, scope=None, now=clock.now())
    return Caller(text)


def organization_of(cast: stage.Cast, role: Role) -> Organization:
    """Return the organization of the cast whose people have a role."""
    return cast.riverside if role in CLINIC_ROLES else cast.evergreen


def address(case: PriorAuth, step: str = "") -> str:
    """Return where a request is, or one of its steps."""
    return f"prior-authorizations/{case.public_id}/{step}"


def today() -> date:
    """Return the day it is where the cast works."""
    return clock.day_in("America/New_York", at=clock.now())


def days_ago(days: int) -> str:
    """Return a day in the past, as the API writes it."""
    return (today() - timedelta(days=days)).isoformat()


def fill_body(patient: Patient, /, **other: Any) -> dict[str, Any]:
    """Return a dispensing of five days of oxycodone, four tablets a day, dispensed today."""
    return {
        "patient": str(patient.public_id),
        "identifier": "F-1",
        "dispensed_on": today().isoformat(),
        "rxcui": stage.OXYCODONE_5,
        "quantity": "20",
        "days_supply": 5,
        "fill_number": 0,
        "prescriber_npi": stage.JONES_NPI,
    } | other


def order_body(patient: Patient, /, **other: Any) -> dict[str, Any]:
    """Return an order of five days of oxycodone, written today."""
    return {
        "patient": str(patient.public_id),
        "identifier": "RX-1",
        "written_on": today().isoformat(),
        "rxcui": stage.OXYCODONE_5,
        "quantity": 20,
        "days_supply": 5,
        "prescriber_npi": stage.JONES_NPI,
    } | other


def score_body(patient: Patient, /, **other: Any) -> dict[str, Any]:
    """Return a PEG asked today: 7, 7 and 6."""
    return {
        "patient": str(patient.public_id),
        "identifier": "P-1",
        "scored_on": today().isoformat(),
        "instrument": "peg",
        "pain": 7,
        "enjoyment": 7,
        "activity": 6,
    } | other


def surgery_body(patient: Patient, /, **other: Any) -> dict[str, Any]:
    """Return an operation of today."""
    return {"patient": str(patient.public_id), "identifier": "S-1", "performed_on": today().isoformat()} | other


def contents() -> dict[str, object]:
    """Return how many rows every table has, and where every request and policy stands.

    Tokens come and go, and that somebody read is on the trail, whatever they read.
    """
    found: dict[str, object] = {
        model.__name__: model._default_manager.count()
        for model in apps.get_app_config("authz").get_models()
        if model is not AccessToken
    }
    found["AuditEntry"] = AuditEntry.objects.exclude(action=READ).count()
    found["requests"] = sorted(PriorAuth.objects.values_list("pk", "state", "version"))
    found["policies"] = sorted(PayerPolicy.objects.values_list("pk", "state", "drafts"))
    return found


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Prove that what happens inside leaves the database as it was."""
    before = contents()
    yield
    assert contents() == before


def refused(answer: HttpResponse, status: int, code: str) -> dict[str, Any]:
    """Return the problem that an answer holds, once it is proven to be a whole one of this status and code."""
    problem: dict[str, Any] = json.loads(answer.content)
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer["Content-Type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["type"].endswith(f"/api/problems/#{code}")
    assert problem["detail"].endswith(".")
    assert "Traceback" not in answer.content.decode()
    return problem


def field_errors(answer: HttpResponse) -> dict[str, tuple[str, str]]:
    """Return the code and the sentence of every field that an invalid-input answer names."""
    problem = refused(answer, 422, "invalid-input")
    return {error["field"]: (error["code"], error["detail"]) for error in problem["errors"]}
