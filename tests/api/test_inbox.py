"""What a person was told, over the API."""

from typing import Any
from uuid import UUID

import pytest

from authz.access.roles import Role
from authz.ids import PriorAuthId
from authz.notifications import services
from authz.prior_auths.services import request
from tests import cast as stage
from tests.api.callers import Caller, machine, nothing_changes, person, refused


@pytest.fixture
def told(transactional_db: None) -> stage.Cast:
    """Stella is told that a request was opened, and Dr Jones, too."""
    cast = stage.assemble()
    stage.detected(cast)
    while services.fan_out_next(now=stage.later(1)):
        pass
    return cast


def notices(caller: Caller, **filters: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get("inbox/", **filters).json()["results"]
    return found


def test_a_notice_says_what_happened_without_any_patient_data(told: stage.Cast) -> None:
    (notice,) = notices(person("stella"))

    assert notice["text"] == f"Prior authorization request {notice['prior_authorization']['number']} was opened."
    assert (notice["needs_act"], notice["read_at"], notice["acknowledged_at"]) == (True, None, None)
    assert "Doe" not in str(notice)


def test_a_notice_is_read_and_acknowledged_once(told: stage.Cast) -> None:
    stella = person("stella")
    (notice,) = notices(stella)

    read = stella.post(f"inbox/{notice['id']}/read/")
    taken = stella.post(f"inbox/{notice['id']}/acknowledgement/", key="ack-1")
    again = stella.post(f"inbox/{notice['id']}/acknowledgement/", key="ack-1")

    assert read.json()["read_at"] is not None
    assert taken.json()["acknowledged_at"] is not None
    assert again.json() == taken.json()


def test_notices_are_found_by_what_is_open(told: stage.Cast) -> None:
    stella = person("stella")
    (notice,) = notices(stella)

    assert notices(stella, is_read="false", needs_act="true", is_acknowledged="false") == [notice]
    stella.post(f"inbox/{notice['id']}/read/")

    assert notices(stella, is_read="false") == []
    assert len(notices(stella, is_read="true")) == 1
    assert notices(stella, prior_authorization=str(stage.unknown_id())) == []


def test_nobody_reads_anothers_inbox(told: stage.Cast) -> None:
    stella, mallory = person("stella"), person("mallory")
    (notice,) = notices(stella)

    with nothing_changes():
        read = mallory.post(f"inbox/{notice['id']}/read/")
        taken = mallory.post(f"inbox/{notice['id']}/acknowledgement/")

    assert notices(mallory) == []
    refused(read, 404, "not-found")
    refused(taken, 404, "not-found")


@pytest.mark.parametrize("narrowed", [{}, {"is_open": "true"}, {"needs_act": "false", "is_read": "true"}])
def test_a_machine_has_no_inbox_however_it_asks(told: stage.Cast, narrowed: dict[str, str]) -> None:
    assert notices(machine(told.riverside, Role.STAFF), **narrowed) == []


def test_who_polls_hears_304_until_something_has_changed(told: stage.Cast) -> None:
    stella = person("stella")
    (notice,) = notices(stella)

    for path in ("inbox/", "inbox/count/"):
        tag = stella.get(path)["ETag"]
        same = stella.get(path, if_none_match=f'"another", {tag}')
        assert (same.status_code, same.content, same["ETag"]) == (304, b"", tag)
        assert stella.get(path, if_none_match='"another"').status_code == 200

    stella.post(f"inbox/{notice['id']}/read/")
    assert stella.get("inbox/", if_none_match=tag).status_code == 200
    assert stella.get("inbox/count/", if_none_match=tag).json() == {"unread": 0, "open": 1}


def test_a_page_has_an_etag_of_its_own(told: stage.Cast) -> None:
    stella = person("stella")

    assert stella.get("inbox/")["ETag"] != stella.get("inbox/", is_read="true")["ETag"]


def test_what_is_done_is_open_no_longer(told: stage.Cast) -> None:
    stella = person("stella")
    (notice,) = notices(stella, is_open="true")
    counted = stella.get("inbox/count/")

    request.withdraw(
        prior_auth_id=PriorAuthId(UUID(notice["prior_authorization"]["id"])),
        reason="Tapered.",
        by=told.stella,
        now=stage.later(2),
    )

    assert counted.json() == {"unread": 1, "open": 1}
    assert notices(stella, is_open="true") == []
    assert notices(stella, needs_act="true")[0]["is_open"] is False
    assert stella.get("inbox/count/", if_none_match=counted["ETag"]).json() == {"unread": 1, "open": 0}
