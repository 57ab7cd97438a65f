"""Logging in at one's own identity provider: a real one on loopback, by its code flow."""

from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client

from tests.cast import Cast
from tests.identity_provider import CLIENT, SECRET, IdentityProvider

LOG_IN = "/account/oidc/sso/login/"
STELLA = {"sub": "u-7", "email": "Stella@example.org", "email_verified": True}


@pytest.fixture
def provider(settings: LazySettings) -> Iterator[IdentityProvider]:
    """The identity provider of whoever runs this deployment."""
    with IdentityProvider().opened() as opened:
        app = {"provider_id": "sso", "name": "SSO", "client_id": CLIENT, "secret": SECRET}
        app["settings"] = {"server_url": opened.issuer}  # type: ignore[assignment]  # as allauth wants it
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
        yield opened


def sent_back(browser: Client, *, path: str = LOG_IN) -> str:
    """Go to the provider as the page says; return the path to which it sends the browser back."""
    there = urlsplit(browser.get(path)["Location"])
    line = HTTPConnection(there.netloc)
    line.request("GET", f"{there.path}?{there.query}")
    back = urlsplit(line.getresponse().headers["Location"])
    line.close()
    return f"{back.path}?{back.query}"


def name_on_the_page(browser: Client) -> str:
    """Return who the inbox says is there; nobody when it wants a log-in."""
    page = browser.get("/inbox/")
    return page.content.decode().partition('<div class="who">\n<p>')[2].partition(",")[0] if page.content else ""


def test_whoever_was_invited_comes_in_and_is_known_again_by_the_providers_own_name_for_them(
    cast: Cast, provider: IdentityProvider
) -> None:
    names = []
    for claims in (STELLA, {**STELLA, "email": "married@example.org", "email_verified": False}):
        provider.claims, browser = claims, Client()
        browser.get(sent_back(browser))
        names.append(name_on_the_page(browser))

    assert names == ["Stella Marsh", "Stella Marsh"]


@pytest.mark.parametrize(
    "claims",
    [
        {**STELLA, "email_verified": False},
        {**STELLA, "email": "eve@example.org"},
        {"sub": "u-7"},
    ],
)
def test_whoever_was_not_invited_or_is_not_sure_stays_outside(
    cast: Cast, provider: IdentityProvider, claims: dict[str, object]
) -> None:
    provider.claims, browser = claims, Client()

    answer = browser.get(sent_back(browser), follow=True)

    assert answer.status_code < 500
    assert name_on_the_page(browser) == ""


def test_what_was_not_asked_for_in_this_browser_lets_nobody_in(cast: Cast, provider: IdentityProvider) -> None:
    provider.claims, hers, other = STELLA, Client(), Client()
    back = sent_back(hers)

    refused = [other.get(back), hers.get(back.replace("code=", "code=x"))]

    assert [answer.status_code < 500 for answer in refused] == [True, True]
    assert name_on_the_page(hers) == name_on_the_page(other) == ""
