"""Whoever is answered patient data is on the trail, by every door; what cannot be put there is not answered."""

import csv
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver

from authz.access.models import Organization, Person
from authz.access.roles import Role
from authz.access.services import add_membership
from authz.audit import selectors
from authz.audit.models import AuditEntry
from authz.prescriptions.emergency.models import EmergencyAccess
from authz.prescriptions.models import Patient
from authz.reporting.trail_sheet import COLUMNS
from tests import cast as stage
from tests.access.full_house import fill_the_house
from tests.access.test_every_door import (
    LEADING_OUT,
    NAMED_OTHERWISE,
    WORDS,
    patterns,
    snake,
    somebody_with_every_role,
)
from tests.api.callers import Caller, field_errors, machine, person, refused
from tests.cast import Cast

NO_PATIENT_DATA = {
    # about the product, the organization and its people
    "openapi", "docs", "problems", "lifecycle", "regimes", "regimes-sheet", "my-organization", "clinic-settings",
    "contact", "licences", "licence", "plans", "plan-policies", "policies", "policies-sheet", "catalog",
    "catalog-policy", "policy", "reasons", "reasons-sheet", "prescribers", "prescriber",
    "notification-settings", "colleagues", "api-clients", "api-client", "invitations", "invitation",
    "webhook-endpoints", "webhook-endpoint", "webhook-deliveries", "smart-configuration", "workload",
    "people", "people-sheet", "invitations-sheet", "webhooks", "webhooks-sheet", "webhook", "webhook-sheet",
    "inbox-settings", "team-sheet", "absences", "absences-sheet", "open-in-emergency",
    # the trail itself; that it was read is an entry of another action
    "audit-entries", "trail", "trail-sheet", "trail-export",
    # counts
    "policy-simulations", "policy-simulation", "simulation", "simulation-sheet", "figures", "figures-sheet",
    "open-by-age", "open-by-age-sheet", "clinic-work", "clinic-work-sheet",
    "inbox-news", "aging", "message-burden", "message-burden-sheet", "productivity", "inbox-count",
    # only written to, or leading on to another address
    "appeal-step", "ask-for-call", "call-step", "desk-appeal", "desk-call", "desk-next", "desk-offer-call",
    "desk-shortcuts", "licence-changed", "desk-skip",
    "desk-step", "second-reading", "policy-activation", "policy-retirement", "policy-rewriting",
    "simulations",
    "webhook-act", "webhook-replay", "invitation-act", "desk-hand-on", "desk-back",
    "security-txt", "oauth-token", "attachment-removal", "acknowledge-notice", "open-notice", "assign", "step",
    # one's own account, and the way in and out
    "log-in", "account", "choose-organization", "mailbox", "caught-mail", "demo-webhooks",
}  # fmt: skip

MARCH = {"since": "2025-03-01", "until": "2025-03-31"}
QUERY = {
    "opioid-use-changes": {"from": "2025-01-01"},
    "second-readings": {"show": "read"},
    "counted-requests": {"figure": "received", **MARCH},
    "figure-requests": {"figure": "received", "urgency": "all", **MARCH},
    "figure-requests-sheet": {"figure": "received", "urgency": "all", **MARCH},
    "worked-requests": MARCH,
    "worked-requests-sheet": MARCH,
}


@pytest.fixture
def house(cast: Cast) -> Cast:
    fill_the_house(cast)
    return cast


def ids() -> dict[str, list[str]]:
    """Return, by the name that an address gives them, the ids of every row of each model that has one."""
    models = {model.__name__: model for model in apps.get_app_config("authz").get_models()}
    public = {
        name: [str(one) for one in model._base_manager.order_by("pk").values_list("public_id", flat=True)]
        for name, model in models.items()
        if "public_id" in {field.name for field in model._meta.fields}
    }
    return {f"{snake(name)}_id": found for name, found in public.items()} | {
        parameter: public[name] for parameter, name in NAMED_OTHERWISE.items()
    }


def addresses(route: str, pattern: URLPattern, known: dict[str, list[str]]) -> Iterator[str]:
    names = list(pattern.pattern.converters)
    for values in product(*(known.get(name, [WORDS.get(name, "1")]) for name in names)):
        path = f"/{route}"
        for name, value in zip(names, values, strict=True):
            path = re.sub(rf"<(\w+:)?{name}>", value, path)
        yield path


