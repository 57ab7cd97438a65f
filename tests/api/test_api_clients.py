"""An organization's administrators keep its machines, and what the scopes of a token cover."""

from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from authz import clock
from authz.access.machines import services as machines
from authz.access.machines.areas import AREAS, TYPE_OF_ADDRESS
from authz.access.machines.scopes import EVERYTHING, TYPES, ScopeRefused, cover, scopes_asked
from authz.access.machines.scopes import Need as Needed
from authz.access.models import ApiClient, Organization
from authz.access.roles import Role
from authz.access.services import add_membership
from authz.api.rates import Limiter
from authz.api.scopes import area_of
from authz.api.urls import urlpatterns
from authz.audit.models import AuditEntry
from tests.api.callers import Caller, field_errors, nothing_changes, person, refused
from tests.cast import Cast, register
from tests.machine_keys import ec_pair, key_set, rsa_pair


@pytest.fixture
def nora(cast: Cast) -> Caller:
    return person("nora")


def caller(organization: Organization, *scopes: str, asked: str | None = None, **how: Any) -> Caller:
    """Return a machine of the clinic's staff that was granted the scopes, with a token."""
    client, secret = machines.create_client(
        organization=organization, name="EHR", roles={Role.STAFF}, scopes=scopes, **how
    )
    text, _ = machines.issue_for_secret(
        client_id=str(client.public_id), client_secret=secret, scope=asked, now=clock.now()
    )
    return Caller(text)


def test_an_administrator_registers_a_machine_and_sees_its_secret_once(cast: Cast, nora: Caller) -> None:
    body = {"name": "Claims feed", "roles": ["intake"], "scopes": ["system/Claim.rs"]}

    made = nora.post("api-clients/", body, key="one")
    again = nora.post("api-clients/", body, key="one")

    told = made.json()
    assert made.status_code == 201
    assert again.json()["client_secret"] is None
    assert "secret" not in str(nora.get(f"api-clients/{told['id']}/").json()).replace("previous_secret_until", "")
    machines.issue_for_secret(client_id=told["id"], client_secret=told["client_secret"], scope=None, now=clock.now())
    assert AuditEntry.objects.filter(subject_kind="api-client", action="register").count() == 1


def test_a_machine_with_keys_has_no_secret_and_its_keys_are_replaced_without_a_gap(cast: Cast, nora: Caller) -> None:
    old, new = key_set(ec_pair()), key_set(ec_pair(), rsa_pair())
    made = nora.post("api-clients/", {"name": "EHR", "roles": ["intake"], "jwks": old}).json()

    changed = nora.patch(f"api-clients/{made['id']}/", {"jwks": new})

    assert made["client_secret"] is None
    assert [key["kid"] for key in changed.json()["jwks"]["keys"]] == ["ec-1", "rsa-1"]


def test_a_secret_is_rotated_and_a_machine_ended(cast: Cast, nora: Caller) -> None:
    made = nora.post("api-clients/", {"name": "Script", "roles": ["intake"]}).json()
    address = f"api-clients/{made['id']}/"

    rotated = nora.post(f"{address}rotate-secret/", {"overlap_hours": 2})

    assert rotated.json()["client_secret"] not in {None, made["client_secret"]}
    until = ApiClient.objects.get().previous_secret_until
    assert until is not None
    assert timedelta(hours=1) < until - clock.now() <= timedelta(hours=2)
    assert [nora.delete(address).status_code for _ in range(2)] == [204, 204]
    refused(nora.post(f"{address}rotate-secret/", {}), 409, "client-deactivated")
    refused(nora.patch(address, {"scopes": ["system/*.rs"]}), 409, "client-deactivated")


def test_a_machine_that_is_not_right_is_refused_with_every_fault(cast: Cast, nora: Caller) -> None:
    private = {"keys": [dict(ec_pair().as_dict(private=True))]}
    weak = {"keys": [{**key_set(rsa_pair())["keys"][0], "n": "AQAB"}]}

    with nothing_changes():
        told = field_errors(
            nora.post("api-clients/", {"name": "X", "roles": ["intake"], "scopes": ["user/x"], "jwks": private})
        )
        for jwks in (weak, {"keys": []}, {"keys": [{}]}, [], {"keys": [{"kty": "oct", "k": "AAAA", "kid": "1"}]}):
            body = {"name": "X", "roles": ["intake"], "jwks": jwks}
            assert set(field_errors(nora.post("api-clients/", body))) == {"jwks"}, jwks
        inside = {"name": "X", "roles": ["intake"], "jwks_url": "https://169.254.169.254/keys"}
        assert set(field_errors(nora.post("api-clients/", inside))) == {"jwks_url"}
        assert set(field_errors(nora.post("api-clients/", {"name": "X", "roles": ["staff"]}))) == {"roles"}

    assert set(told) == {"scopes", "jwks"}
    assert "private" in told["jwks"][1]


