"""Whatever a machine signs or makes up, it gets a token for a right assertion alone."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.test import Client
from hypothesis import given
from hypothesis import strategies as some
from joserfc import jws
from pytest_django import Settings

from authz import clock
from authz.access.machines import services as machines
from authz.access.machines.assertions import AssertionRefused, proven, stranger
from authz.access.models import AccessToken
from authz.access.roles import Role
from authz.api.oauth import FORM, token_url
from tests.abuse.conftest import Tries
from tests.cast import NOW, Cast
from tests.imports.hostile import JSON
from tests.machine_keys import claims, ec_pair, form, key_set, rsa_pair, signed

WHO: Final = UUID(int=7)
PAIRS: Final = (ec_pair(), rsa_pair())
RIGHT: Final = [signed(claims(WHO, now=NOW), pair) for pair in PAIRS]
CLAIMS: Final = (
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "alg",
    "kid",
    "crit",
    "b64",
    "jku",
    "jwk",
    "x5c",
    "zip",
)
SAID = JSON | some.sampled_from([str(WHO), token_url(), "ES384", "RS384", "HS256", "none", "ec-1", 1e308, -1, 2**63])
OBJECT = some.dictionaries(some.sampled_from(CLAIMS) | some.text(max_size=5), SAID, max_size=6)


def coded(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()


@some.composite
def made_up(draw: some.DrawFn) -> str:
    """Return three parts, of JSON or of anything, that nobody signed."""
    part = OBJECT.map(lambda said: json.dumps(said).encode()) | some.binary(max_size=30)
    return ".".join(coded(draw(part)) for _ in range(3))


@some.composite
def spoiled(draw: some.DrawFn) -> str:
    """Return a right assertion of which a few characters are others, missing, or there twice."""
    said = draw(some.sampled_from(RIGHT))
    for _ in range(draw(some.integers(1, 3))):
        place, length = draw(some.integers(0, len(said))), draw(some.integers(0, 5))
        said = said[:place] + draw(some.text("AZaz09_-.=", max_size=5)) + said[place + length :]
    return said


@some.composite
def signed_nonsense(draw: some.DrawFn) -> str:
    """Return what the machine did sign: right claims, or a right header, with others among them."""
    pair = draw(some.sampled_from(PAIRS))
    alg = "ES384" if pair is PAIRS[0] else "RS384"
    names = some.dictionaries(some.sampled_from(("typ", "cty")), some.text(max_size=8), max_size=2)
    said = claims(WHO, now=NOW) | draw(OBJECT)
    return jws.serialize_compact({"alg": alg, "kid": pair.kid} | draw(names), json.dumps(said), pair, algorithms=[alg])


def parts(assertion: str) -> list[bytes]:
    return [urlsafe_b64decode(part + "==") for part in assertion.split(".")]


def tried_on(assertion: str) -> None:
    """Read and prove an assertion; anything but the one refusal is an error, and so is a proof of another's words."""
    for pair in PAIRS:
        try:
            stranger(assertion)
            proven(assertion, key=pair, client_id=WHO, audience=token_url(), jku="", now=NOW)
        except AssertionRefused:
            continue
        header, payload, _ = parts(assertion)
        said: dict[str, Any] = json.loads(payload)
        assert json.loads(header)["alg"] in {"ES384", "RS384"}
        assert (said["iss"], said["sub"]) == (str(WHO), str(WHO))
        assert said["aud"] in (token_url(), [token_url()])


def test_whatever_is_sent_as_an_assertion_is_proven_or_refused(tries: Tries, tried: Counter[str]) -> None:
    @tries(25_000)
    @given(assertion=made_up() | spoiled() | some.text(max_size=60))
    def tells(assertion: str) -> None:
        tried["assertions"] += 1
        tried_on(assertion)

    tells()


def test_whatever_a_machine_signs_is_proven_or_refused(tries: Tries, tried: Counter[str]) -> None:
    @tries(5_000)
    @given(assertion=signed_nonsense())
    def tells(assertion: str) -> None:
        tried["assertions, signed"] += 1
        tried_on(assertion)

    tells()


def test_the_token_endpoint_answers_as_oauth_says_and_gives_no_token(
    cast: Cast, settings: Settings, tries: Tries, tried: Counter[str]
) -> None:
    settings.MACHINE_LOG_INS_A_MINUTE = 1_000_000
    jwks = key_set(*PAIRS)
    machine, _ = machines.create_client(organization=cast.riverside, name="EHR", roles={Role.STAFF}, jwks=jwks)
    right = [signed(claims(machine.public_id, now=clock.now()), pair) for pair in PAIRS]
    client = Client(raise_request_exception=False)

    @tries(500)
    @given(base=some.sampled_from(right), cut=some.integers(1, 60), more=some.text(max_size=20), other=made_up())
    def answers(base: str, cut: int, more: str, other: str) -> None:
        for assertion in (base[:-cut] + more, base[:cut] + more + base[cut:] + "A", other):
            tried["assertions sent"] += 1
            answer = client.post("/oauth/token", urlencode(form(assertion)), FORM)
            assert answer.status_code in {400, 401}, answer.content
            assert answer.json()["error"] in {"invalid_request", "invalid_client"}

    answers()
    assert not AccessToken.objects.exists()
