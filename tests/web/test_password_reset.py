"""A forgotten password: its link works once and not for long, says nothing of who is known, and ends what is open."""

import re

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.test import Client
from django.utils.http import int_to_base36

from tests.api.callers import person, refused
from tests.cast import PASSWORD, Cast
from tests.web.conftest import Door
from tests.web.reading import findings

NEW = "another quite long password"
ASK = "/account/reset/"


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Nobody has asked too often."""
    cache.clear()


def asked_for(email: str, outbox: list[EmailMessage]) -> str:
    """Ask for a link by mail, and return its address."""
    Client().post(ASK, {"email": email})
    (letter,) = outbox
    link = re.search(r"https?://[^/]+(/account/reset/\S+/)", str(letter.body))
    assert link is not None, letter.body
    return link[1]


def opened(client: Client, link: str) -> str:
    """Open a link and return the address of its form, which has no key in it: a key would leak to whoever is next."""
    form: str = client.get(link).headers["Location"]
    assert form.endswith("-set-password/")
    return form


def said(page: HttpResponse) -> str:
    """Return a page without the tokens against forged forms, which are new each time."""
    return re.sub(r"[A-Za-z0-9]{64}", "", page.content.decode())


def comes_in(password: str) -> bool:
    return Client().post("/log-in/", {"email": "stella@example.org", "password": password}).status_code == 302


def test_a_link_sets_a_password_once(cast: Cast, mailoutbox: list[EmailMessage]) -> None:
    link, browser = asked_for("stella@example.org", mailoutbox), Client()
    form = opened(browser, link)
    assert findings(browser.get(form).content.decode()) == []

    weak = browser.post(form, {"password1": "short", "password2": "short"})
    done = browser.post(form, {"password1": NEW, "password2": NEW})

    assert (weak.status_code, done.status_code) == (200, 302)
    assert (comes_in(NEW), comes_in(PASSWORD)) == (True, False)
    assert findings(browser.get(done.headers["Location"]).content.decode()) == []
    for later in (
        browser.get(link),
        Client().get(link),
        browser.post(form, {"password1": "x" * 20, "password2": "x" * 20}),
    ):
        assert later.status_code == 200
        assert "password1" not in later.content.decode()
    assert comes_in(NEW)


def test_a_link_works_for_an_hour(cast: Cast, mailoutbox: list[EmailMessage], settings: LazySettings) -> None:
    link = asked_for("stella@example.org", mailoutbox)
    assert settings.PASSWORD_RESET_TIMEOUT == 3600
    settings.PASSWORD_RESET_TIMEOUT = -1

    late = Client().get(link)

    assert late.status_code == 200
    assert findings(late.content.decode()) == []
    assert "password1" not in late.content.decode()
    assert comes_in(PASSWORD)


def test_whoever_is_unknown_is_answered_the_same_and_gets_no_mail(cast: Cast, mailoutbox: list[EmailMessage]) -> None:
    known, unknown = (
        Client().post(ASK, {"email": email}, follow=True) for email in ("stella@example.org", "nobody@example.org")
    )

    assert known.redirect_chain == unknown.redirect_chain
    assert said(known) == said(unknown)
    assert [letter.to for letter in mailoutbox] == [["stella@example.org"]]
    assert findings(known.content.decode()) == []


def test_a_new_password_ends_every_session_and_every_token(
    cast: Cast, enter: Door, mailoutbox: list[EmailMessage]
) -> None:
    there, token, neighbour = enter("stella"), person("stella"), enter("rae")
    browser = Client()
    form = opened(browser, asked_for("stella@example.org", mailoutbox))

    browser.post(form, {"password1": NEW, "password2": NEW})

    assert there.get("/").status_code == 302
    refused(token.get("patients/"), 401, "token-refused")
    assert browser.get("/").status_code == 302, "whoever has the mail alone is not logged in"
    assert neighbour.get("/desk/").status_code == 200


def test_a_link_of_another_person_or_made_up_opens_nothing(cast: Cast, mailoutbox: list[EmailMessage]) -> None:
    link = asked_for("stella@example.org", mailoutbox)
    uid, _, key = link.removeprefix(ASK).rstrip("/").partition("-")
    other = int_to_base36(cast.people["rae"].pk)

    for forged in (
        f"{ASK}{other}-{key}/",
        f"{ASK}{uid}-{key[:-1]}{'a' if key[-1] != 'a' else 'b'}/",
        f"{ASK}zz-set-password/",
    ):
        answer = Client().get(forged)
        assert answer.status_code == 200, forged
        assert "password1" not in answer.content.decode()
