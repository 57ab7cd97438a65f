"""How a person is told and who stands in for them, over the API."""

from typing import Any

import pytest

from authz.access.roles import Role
from tests import cast as stage
from tests.api.callers import Caller, field_errors, machine, nothing_changes, refused, today

HERE = "me/notification-settings/"


def changed(caller: Caller, **changes: Any) -> dict[str, Any]:
    answer = caller.patch(HERE, changes)
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def test_who_never_said_reads_what_holds(stella: Caller) -> None:
    assert stella.get(HERE).json() == {
        "time_zone": "America/New_York",
        "pressing_by": ["email"],
        "waiting_by": ["email"],
        "quiet_hours": None,
        "digest_hour": None,
        "email": "stella@example.org",
        "email_refused_at": None,
        "email_refusal": "",
        "phone": "",
        "phone_verified_at": None,
        "phone_refused_at": None,
        "phone_refusal": "",
        "delegate": None,
        "covers": [],
    }


def test_what_is_changed_is_read_again_and_what_is_left_out_stays(cast: stage.Cast, stella: Caller) -> None:
    stage.colleague(cast)
    (tess,) = stella.get("me/colleagues/").json()["results"]
    cover = {"colleague": tess["id"], "starts_on": today().isoformat(), "ends_on": today().isoformat()}

    changed(stella, quiet_hours={"starts": "22:00", "ends": "06:30"}, time_zone="America/Chicago", digest_hour=7)
    told = changed(stella, waiting_by=["email"], delegate=tess["id"], covers=[cover])

    assert told == stella.get(HERE).json()
    assert told["quiet_hours"] == {"starts": "22:00", "ends": "06:30"}
    assert (told["time_zone"], told["digest_hour"]) == ("America/Chicago", 7)
    assert told["delegate"] == {"id": tess["id"], "name": "Tess Ito"}
    assert told["covers"] == [{**cover, "colleague": told["delegate"]}]


def test_everything_that_is_wrong_is_named_at_once(cast: stage.Cast, stella: Caller) -> None:
    day = today().isoformat()
    body = {
        "quiet_hours": {"starts": "24:00", "ends": 7},
        "digest_hour": "8",
        "pressing_by": ["pigeon"],
        "covers": [{"colleague": "Tess", "starts_on": day}],
        "weekends": "off",
    }

    with nothing_changes():
        faults = field_errors(stella.patch(HERE, body))

    assert set(faults) == {
        "quiet_hours.starts",
        "quiet_hours.ends",
        "digest_hour",
        "pressing_by[0]",
        "covers[0].colleague",
        "covers[0].ends_on",
        "weekends",
    }


def test_a_stranger_cannot_stand_in(cast: stage.Cast, stella: Caller) -> None:
    with nothing_changes():
        faults = field_errors(stella.patch(HERE, {"delegate": str(cast.people["mallory"].public_id)}))

    assert set(faults) == {"delegate"}


@pytest.mark.parametrize("path", [HERE, "me/colleagues/"])
def test_a_machine_has_no_settings(cast: stage.Cast, path: str) -> None:
    refused(machine(cast.riverside, Role.STAFF).get(path), 403, "forbidden")