def callers(cast: Cast) -> list[tuple[Client, dict[str, str]]]:
    anybody = [_caller(somebody_with_every_role(one), one) for one in (cast.riverside, cast.evergreen)]
    # Only who was told something has it in their inbox.
    return [*anybody, _caller(cast.people["stella"], cast.riverside)]


def _caller(somebody: Person, organization: Organization) -> tuple[Client, dict[str, str]]:
    browser = Client()
    browser.force_login(somebody)
    session = browser.session
    session["organization"] = str(organization.public_id)
    session.save()
    token = person(somebody.email.partition("@")[0], organization).token
    return browser, {"Authorization": f"Bearer {token}"}


@pytest.mark.thorough
def test_every_address_that_can_be_read_leaves_an_entry_or_is_named_as_one_without_patients(house: Cast) -> None:
    known, readers, found = ids(), callers(house), dict[str, bool]()
    for route, pattern in patterns(get_resolver()):
        view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
        name = str(pattern.name)
        is_allauths = "account" in route and name != "account"
        if name in LEADING_OUT or is_allauths or (view is not None and not hasattr(view, "get")):
            continue
        for (browser, headers), path in product(readers, addresses(route, pattern, known)):
            before = AuditEntry.objects.filter(action="read").count()
            browser.get(path, QUERY.get(name, {}), headers=headers if path.startswith("/api/") else {})
            found[name] = found.get(name, False) or AuditEntry.objects.filter(action="read").count() == before + 1
            if found[name]:
                break

    untold = {name for name, is_told in found.items() if not is_told}
    assert sorted(untold - NO_PATIENT_DATA) == []
    assert sorted(NO_PATIENT_DATA - untold) == []


def test_a_read_names_who_whose_where_and_what_for(cast: Cast) -> None:
    patient = stage.register(cast)
    stella = person("stella", cast.riverside)
    path = f"/api/v1/patients/{patient.public_id}/"

    asked = Client().get(
        path, headers={"Authorization": f"Bearer {stella.token}", "X-Purpose-Of-Use": "TREAT"}, REMOTE_ADDR="192.0.2.7"
    )

    entry = AuditEntry.objects.get(action="read")
    assert asked.status_code == 200
    assert (entry.person, entry.organization, entry.patients) == (
        cast.people["stella"], cast.riverside, [patient.public_id],
    )  # fmt: skip
    assert (entry.origin, entry.address, entry.source, entry.purpose) == ("api", f"GET {path}", "192.0.2.7", "TREAT")


def test_an_unknown_purpose_of_use_is_refused(cast: Cast) -> None:
    stella = person("stella", cast.riverside)

    asked = Client().get(
        "/api/v1/patients/", headers={"Authorization": f"Bearer {stella.token}", "X-Purpose-Of-Use": "FUN"}
    )

    assert "X-Purpose-Of-Use" in field_errors(asked)


def test_an_answer_that_is_given_again_is_a_read(cast: Cast) -> None:
    case, stella = stage.detected(cast), person("stella")
    path = f"prior-authorizations/{case.public_id}/take-up/"
    first = stella.post(path, key="k")
    before = AuditEntry.objects.filter(action="read").count()

    again = stella.post(path, key="k")

    assert (before, again.json()) == (0, first.json())
    entry = AuditEntry.objects.get(action="read")
    assert (entry.patients, entry.address) == ([case.patient.public_id], f"POST /api/v1/{path}")


def test_a_page_of_a_list_is_one_entry_that_names_everybody_on_it(cast: Cast) -> None:
    listed = [stage.register(cast) for _ in range(3)]
    stella = person("stella", cast.riverside)

    read(stella, "/api/v1/patients/?limit=2")

    entry = AuditEntry.objects.get(action="read")
    assert set(entry.patients) == {one.public_id for one in listed[1:]}


def test_a_change_names_the_patient_by_its_subject_and_leaves_one_entry(cast: Cast) -> None:
    patient = stage.register(cast)
    fill, _ = stage.fill(cast, patient, 5)

    (entry,) = AuditEntry.objects.filter(subject_kind="fill", subject_id=fill.public_id)
    assert entry.patients == [patient.public_id]


