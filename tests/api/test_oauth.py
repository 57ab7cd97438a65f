"""How machines get tokens: by keys of their own or a secret, and every way of getting one that must not work."""

import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis import Redis

from authz import clock
from authz.access.machines import services as machines
from authz.access.models import AccessToken, ApiClient, SeenAssertion
from authz.access.roles import Role
from authz.api.oauth import token_url
from tests.api.callers import Caller, nothing_changes, refused
from tests.cast import Cast
from tests.machine_keys import claims, ec_pair, form, key_set, rsa_pair, signed
from tests.receiver import Mood, Receiver

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def in_no_hurry(settings: LazySettings) -> None:
    """Let one source ask as often as it likes, but where a test is about that."""
    settings.MACHINE_LOG_INS_A_MINUTE = 1_000_000


def machine_with(cast: Cast, **how: Any) -> ApiClient:
    """Return Riverside's machine, with keys of its own unless said."""
    keys = {"jwks": key_set(ec_pair(), rsa_pair())} if not how.keys() & {"jwks", "jwks_url"} else {}
    client, _ = machines.create_client(organization=cast.riverside, name="EHR", roles={Role.STAFF}, **keys, **how)
    return client


def ask(fields: dict[str, str], **headers: str) -> Any:
    return Client(raise_request_exception=False).post("/oauth/token", urlencode(fields), FORM, headers=headers)


def error_of(answer: Any, status: int, error: str) -> str:
    """Return the sentence of a refusal, once it is proven to be one as in RFC 6749."""
    assert (answer.status_code, answer.json().get("error")) == (status, error), answer.content
    assert answer["Cache-Control"] == "no-store"
    assert status != 401 or answer["WWW-Authenticate"].startswith("Basic")
    return str(answer.json()["error_description"])


@pytest.mark.parametrize("pair", [ec_pair, rsa_pair])
def test_a_machine_gets_a_short_token_for_what_it_signed(cast: Cast, pair: Callable[[], Any]) -> None:
    client = machine_with(cast)

    answer = ask(form(signed(claims(client.public_id, now=clock.now()), pair()), scope="system/Patient.rs"))

    given = answer.json()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert (given["token_type"], given["expires_in"], given["scope"]) == ("bearer", 300, "system/Patient.rs")
    me = Caller(given["access_token"]).get("organizations/me/").json()
    assert (me["name"], me["roles"], me["organization"]["name"]) == ("EHR", ["staff"], "Riverside Clinic")
    assert given["access_token"] not in str(AccessToken.objects.get().__dict__), "only a hash is kept"


