"""The licences of an insurer's people, over the API."""

from datetime import date
from typing import Any

import pytest

from authz.access.models import Licence
from authz.access.roles import Role
from authz.access.services import record_licence
from authz.prior_auths.services import determinations
from authz.prior_auths.services.grounds import LicenceNeeded
from tests import cast as stage
from tests.api.callers import Caller, field_errors, machine, nothing_changes, refused
from tests.prior_auths.said import REASON

PATH = "organizations/me/licences/"
SAID = {
    "email": "uma@example.org",
    "number": "MD-77",
    "state": "NJ",
    "profession": "physician",
    "specialty": "pain medicine",
    "valid_from": "2024-01-01",
    "valid_until": "2026-12-31",
}


@pytest.fixture
def nora(cast: stage.Cast) -> Caller:
    return machine(cast.evergreen, Role.INSURER_ADMIN)


def said(cast: stage.Cast, **other: Any) -> dict[str, Any]:
    return SAID | {"email": cast.people["rae"].email} | other


def test_who_has_no_licence_denies_nothing_until_the_administrator_records_one(cast: stage.Cast, nora: Caller) -> None:
    Licence.objects.all().delete()
    key = stage.key_of(stage.in_clinical_review(cast))
    with pytest.raises(LicenceNeeded):
        determinations.deny(prior_auth_id=key, reason=REASON, by=cast.patel, now=stage.NOW)

    made = nora.post(PATH, said(cast, email=cast.people["patel"].email))
    determinations.deny(prior_auth_id=key, reason=REASON, by=cast.patel, now=stage.NOW)

    assert made.status_code == 201
    assert made.json()["specialty"] == "pain_medicine"
    assert nora.get(made["Location"].removeprefix("/api/v1/")).json() == made.json()
    assert [row["number"] for row in nora.get(PATH).json()["results"]] == ["MD-77"]


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"email": "somebody@example.org"}, {"email"}),
        ({"valid_until": "2023-12-31"}, {"valid_until"}),
        ({"state": "NY", "number": "MD-1001"}, {"number"}),
        ({"state": "XX", "profession": "wizard"}, {"state", "profession"}),
        ({"nickname": "Rae"}, {"nickname"}),
    ],
)
def test_what_is_wrong_with_a_licence_is_named_and_nothing_is_recorded(
    cast: stage.Cast, nora: Caller, wrong: dict[str, str], fields: set[str]
) -> None:
    with nothing_changes():
        answer = nora.post(PATH, said(cast, **wrong))

    assert set(field_errors(answer)) == fields


def test_a_licence_of_another_organization_is_neither_seen_nor_changed_nor_recorded_twice(
    cast: stage.Cast, nora: Caller
) -> None:
    days = {"valid_from": date(2024, 1, 1), "valid_until": date(2026, 12, 31)}
    theirs = record_licence(person=cast.people["oscar"], number="MD-9", state="NJ", specialty="Neurology", **days)

    with nothing_changes():
        listed = nora.get(PATH).json()["results"]
        refused(nora.patch(f"{PATH}{theirs.public_id}/", {"valid_until": "2030-01-01"}), 404, "not-found")
        again = nora.post(PATH, said(cast, number="MD-9"))

    assert "MD-9" not in [row["number"] for row in listed]
    assert set(field_errors(again)) == {"number"}


def test_a_licence_is_renewed_and_ends_but_not_before_somebody_decided_by_it(cast: stage.Cast, nora: Caller) -> None:
    stage.denied(cast)
    mine = f"{PATH}{Licence.objects.get(person=cast.people['patel']).public_id}/"

    renewed = nora.patch(mine, {"valid_until": "2035-12-31"})
    with nothing_changes():
        too_early = nora.patch(mine, {"valid_until": "2025-01-31"})
        before_it_began = nora.patch(mine, {"valid_until": "2019-01-31"})
    ended = nora.patch(mine, {"valid_until": "2026-01-31"})

    assert renewed.json()["valid_until"] == "2035-12-31"
    assert field_errors(too_early)["valid_until"][1] == "Somebody decided by it after that day."
    assert field_errors(before_it_began)["valid_until"][1] == "It ends before it begins."
    assert ended.json()["valid_until"] == "2026-01-31"


def test_only_an_insurers_administrator_reads_or_records_licences(rae: Caller, stella: Caller) -> None:
    for somebody in (rae, stella):
        refused(somebody.get(PATH), 403, "forbidden")
        with nothing_changes():
            refused(somebody.post(PATH, SAID), 403, "forbidden")
