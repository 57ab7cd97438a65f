"""Coming in, choosing for whom, and leaving."""

import pytest
from django.conf import LazySettings
from django.test import Client

from authz.access import services as access
from authz.access.roles import Role
from authz.demonstration import people
from tests.cast import PASSWORD, Cast
from tests.web.conftest import Door
from tests.web.reading import findings, read

STELLA = {"email": "stella@example.org", "password": PASSWORD}


def test_logging_in_leads_to_the_worklist(cast: Cast, client: Client) -> None:
    answer = client.post("/log-in/", STELLA | {"email": "Stella@Example.ORG"}, follow=True)

    assert answer.redirect_chain == [("/", 302)]
    assert "Stella Marsh, clinic staff at Riverside Clinic" in answer.content.decode()


def test_logging_in_leads_on_to_the_page_that_was_asked_for(cast: Cast, client: Client) -> None:
    asked = client.get("/inbox/")

    assert client.post(asked.headers["Location"], STELLA).headers["Location"] == "/inbox/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "nowhere"])
def test_logging_in_never_leads_away(cast: Cast, client: Client, elsewhere: str) -> None:
    answer = client.post(f"/log-in/?next={elsewhere}", STELLA)

    assert answer.headers["Location"] == "/"
    assert client.get(f"/log-in/?next={elsewhere}").headers["Location"] == "/", "also for who is there already"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"password": "something else"}, "The e-mail address or the password is wrong."),
        ({"email": "nobody@example.org"}, "The e-mail address or the password is wrong."),
        ({"password": ""}, "Give your password."),
        ({"email": "stella"}, "Enter a valid email address."),
    ],
)
def test_a_refused_log_in_says_why_and_keeps_the_address(
    cast: Cast, client: Client, typed: dict[str, str], says: str
) -> None:
    answer = client.post("/log-in/", STELLA | typed)

    seen = answer.content.decode()
    assert answer.status_code == 422
    assert says in seen
    assert f'value="{(STELLA | typed)["email"]}"' in seen
    assert PASSWORD not in seen
    assert findings(seen) == []
    assert client.get("/").status_code == 302


def test_somebody_no_longer_active_is_out_at_once(cast: Cast, enter: Door) -> None:
    client = enter("stella")
    cast.people["stella"].is_active = False
    cast.people["stella"].save()

    assert client.get("/").status_code == 302
    assert client.post("/log-in/", STELLA).status_code == 422


def test_somebody_without_a_role_does_not_come_in(cast: Cast, client: Client) -> None:
    access.create_person(email="lee@example.org", full_name="Lee Park", password=PASSWORD)

    answer = client.post("/log-in/", {"email": "lee@example.org", "password": PASSWORD})

    assert answer.status_code == 422
    assert "You have no role in any organization." in answer.content.decode()


def test_somebody_of_two_organizations_chooses_and_is_nowhere_before(cast: Cast, client: Client) -> None:
    access.add_membership(person=cast.people["stella"], organization=cast.hillside, role=Role.STAFF)

    answer = client.post("/log-in/", STELLA, follow=True)
    assert answer.redirect_chain == [("/", 302), ("/log-in/organization/", 302)]
    assert findings(answer.content.decode()) == []
    assert client.get("/").headers["Location"] == "/log-in/organization/"
    foreign = client.post("/log-in/organization/", {"organization": str(cast.evergreen.public_id)})
    assert foreign.status_code == 200
    assert client.get("/").status_code == 302
    client.post("/log-in/organization/", {"organization": str(cast.hillside.public_id)})

    assert "at Hillside Clinic" in client.get("/").content.decode()


def test_somebody_who_left_the_organization_meanwhile_is_out_at_once(cast: Cast, enter: Door) -> None:
    client = enter("stella")
    cast.people["stella"].memberships.all().delete()

    assert client.get("/").headers["Location"] == "/log-in/organization/"
    assert "You have no role" in client.get("/log-in/organization/").content.decode()


def test_logging_out_ends_the_session_and_needs_a_button(cast: Cast, enter: Door) -> None:
    client = enter("stella")

    assert client.get("/log-out/").status_code == 405
    assert client.get("/").status_code == 200
    answer = client.post("/log-out/", follow=True)

    assert "You are logged out." in answer.content.decode()
    assert client.get("/").status_code == 302


def test_the_picker_is_shown_in_the_demonstration_alone(db: None, client: Client, settings: LazySettings) -> None:
    password = people.password()
    assert password not in client.get("/log-in/").content.decode()

    settings.IS_DEMONSTRATION = True
    seen = client.get("/log-in/").content.decode()

    assert findings(seen) == []
    emails = {field.attributes["value"] for field in read(seen).all("input") if field.attributes["name"] == "email"
              and field.attributes["type"] == "hidden"}  # fmt: skip
    assert emails == {player.email for player in people.log_ins()}


def test_a_pick_is_an_ordinary_log_in(cast: Cast, client: Client, settings: LazySettings) -> None:
    settings.IS_DEMONSTRATION = True
    player = people.log_ins()[0]
    picked = {"email": player.email, "password": people.password()}
    assert client.post("/log-in/", picked).status_code == 422

    person = access.create_person(email=player.email, full_name=player.name, password=people.password())
    access.add_membership(person=person, organization=cast.riverside, role=Role.STAFF)

    assert client.post("/log-in/", picked).status_code == 302
