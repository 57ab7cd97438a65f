"""Second factors, sessions, lockouts and invitations, as people meet them."""

import re
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import LazySettings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.test import Client, RequestFactory

from authz import clock
from authz.access.models import AccessToken, Membership, Person
from authz.access.people import services as people
from authz.access.people.models import FailedLogIn
from authz.access.roles import Role
from authz.administration.models import Invitation
from authz.administration.selectors import link_of
from authz.notifications.invitations.services import send_next
from authz.web.accounts import SingleSignOn
from tests.api.callers import Caller, nothing_changes, person, refused
from tests.cast import PASSWORD, Cast
from tests.post_office import PostOffice
from tests.web.conftest import Door
from tests.web.reading import findings

NEW = "another quite long password"
SET_UP = "/account/second-factors/totp/activate/"


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Codes may be used again, and nobody has tried too often."""
    cache.clear()


def code_of(secret: str) -> str:
    """Return the code that an authenticator app shows now."""
    return f"{hotp_value(secret, next(iter(yield_hotp_counters_from_time()))):06}"


def with_app(client: Client) -> str:
    """Set up an authenticator app, the password given once more, and return its secret."""
    confirm = client.get(SET_UP).headers["Location"]
    assert findings(client.get(confirm).content.decode()) == []
    assert client.post(confirm, {"password": PASSWORD}).headers["Location"] == SET_UP
    page = client.get(SET_UP).content.decode()
    assert findings(page) == []
    secret = re.search(r"<code>([A-Z2-7]+)</code>", page)
    assert secret is not None, page
    answer = client.post(SET_UP, {"code": code_of(secret[1])})
    assert answer.headers["Location"] == "/account/second-factors/recovery-codes/", answer.content
    cache.clear()
    return secret[1]


# -- second factors ---------------------------------------------------------------------------------------------------
def test_whoever_decides_sets_up_a_second_factor_before_anything_else(
    cast: Cast, client: Client, settings: LazySettings
) -> None:
    settings.MFA_REQUIRED = True
    client.post("/log-in/", {"email": "rae@example.org", "password": PASSWORD})

    for path in ("/", "/inbox/", "/account/", "/log-in/organization/"):
        assert client.get(path).headers["Location"] == "/account/second-factors/", path
    assert findings(client.get("/account/second-factors/").content.decode()) == []
    refused(Caller().post("tokens/", {"email": "rae@example.org", "password": PASSWORD}), 403, "second-factor-missing")
    with_app(client)

    assert client.get("/desk/").status_code == 200
    refused(Caller().post("tokens/", {"email": "rae@example.org", "password": PASSWORD}), 401, "second-factor-needed")


def test_whoever_neither_decides_nor_administers_needs_none(cast: Cast, enter: Door, settings: LazySettings) -> None:
    settings.MFA_REQUIRED = True

    assert enter("stella").get("/").status_code == 200


def test_a_second_factor_is_asked_for_and_its_secret_is_sealed(cast: Cast, enter: Door, client: Client) -> None:
    secret = with_app(enter("rae"))

    first = client.post("/log-in/?next=/inbox/", {"email": "rae@example.org", "password": PASSWORD})
    assert first.headers["Location"] == "/account/second-factors/authenticate/"
    assert client.get("/desk/").status_code == 302, "the password alone opens nothing"
    asked = client.get(first.headers["Location"])
    assert findings(asked.content.decode()) == []
    wrong = client.post(first.headers["Location"], {"code": "000000"})
    assert "Incorrect code" in wrong.content.decode()
    assert client.post(first.headers["Location"], {"code": code_of(secret)}).headers["Location"] == "/inbox/"
    assert client.get("/desk/").status_code == 200
    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))


def test_a_token_needs_the_code_and_takes_it_once(cast: Cast, enter: Door) -> None:
    secret = with_app(enter("stella"))
    body = {"email": "stella@example.org", "password": PASSWORD}

    refused(Caller().post("tokens/", body), 401, "second-factor-needed")
    refused(Caller().post("tokens/", body | {"code": "000000"}), 401, "log-in-refused")
    assert Caller().post("tokens/", body | {"code": code_of(secret)}).status_code == 201
    refused(Caller().post("tokens/", body | {"code": code_of(secret)}), 401, "log-in-refused")
    before = Authenticator.objects.get(type="totp").data["secret"]
    assert people.reseal() == 2
    assert Authenticator.objects.get(type="totp").data["secret"] != before


def test_the_last_second_factor_stays_where_a_role_needs_one(cast: Cast, enter: Door, settings: LazySettings) -> None:
    settings.MFA_REQUIRED = True
    rae = enter("rae")
    with_app(rae)

    rae.post("/account/second-factors/totp/deactivate/")

    assert Authenticator.objects.filter(type="totp").exists()


def test_pages_of_passkeys_bring_no_script_of_their_own(cast: Cast, enter: Door) -> None:
    stella = enter("stella")
    stella.post("/account/confirm/", {"password": PASSWORD})
    for path in ("/account/second-factors/webauthn/add/", "/account/second-factors/webauthn/", "/account/password/"):
        answer = stella.get(path)
        assert findings(answer.content.decode()) == [], path
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
    scripts = re.findall(r'<script src="([^"]+)"', stella.get("/account/second-factors/webauthn/add/").content.decode())
    assert len(scripts) == 5, "htmx and ours, and the library's three"
    assert all(len(stella.get(script).getvalue()) > 100 for script in scripts)
    challenge = Client().get("/account/second-factors/webauthn/login/", headers={"Accept": "application/json"})
    assert challenge.json()["request_options"]["publicKey"]["userVerification"] == "required"


# -- lockout ----------------------------------------------------------------------------------------------------------
def tried(password: str, *, source: str, email: str = "stella@example.org") -> int:
    return Client().post("/log-in/", {"email": email, "password": password}, REMOTE_ADDR=source).status_code


def test_whoever_guesses_keeps_themselves_out_and_nobody_else(cast: Cast) -> None:
    assert [tried("wrong", source="203.0.113.9") for _ in range(6)] == [422] * 5 + [429]

    assert tried(PASSWORD, source="203.0.113.9") == 429
    assert tried(PASSWORD, source="198.51.100.7") == 302, "the person herself comes from elsewhere"
    assert tried(PASSWORD, source="203.0.113.9", email="rae@example.org") == 302, "so does a neighbour"
    body = {"email": "stella@example.org", "password": PASSWORD}
    counted = Caller()
    counted.client.defaults["REMOTE_ADDR"] = "203.0.113.9"
    refused(counted.post("tokens/", body), 429, "too-many-log-ins")
    assert people.prune_failures(now=clock.now() + people.WINDOW) == 5
    assert tried(PASSWORD, source="203.0.113.9") == 302


def test_one_source_does_not_try_one_account_after_the_other(cast: Cast) -> None:
    now = clock.now()
    FailedLogIn.objects.bulk_create(
        FailedLogIn(source="203.0.113.9", account_sha256=str(number), failed_at=now) for number in range(50)
    )

    assert tried(PASSWORD, source="203.0.113.9") == 429
    assert tried(PASSWORD, source="198.51.100.7") == 302


def test_a_whole_network_is_one_source_and_a_claimed_address_none(cast: Cast, settings: LazySettings) -> None:
    for number in range(5):
        assert tried("wrong", source=f"2001:db8::{number}") == 422
    assert tried(PASSWORD, source="2001:db8::ffff") == 429
    settings.IS_BEHIND_PROXY = True
    for number in range(6):
        Client().post(
            "/log-in/",
            {"email": "rae@example.org", "password": "wrong"},
            REMOTE_ADDR="127.0.0.1",
            headers={"X-Forwarded-For": f"10.9.9.{number}, 203.0.113.9"},
        )
    assert set(FailedLogIn.objects.values_list("source", flat=True)) == {"2001:db8::", "203.0.113.9"}


# -- sessions ---------------------------------------------------------------------------------------------------------
def test_one_sees_and_ends_one_s_own_sessions_and_tokens_alone(cast: Cast, enter: Door) -> None:
    here, there, rae = enter("stella"), enter("stella"), enter("rae")
    token = person("stella")

    seen = here.get("/account/").content.decode()
    ends = re.findall(r'name="session" value="(\d+)"', seen)
    assert findings(seen) == []
    assert len(ends) == 2
    for one in ends:
        rae.post("/account/", {"session": one})
    assert there.get("/").status_code == 200
    here.post("/account/", {"token": str(AccessToken.objects.get().pk)})
    refused(token.get("patients/"), 401, "token-refused")
    here.post("/account/", {"others": "all"})
    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200


def test_a_new_password_ends_every_other_session_and_every_token(cast: Cast, enter: Door) -> None:
    here, there, token = enter("stella"), enter("stella"), person("stella")

    weak = here.post("/account/password/", {"oldpassword": PASSWORD, "password1": "short", "password2": "short"})
    assert weak.status_code == 200
    here.post("/account/password/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})

    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 302
    refused(token.get("patients/"), 401, "token-refused")
    assert tried(NEW, source="198.51.100.7") == 302


# -- invitations ------------------------------------------------------------------------------------------------------
def invited(cast: Cast, **other: Any) -> Invitation:
    answer = person("nora").post("invitations/", {"email": "New@Example.org", "roles": ["reviewer"]} | other)
    assert answer.status_code == 201, answer.content
    return Invitation.objects.latest("pk")


def test_an_invitation_comes_by_mail_and_opens_the_door_once(
    cast: Cast, client: Client, post_office: PostOffice
) -> None:
    invitation = invited(cast)
    assert send_next(now=clock.now())
    letter = message_from_bytes(bytes(post_office.letters[0].content or b""), policy=default)
    body = letter.get_body(("plain",))
    assert body is not None
    link = re.search(r"http\S+(/invitations/\S+/)", body.get_content())
    assert link is not None

    seen = client.get(link[1]).content.decode()
    assert findings(seen) == []
    assert "Join Evergreen Health" in seen
    weak = client.post(link[1], {"full_name": "", "password": "short", "again": "other"})
    assert weak.status_code == 422
    assert findings(weak.content.decode()) == []
    joined = client.post(link[1], {"full_name": "Nia Holt", "password": NEW, "again": NEW})

    assert joined.headers["Location"] == "/log-in/"
    assert tried(NEW, source="198.51.100.7", email="new@example.org") == 302
    assert list(Membership.objects.filter(person__email="new@example.org").values_list("role", flat=True)) == [
        "reviewer"
    ]
    assert client.get(link[1]).status_code == 404
    assert client.post(link[1], {"full_name": "Eve", "password": NEW, "again": NEW}).status_code == 409
    refused(person("nora").delete(f"invitations/{invitation.public_id}/"), 409, "invitation-ended")


def test_whoever_is_known_accepts_by_logging_in(cast: Cast, enter: Door, client: Client) -> None:
    link = f"/invitations/{link_of(invited(cast, email='stella@example.org', roles=['intake']))}/"

    assert "Log in with it" in client.get(link).content.decode()
    stranger = client.post(link, {"full_name": "Eve", "password": NEW, "again": NEW})
    assert stranger.status_code == 422
    assert enter("rae").post(link).status_code == 422
    assert enter("stella").post(link).headers["Location"] == "/"

    assert Membership.objects.filter(person=cast.people["stella"], organization=cast.evergreen).count() == 1
    assert not Person.objects.filter(full_name="Eve").exists()


def test_an_invitation_that_is_withdrawn_over_or_forged_opens_nothing(cast: Cast, client: Client) -> None:
    withdrawn, over = invited(cast), invited(cast)
    assert person("nora").delete(f"invitations/{withdrawn.public_id}/").status_code == 204
    Invitation.objects.filter(pk=over.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    forged = link_of(invited(cast))[:-1] + "!"

    for link in (link_of(withdrawn), link_of(over), forged, "nonsense", str(over.public_id)):
        assert client.get(f"/invitations/{link}/").status_code == 404, link
        assert (
            client.post(f"/invitations/{link}/", {"full_name": "E", "password": NEW, "again": NEW}).status_code == 409
        )


def test_only_administrators_invite_and_only_into_roles_of_their_own_house(cast: Cast) -> None:
    mine = invited(cast)
    with nothing_changes():
        refused(person("rae").post("invitations/", {"email": "a@example.org", "roles": ["intake"]}), 403, "forbidden")
        refused(
            person("nora").post("invitations/", {"email": "a@example.org", "roles": ["staff"]}), 422, "invalid-input"
        )
        for answer in (person("rae").get("invitations/"), person("stella").get(f"invitations/{mine.public_id}/")):
            refused(answer, 403, "forbidden")
    Membership.objects.create(person=cast.people["mallory"], organization=cast.hillside, role=Role.CLINIC_ADMIN.value)
    refused(person("mallory").delete(f"invitations/{mine.public_id}/"), 404, "not-found")


# -- single sign-on ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("email", "is_verified", "comes_in"),
    [("stella@example.org", True, True), ("stella@example.org", False, False), ("eve@example.org", True, False)],
)
def test_single_sign_on_knows_whoever_was_invited_by_a_verified_address(
    cast: Cast, settings: LazySettings, email: str, is_verified: bool, comes_in: bool
) -> None:
    sso = {"provider_id": "sso", "name": "SSO", "client_id": "authz", "settings": {"server_url": "https://idp.example"}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [sso]}}
    told = SocialLogin(
        user=Person(),
        account=SocialAccount(provider="sso", uid="7"),
        email_addresses=[EmailAddress(email=email, verified=is_verified, primary=True)],
    )
    request = RequestFactory().get("/")
    request.session, request.user = SessionStore(), AnonymousUser()

    SingleSignOn().pre_social_login(request, told)

    assert SocialAccount.objects.filter(user=cast.people["stella"]).exists() is comes_in
    assert not SingleSignOn().is_open_for_signup(request, told)