FUTURE = timedelta(minutes=5, seconds=5)
WRONG: dict[str, tuple[Callable[[Any, datetime], str], str]] = {
    "expired": (lambda i, n: signed(claims(i, now=n - timedelta(minutes=4, seconds=1)), ec_pair()), "has expired"),
    "lives too long": (
        lambda i, n: signed(claims(i, now=n, exp=(n + FUTURE).timestamp()), ec_pair()), "more than five minutes",
    ),
    "without an end": (lambda i, n: signed(claims(i, now=n, exp=None), ec_pair()), "needs an exp"),
    "end is a text": (lambda i, n: signed(claims(i, now=n, exp="soon"), ec_pair()), "a time in seconds"),
    "end is true": (lambda i, n: signed(claims(i, now=n, exp=True), ec_pair()), "a time in seconds"),
    "end without end": (lambda i, n: signed(claims(i, now=n, exp=float("inf")), ec_pair()), "a time in seconds"),
    "not valid yet": (
        lambda i, n: signed(claims(i, now=n, nbf=(n + timedelta(minutes=1)).timestamp()), ec_pair()), "in the future",
    ),
    "made tomorrow": (
        lambda i, n: signed(claims(i, now=n, iat=(n + timedelta(days=1)).timestamp()), ec_pair()), "in the future",
    ),
    "for somebody else": (lambda i, n: signed(claims(i, now=n, aud="https://other.example/t"), ec_pair()), "aud"),
    "for others, too": (
        lambda i, n: signed(claims(i, now=n, aud=[token_url(), "https://x.example"]), ec_pair()), "aud",
    ),
    "for nobody": (lambda i, n: signed(claims(i, now=n, aud=None), ec_pair()), "aud"),
    "from another": (lambda i, n: signed(claims(i, now=n, iss=str(uuid4())), ec_pair()), "unknown"),
    "from no client": (lambda i, n: signed(claims(i, now=n, iss="EHR"), ec_pair()), "iss must be"),
    "about another": (lambda i, n: signed(claims(i, now=n, sub=str(uuid4())), ec_pair()), "iss and sub"),
    "about nobody": (lambda i, n: signed(claims(i, now=n, sub=None), ec_pair()), "iss and sub"),
    "id in other letters": (
        lambda i, n: signed(claims(i, now=n, iss=str(i).upper(), sub=str(i).upper()), ec_pair()), "iss and sub",
    ),
    "without a jti": (lambda i, n: signed(claims(i, now=n, jti=None), ec_pair()), "needs a jti"),
    "jti is a number": (lambda i, n: signed(claims(i, now=n, jti=7), ec_pair()), "needs a jti"),
    "jti too long": (lambda i, n: signed(claims(i, now=n, jti="x" * 256), ec_pair()), "needs a jti"),
    "unknown key id": (lambda i, n: signed(claims(i, now=n), ec_pair(), kid="ec-9"), "unknown"),
    "foreign key": (lambda i, n: signed(claims(i, now=n), ec_pair("foreign"), kid="ec-1"), "signature"),
    "foreign RSA key": (lambda i, n: signed(claims(i, now=n), rsa_pair("foreign"), kid="rsa-1"), "signature"),
    "another key's id": (lambda i, n: signed(claims(i, now=n), ec_pair(), kid="rsa-1"), "signature"),
    "weaker algorithm": (lambda i, n: signed(claims(i, now=n), rsa_pair(), alg="RS256"), "signature"),
    "other padding": (lambda i, n: signed(claims(i, now=n), rsa_pair(), alg="PS384"), "signature"),
    "other keys named": (
        lambda i, n: signed(claims(i, now=n), ec_pair(), jku="https://evil.example/keys"), "other keys",
    ),
    "own key brought along": (
        lambda i, n: signed(claims(i, now=n), ec_pair("foreign"), kid="ec-1", jwk=ec_pair("foreign").as_dict(False)),
        "signature",
    ),
    "an extension we must know": (lambda i, n: raw({"alg": "ES384", "kid": "ec-1", "crit": "[x]"}, b"{}"), ""),
    "huge": (lambda i, n: signed(claims(i, now=n, more="x" * 7000), ec_pair()), "longer than 8192"),
    "deep": (lambda i, n: raw({"alg": "ES384", "kid": "ec-1"}, b"[" * 5000), "no JSON object"),
    "claims are a list": (lambda i, n: raw({"alg": "ES384", "kid": "ec-1"}, b"[1]"), "no JSON object"),
    "no token at all": (lambda i, n: "nonsense", "no signed"),
    "two parts": (lambda i, n: "e30.e30", "no signed"),
    "four parts": (lambda i, n: "e30.e30.e30.e30", "no signed"),
    "empty header": (lambda i, n: "e30.e30.e30", "no signed"),
}  # fmt: skip


def raw(header: dict[str, str], payload: bytes, signature: bytes = b"x") -> str:
    """Return an assertion put together by hand."""
    parts = (json.dumps(header).encode(), payload, signature)
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize("wrong", WRONG)
def test_an_assertion_that_is_wrong_in_one_way_gets_no_token(cast: Cast, wrong: str) -> None:
    client = machine_with(cast)
    make, says = WRONG[wrong]
    assertion = make(client.public_id, clock.now())

    with nothing_changes():
        assert says in error_of(ask(form(assertion)), 401, "invalid_client")
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("alg", ["HS256", "HS384"])
@pytest.mark.parametrize("pair", [ec_pair, rsa_pair])
def test_a_public_key_is_no_shared_secret(cast: Cast, pair: Callable[[], Any], alg: str) -> None:
    client = machine_with(cast)
    digest = {"HS256": "sha256", "HS384": "sha384"}[alg]
    for public in (pair().as_pem(private=False), json.dumps(key_set(pair())["keys"][0]).encode()):
        said = json.dumps(claims(client.public_id, now=clock.now())).encode()
        unsigned = raw({"alg": alg, "kid": pair().kid}, said, b"").rstrip(".")
        mac = hmac.digest(public, unsigned.encode(), digest)

        answer = ask(form(f"{unsigned}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"))

        assert "signature" in error_of(answer, 401, "invalid_client")


