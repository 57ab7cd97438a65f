"""How an insurer is reached, over the API."""

from authz.access.roles import Role
from tests import cast as stage
from tests.api.callers import Caller, field_errors, machine, nothing_changes, refused

PATH = "organizations/me/contact/"
SAID = {"postal_address": "Evergreen Health\nAlbany, NY 12201", "phone": "1-800-555-0142", "fax": "", "hours": ""}


def test_an_insurer_says_how_it_is_reached_and_its_people_read_it(cast: stage.Cast, rae: Caller) -> None:
    administrator = machine(cast.evergreen, Role.INSURER_ADMIN)
    before = rae.get(PATH).json()

    told = administrator.put(PATH, {name: SAID[name] for name in ("postal_address", "phone")})

    assert before == dict.fromkeys(SAID, "")
    assert told.json() == SAID
    assert rae.get(PATH).json() == SAID
    assert machine(cast.summit, Role.INSURER_ADMIN).get(PATH).json() == before


def test_every_field_of_a_contact_that_is_wrong_is_named(cast: stage.Cast) -> None:
    administrator = machine(cast.evergreen, Role.INSURER_ADMIN)

    with nothing_changes():
        answer = administrator.put(PATH, {"postal_address": "Albany", "phone": "555", "fax": "none"})

    assert set(field_errors(answer)) == {"postal_address", "phone", "fax"}


def test_a_clinic_has_no_contact_to_read_or_to_change(stella: Caller) -> None:
    refused(stella.get(PATH), 403, "forbidden")
    with nothing_changes():
        refused(stella.put(PATH, SAID), 403, "forbidden")
