"""Logging in for a token, and out."""

from datetime import timedelta

import pytest

from authz import clock
from authz.access.models import AccessToken, Membership
from authz.access.roles import Role
from authz.access.services import add_membership
from authz.api.models import IdempotentAnswer
from tests import cast as stage
from tests.api.callers import Caller, field_errors, machine, person, refused


def test_a_person_logs_in_and_is_known(cast: stage.Cast) -> None:
    answer = Caller().post("tokens/", {"email": "Stella@example.org", "password": stage.PASSWORD})

    assert answer.status_code == 201
    token = answer.json()
    assert token["token_type"] == "Bearer"
    assert token["organization"]["name"] == "Riverside Clinic"
    me = Caller(token["token"]).get("organizations/me/")
    assert me.json()["name"] == "Stella Marsh"
    assert me.json()["roles"] == ["staff"]
    assert me.json()["organization"]["id"] == str(cast.riverside.public_id)


@pytest.mark.parametrize(
    "body",
    [
        {"email": "stella@example.org", "password": "wrong"},
        {"email": "nobody@example.org", "password": stage.PASSWORD},
        {"email": "stella@example.org", "password": f" {stage.PASSWORD}"},
    ],
)
def test_a_wrong_log_in_is_refused_without_saying_which_part(cast: stage.Cast, body: dict[str, str]) -> None:
    before = AccessToken.objects.count()

    answer = Caller().post("tokens/", body)

    refused(answer, 401, "log-in-refused")
    assert answer["WWW-Authenticate"] == 'Bearer realm="authz"'
    assert AccessToken.objects.count() == before


def test_a_person_of_several_organizations_says_which(cast: stage.Cast) -> None:
    add_membership(person=cast.people["stella"], organization=cast.hillside, role=Role.STAFF)
    body = {"email": "stella@example.org", "password": stage.PASSWORD}

    unsaid = Caller().post("tokens/", body)
    said = Caller().post("tokens/", body | {"organization": str(cast.hillside.public_id)})
    foreign = Caller().post("tokens/", body | {"organization": str(cast.evergreen.public_id)})

    problem = refused(unsaid, 422, "organization-needed")
    assert sorted(problem["organizations"]) == sorted([str(cast.riverside.public_id), str(cast.hillside.public_id)])
    assert said.json()["organization"]["name"] == "Hillside Clinic"
    refused(foreign, 401, "log-in-refused")


def test_a_log_in_with_wrong_fields_names_them(cast: stage.Cast) -> None:
    errors = field_errors(Caller().post("tokens/", {"email": 7, "remember": True}))

    assert errors == {
        "email": ("invalid", "A text is needed."),
        "password": ("required", "This field is required."),
        "remember": ("unknown-field", "There is no such field."),
    }


def test_a_log_in_keeps_no_token_for_a_key(cast: stage.Cast) -> None:
    body = {"email": "stella@example.org", "password": stage.PASSWORD}

    first, second = Caller().post("tokens/", body, key="k"), Caller().post("tokens/", body, key="k")

    assert first.json()["token"] != second.json()["token"]
    assert IdempotentAnswer.objects.count() == 0


def test_logging_out_ends_this_token_and_no_other(cast: stage.Cast) -> None:
    here, there = person("stella"), person("stella")

    assert here.delete("tokens/current/").status_code == 204

    refused(here.get("patients/"), 401, "token-refused")
    assert there.get("patients/").status_code == 200


def test_without_a_token_one_is_asked_for(cast: stage.Cast) -> None:
    answer = Caller().get("patients/")

    refused(answer, 401, "not-authenticated")
    assert answer["WWW-Authenticate"] == 'Bearer realm="authz"'


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer", "Bearer a b", "bearer nonsense", "Bearer \xe9"])
def test_a_token_that_is_none_is_refused(cast: stage.Cast, header: str) -> None:
    answer = Caller().client.get("/api/v1/patients/", headers={"Authorization": header})

    refused(answer, 401, "token-refused")
    assert answer["WWW-Authenticate"] == 'Bearer realm="authz", error="invalid_token"'


def test_another_scheme_than_bearer_is_no_token(cast: stage.Cast) -> None:
    answer = Caller().client.get("/api/v1/patients/", headers={"Authorization": "Basic c3RlbGxhOng="})

    refused(answer, 401, "not-authenticated")


def test_a_token_ends_by_itself(stella: Caller) -> None:
    AccessToken.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    refused(stella.get("patients/"), 401, "token-refused")


def test_whoever_loses_their_last_role_is_let_in_no_more(cast: stage.Cast, stella: Caller) -> None:
    Membership.objects.filter(person=cast.people["stella"]).delete()

    problem = refused(stella.get("organizations/me/"), 403, "forbidden")

    assert problem["detail"] == "You have no role in this organization."


def test_a_machine_that_is_switched_off_is_let_in_no_more(cast: stage.Cast) -> None:
    ehr = machine(cast.riverside, Role.STAFF)
    cast.riverside.api_clients.update(is_active=False)

    refused(ehr.get("patients/"), 401, "token-refused")