@pytest.mark.parametrize("none", ["none", "None", "NONE", ""])
@pytest.mark.parametrize("signature", [b"", b"x"])
def test_nothing_is_taken_unsigned(cast: Cast, none: str, signature: bytes) -> None:
    client = machine_with(cast)
    said = json.dumps(claims(client.public_id, now=clock.now())).encode()

    answer = ask(form(raw({"alg": none, "kid": "ec-1"}, said, signature)))

    error_of(answer, 401, "invalid_client")


def test_an_assertion_is_used_once_by_whoever_comes_first(cast: Cast) -> None:
    client = machine_with(cast)
    assertion = signed(claims(client.public_id, now=clock.now(), jti="the same \u0000 one"), ec_pair())
    other = machine_with(cast)
    same_jti = signed(claims(other.public_id, now=clock.now(), jti="the same \u0000 one"), ec_pair())

    assert ask(form(assertion)).status_code == 200
    assert "used before" in error_of(ask(form(assertion)), 401, "invalid_client")
    assert ask(form(same_jti)).status_code == 200, "another client's jti is another"


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_gets_a_token(cast: Cast) -> None:
    fields = form(signed(claims(machine_with(cast).public_id, now=clock.now()), ec_pair()))

    def asked(_: int) -> int:
        try:
            return int(ask(fields).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(asked, range(4)))

    assert answers == [200, 401, 401, 401]


def test_used_assertions_are_forgotten_once_they_have_expired(cast: Cast) -> None:
    assert ask(form(signed(claims(machine_with(cast).public_id, now=clock.now()), ec_pair()))).status_code == 200

    assert machines.prune_assertions(now=clock.now()) == 0
    assert machines.prune_assertions(now=clock.now() + timedelta(minutes=5)) == 1


def test_keys_and_secrets_do_not_stand_for_each_other(cast: Cast) -> None:
    with_keys, with_secret = machine_with(cast), machines.create_client(
        organization=cast.riverside, name="Script", roles={Role.STAFF}
    )[0]  # fmt: skip

    by_secret = ask({"grant_type": "client_credentials", "client_id": str(with_keys.public_id), "client_secret": "x"})
    by_keys = ask(form(signed(claims(with_secret.public_id, now=clock.now()), ec_pair())))

    for answer in (by_secret, by_keys):
        error_of(answer, 401, "invalid_client")
    with pytest.raises(IntegrityError, match="client_proves_itself_in_one_way"), transaction.atomic():
        ApiClient.objects.filter(pk=with_keys.pk).update(secret_sha256="x")


def test_a_deactivated_client_is_out_at_once(cast: Cast) -> None:
    client = machine_with(cast)
    token = ask(form(signed(claims(client.public_id, now=clock.now()), ec_pair()))).json()["access_token"]
    ApiClient.objects.update(is_active=False)

    error_of(ask(form(signed(claims(client.public_id, now=clock.now()), ec_pair()))), 401, "invalid_client")
    refused(Caller(token).get("patients/"), 401, "token-refused")


# -- secrets ----------------------------------------------------------------------------------------------------------
def test_a_small_clinic_s_machine_gets_a_token_for_its_secret(cast: Cast) -> None:
    client, secret = machines.create_client(organization=cast.riverside, name="Script", roles={Role.STAFF})
    grant = {"grant_type": "client_credentials"}
    in_form = grant | {"client_id": str(client.public_id), "client_secret": secret}
    basic = "Basic " + b64encode(f"{client.public_id}:{secret}".encode()).decode()

    assert ask(in_form).json()["expires_in"] == 300
    assert ask(grant, authorization=basic).status_code == 200
    for wrong in (
        ask(in_form | {"client_secret": "wrong"}),
        ask(in_form | {"client_id": str(uuid4())}),
        ask(in_form | {"client_id": "nobody"}),
        ask(grant | {"client_id": str(client.public_id)}),
        ask(grant, authorization="Basic !"),
        ask(grant, authorization="Bearer x"),
    ):
        error_of(wrong, 401, "invalid_client")