def test_every_kind_of_subject_that_belongs_to_a_patient_is_resolved(house: Cast) -> None:
    kinds = {
        "patient", "coverage", "fill", "prescription", "exemption", "pain-score", "surgery", "pain-hint",
        "identity-question", "emergency-access", "prior-auth", "appeal", "call",
    }  # fmt: skip
    entries = AuditEntry.objects.filter(subject_kind__in=kinds)

    assert set(entries.values_list("subject_kind", flat=True)) == kinds
    assert not entries.filter(patients=[]).exists()


def test_what_is_read_in_an_emergency_names_why(house: Cast) -> None:
    access = EmergencyAccess.objects.get()
    EmergencyAccess.objects.update(ends_at=stage.later(24 * 365 * 10))
    jones = person("jones", house.riverside)

    asked = read(jones, f"/api/v1/patients/{access.patient.public_id}/opioid-use/")

    entry = AuditEntry.objects.filter(action="read").latest("pk")
    assert asked.status_code == 200
    assert (entry.emergency, entry.patients) == (access.public_id, [access.patient.public_id])


def test_what_cannot_be_put_on_the_trail_is_not_answered(cast: Cast) -> None:
    patient = stage.register(cast)
    stella = person("stella", cast.riverside)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE authz_auditentry (id bigint)")

    refused = read(stella, f"/api/v1/patients/{patient.public_id}/")

    assert refused.status_code == 500
    assert "birth_date" not in refused.content.decode()


def test_what_is_refused_or_not_found_leaves_no_read(cast: Cast) -> None:
    patient = stage.register(cast)
    mallory = person("mallory", cast.hillside)

    read(mallory, f"/api/v1/patients/{patient.public_id}/")

    assert Patient.objects.exists()
    assert not AuditEntry.objects.filter(action="read").exists()


def test_administrators_find_who_read_a_patient_and_are_on_the_trail_themselves(cast: Cast) -> None:
    one, other = stage.register(cast), stage.register(cast)
    stella = person("stella", cast.riverside)
    for patient in (one, other, one):
        read(stella, f"/api/v1/patients/{patient.public_id}/")
    admin = machine(cast.riverside, Role.CLINIC_ADMIN)

    found = admin.get("audit-entries/", patient=str(one.public_id), action="read").json()["results"]
    looked = admin.get("audit-entries/", action="read the audit trail").json()["results"]

    assert [entry["patients"] for entry in found] == [[str(one.public_id)]] * 2
    assert {entry["actor"] for entry in found} == {cast.stella.name}
    assert len(looked) == 1
    assert stella.get("audit-entries/").status_code == 403


def test_the_trail_is_taken_out_as_a_file_that_says_what_the_list_says(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "_BATCH", 2)
    patient = stage.register(cast)
    stella = person("stella", cast.riverside)
    for _ in range(3):
        read(stella, f"/api/v1/patients/{patient.public_id}/")
    admin = machine(cast.riverside, Role.CLINIC_ADMIN)

    listed = admin.get("audit-entries/", action="read").json()["results"]
    rows = list(csv.DictReader(file_of(admin.get_csv("audit-entries/", action="read"))))

    assert tuple(rows[0]) == tuple(listed[0]) == COLUMNS
    assert [row["id"] for row in rows] == [entry["id"] for entry in listed]
    assert {(row["patients"], row["actor"]) for row in rows} == {(str(patient.public_id), cast.stella.name)}
    assert AuditEntry.objects.filter(action="export the audit trail").count() == 1
    refused(admin.get_csv("audit-entries/", limit="2"), 422, "invalid-input")
    refused(stella.get_csv("audit-entries/"), 403, "forbidden")


def test_an_administrator_takes_the_trail_out_from_a_page_and_nobody_else_does(cast: Cast) -> None:
    stage.register(cast)
    stella = cast.people["stella"]
    stage.register(cast, by=cast.mallory)
    browser, _ = _caller(stella, cast.riverside)
    assert browser.get("/organization/trail.csv").status_code == 403
    add_membership(person=stella, organization=cast.riverside, role=Role.CLINIC_ADMIN)

    rows = list(csv.DictReader(file_of(browser.get("/organization/trail.csv"))))

    assert {row["actor"] for row in rows} == {cast.stella.name}
    assert rows[0]["action"] == "export the audit trail"


def file_of(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode().splitlines()


def read(caller: Caller, path: str) -> HttpResponse:
    client = Client(raise_request_exception=False)
    answer: HttpResponse = client.get(path, headers={"Authorization": f"Bearer {caller.token}"})
    return answer