def test_nobody_else_sees_or_touches_an_organizations_machines(cast: Cast, nora: Caller) -> None:
    made = nora.post("api-clients/", {"name": "Script", "roles": ["intake"]}).json()
    add_membership(person=cast.people["stella"], organization=cast.riverside, role=Role.CLINIC_ADMIN)
    stranger, colleague = person("stella"), person("rae")

    with nothing_changes():
        for act in (
            lambda who: who.get(f"api-clients/{made['id']}/"),
            lambda who: who.patch(f"api-clients/{made['id']}/", {"scopes": ["system/*.rs"]}),
            lambda who: who.delete(f"api-clients/{made['id']}/"),
            lambda who: who.post(f"api-clients/{made['id']}/rotate-secret/", {}),
        ):
            refused(act(stranger), 404, "not-found")
            refused(act(colleague), 403, "forbidden")
    assert stranger.get("api-clients/").json()["results"] == []


# -- scopes -----------------------------------------------------------------------------------------------------------
def test_a_token_covers_what_its_scopes_name_and_no_more(cast: Cast) -> None:
    patient = register(cast)
    narrow = caller(cast.riverside, *EVERYTHING, asked="system/Patient.s authz/imports.write")

    assert narrow.get("patients/").status_code == 200
    assert narrow.get("organizations/me/").status_code == 200
    with nothing_changes():
        for answer, scope in (
            (narrow.get(f"patients/{patient.public_id}/"), "system/Patient.r"),
            (narrow.get(f"patients/{patient.public_id}/opioid-use/"), "system/MedicationDispense.r"),
            (narrow.get("fills/"), "system/MedicationDispense.s"),
            (narrow.post("fills/", {}), "system/MedicationDispense.c"),
            (narrow.get("metrics/"), "authz/metrics.read"),
            (narrow.post("webhook-endpoints/", {}), "authz/webhook-endpoints.write"),
        ):
            assert refused(answer, 403, "insufficient-scope")["scope"] == scope
            assert f'error="insufficient_scope", scope="{scope}"' in answer["WWW-Authenticate"]


def test_scopes_never_add_to_what_the_roles_allow(cast: Cast) -> None:
    refused(caller(cast.riverside, *EVERYTHING).get("review-queue/"), 403, "forbidden")


def test_every_address_has_its_place_among_the_scopes() -> None:
    routes = [str(pattern.pattern) for pattern in urlpatterns if str(pattern.pattern).startswith("v1/")]

    assert {area_of(route) for route in routes} == AREAS
    assert set(TYPE_OF_ADDRESS) <= {pattern.name for pattern in urlpatterns}
    assert set(TYPE_OF_ADDRESS.values()) <= TYPES | {""}


@pytest.mark.parametrize(
    ("granted", "asked", "gets"),
    [
        (["system/*.rs"], None, ("system/*.rs",)),
        (["system/*.rs"], "system/Patient.r", ("system/Patient.r",)),
        (["system/*.rs"], "system/Patient.read system/Patient.read", ("system/Patient.read",)),
        (["system/Patient.r", "system/Patient.s"], "system/Patient.rs", ("system/Patient.rs",)),
        (["authz/*.read"], "authz/patients.read", ("authz/patients.read",)),
        (["system/*.rs"], "system/Patient.c", None),
        (["system/Patient.rs"], "system/*.r", None),
        (["system/*.cruds"], "authz/patients.read", None),
        (["system/*.cruds"], "system/Starship.r", None),
        (["authz/*.read"], "authz/starships.read", None),
        (["system/*.cruds"], "system/Patient.", None),
        (["system/*.cruds"], "system/Patient.sr", None),
        (["system/*.cruds"], "patient/Patient.r", None),
        (["system/*.cruds"], "system/Patient.r\nx", None),
        (["system/*.cruds"], "system/Patient.r " * 200, None),
    ],
)
def test_a_token_gets_the_scopes_it_asks_for_within_what_was_granted(
    granted: list[str], asked: str | None, gets: tuple[str, ...] | None
) -> None:
    if gets is None:
        with pytest.raises(ScopeRefused):
            scopes_asked(asked, granted=granted, areas=AREAS)
    else:
        assert scopes_asked(asked, granted=granted, areas=AREAS) == gets


def test_smarts_scopes_do_not_reach_what_fhir_has_no_type_for() -> None:
    assert not cover(["system/*.cruds"], Needed(area="metrics", type="", letter="r"))
    assert cover(["authz/metrics.read"], Needed(area="metrics", type="", letter="r"))


# -- rates ------------------------------------------------------------------------------------------------------------
def test_a_machine_is_held_to_its_own_limit(cast: Cast, broker: "Redis[bytes]") -> None:
    slow, other = caller(cast.riverside, *EVERYTHING, requests_a_minute=2), caller(cast.riverside, *EVERYTHING)

    answers = [slow.get("patients/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"default";q=2;w=60'
    assert answers[0]["RateLimit"].startswith('"default";r=1;t=')
    refused(answers[2], 429, "throttled")
    assert 1 <= int(answers[2]["Retry-After"]) <= 30
    assert answers[2]["RateLimit"].startswith('"default";r=0;')
    assert other.get("patients/").status_code == 200
    assert "RateLimit" not in person("stella").get("patients/")


def test_without_redis_everybody_is_let_through_at_once() -> None:
    at = 0.0
    limiter = Limiter("redis://127.0.0.1:1/0", clock=lambda: at)

    assert [limiter.admit("somebody", limit=1) for _ in range(3)] == [None, None, None]