def test_a_rotated_secret_holds_beside_the_new_one_for_a_while(cast: Cast) -> None:
    now = clock.now()
    client, first = machines.create_client(organization=cast.riverside, name="Script", roles={Role.STAFF})

    def works(secret: str, at: datetime) -> bool:
        try:
            machines.issue_for_secret(client_id=str(client.public_id), client_secret=secret, scope=None, now=at)
        except machines.ClientRefused:
            return False
        return True

    second = machines.rotate_secret(client=client, overlap=timedelta(hours=1), now=now)
    assert [works(first, now), works(second, now)] == [True, True]
    assert [works(first, now + timedelta(hours=1)), works(second, now + timedelta(hours=1))] == [False, True]
    third = machines.rotate_secret(client=client, overlap=timedelta(0), now=now)
    assert [works(first, now), works(second, now), works(third, now)] == [False, False, True]


# -- the form ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        ("grant_type=password&username=a&password=b", FORM, "unsupported_grant_type"),
        ("grant_type=client_credentials&client_assertion=x", FORM, "invalid_request"),
        ("grant_type=client_credentials&client_assertion=x&client_secret=y", FORM, "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", FORM, "invalid_request"),
        ("grant_type=%ff", FORM, "invalid_request"),
        ("grant_type=client_credentials&scope=\xe9", FORM, "invalid_request"),
        ("&".join(f"a{number}=1" for number in range(30)), FORM, "invalid_request"),
        (f"grant_type={'x' * 20_000}", FORM, "invalid_request"),
        ('{"grant_type": "client_credentials"}', "application/json", "invalid_request"),
    ],
)
def test_a_form_that_cannot_be_read_in_one_way_is_refused(db: None, body: str, content_type: str, error: str) -> None:
    error_of(Client().generic("POST", "/oauth/token", body, content_type), 400, error)


def test_the_token_endpoint_takes_nothing_but_a_post(client: Client) -> None:
    assert client.get("/oauth/token").status_code == 405


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "jku", "crit", "b64", "x5c", "zz"]), st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["ES384", "RS384", "none", "ec-1"])
        | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3), max_leaves=5)),
    payload=st.binary(max_size=60) | st.dictionaries(
        st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]),
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20)
        | st.just("11111111-1111-4111-8111-111111111111"),
    ).map(lambda said: json.dumps(said).encode()),
    properly=st.booleans(),
    text=st.text(max_size=40),
)  # fmt: skip
def test_no_assertion_whatsoever_makes_us_fail(
    cast: Cast, header: dict[str, Any], payload: bytes, properly: bool, text: str
) -> None:
    client = ApiClient.objects.first() or machine_with(cast)
    ApiClient.objects.filter(pk=client.pk).update(public_id="11111111-1111-4111-8111-111111111111")
    sign = {"alg": "ES384", "kid": "ec-1"} | (header if not properly else {})
    assertion = text if len(text) > 30 else raw(sign, payload)
    if properly:
        said = payload if payload.startswith(b"{") else b"{}"
        assertion = signed(json.loads(said), ec_pair())

    answer = ask(form(assertion, scope=text))

    assert answer.status_code in {400, 401}, answer.content


# -- keys at an address -----------------------------------------------------------------------------------------------
@pytest.fixture
def published(receiver: Receiver) -> Receiver:
    """A server that publishes a machine's keys."""
    receiver.status, receiver.body = 200, json.dumps(key_set(ec_pair())).encode()
    return receiver


def asked_at(client: ApiClient, pair: Any, *, now: datetime, **header: Any) -> bool:
    """Say whether an assertion signed with that pair, at that instant, gets a token."""
    try:
        machines.issue_for_assertion(
            assertion=signed(claims(client.public_id, now=now), pair, **header),
            client_id=None,
            audience=token_url(),
            scope=None,
            now=now,
        )
    except machines.ClientRefused:
        return False
    return True


def test_keys_are_fetched_once_and_kept(cast: Cast, published: Receiver) -> None:
    client, now = machine_with(cast, jwks_url=published.url), clock.now()

    assert asked_at(client, ec_pair(), now=now, jku=published.url)
    assert asked_at(client, ec_pair(), now=now + timedelta(minutes=59))
    assert len(published.heard) == 1
    assert asked_at(client, ec_pair(), now=now + timedelta(minutes=60))
    assert len(published.heard) == 2


def test_a_new_key_is_found_at_once_but_nobody_makes_us_ask_all_the_time(cast: Cast, published: Receiver) -> None:
    client, now = machine_with(cast, jwks_url=published.url), clock.now()
    assert asked_at(client, ec_pair(), now=now)
    published.body = json.dumps(key_set(ec_pair(), rsa_pair())).encode()

    assert not asked_at(client, rsa_pair(), now=now + timedelta(seconds=59))
    assert asked_at(client, rsa_pair(), now=now + timedelta(seconds=60))
    for second in range(5):
        assert not asked_at(client, ec_pair("foreign"), now=now + timedelta(seconds=70 + second))
    assert len(published.heard) == 2


def test_a_key_that_is_withdrawn_ends_within_the_hour(cast: Cast, published: Receiver) -> None:
    client, now = machine_with(cast, jwks_url=published.url), clock.now()
    assert asked_at(client, ec_pair(), now=now)
    published.body = json.dumps(key_set(rsa_pair())).encode()

    assert not asked_at(client, ec_pair(), now=now + timedelta(hours=1))


@pytest.mark.parametrize(
    ("status", "body"), [(500, b""), (302, b""), (200, b"[]"), (200, b"{" * 9000), (200, b" " * 70_000), (200, b"\xff")]
)
def test_keys_that_cannot_be_fetched_hold_for_a_day_at_most(
    cast: Cast, published: Receiver, status: int, body: bytes
) -> None:
    client, now = machine_with(cast, jwks_url=published.url), clock.now()
    assert asked_at(client, ec_pair(), now=now)
    published.status, published.body = status, body

    assert asked_at(client, ec_pair(), now=now + timedelta(hours=23))
    assert not asked_at(client, ec_pair(), now=now + timedelta(hours=24))


def test_an_address_that_stalls_costs_seconds_and_one_inside_our_network_is_not_called(
    cast: Cast, published: Receiver, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "FETCH_SECONDS", 0.2)
    published.mood = Mood.HANG
    assert not asked_at(machine_with(cast, jwks_url=published.url), ec_pair(), now=clock.now())
    published.mood, settings.WEBHOOK_ALLOWED_NETWORKS = Mood.ANSWER, ()

    assert not asked_at(machine_with(cast, jwks_url=published.url), ec_pair(), now=clock.now())

    assert len(published.heard) == 1


# -- rates, and what is told of it all --------------------------------------------------------------------------------
def test_one_source_is_slowed_down(cast: Cast, settings: LazySettings, broker: "Redis[bytes]") -> None:
    settings.MACHINE_LOG_INS_A_MINUTE = 2

    answers = [ask({}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert 1 <= int(answers[2]["Retry-After"]) <= 30


def test_what_smart_asks_to_be_told_is_told(client: Client) -> None:
    told = client.get("/.well-known/smart-configuration").json()

    assert told["token_endpoint"] == token_url()
    assert told["token_endpoint_auth_signing_alg_values_supported"] == ["ES384", "RS384"]
    assert "client_credentials" in told["grant_types_supported"]
    assert "client-confidential-asymmetric" in told["capabilities"]


def test_nothing_is_kept_of_what_was_refused(cast: Cast) -> None:
    client = machine_with(cast, scopes=["system/Patient.r"])
    assertion = signed(claims(client.public_id, now=clock.now()), ec_pair())

    error_of(ask(form(assertion, scope="system/Claim.r")), 400, "invalid_scope")

    assert not SeenAssertion.objects.exists()
    assert not AccessToken.objects.exists()
