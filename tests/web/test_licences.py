"""The page on which an insurer's administrator records the licences of its people."""

from html import unescape

import pytest

from authz.access.models import Licence
from tests import cast as stage
from tests.cast import Cast
from tests.web.conftest import Door
from tests.web.reading import findings

PATH = "/organization/licences/"


def said(cast: Cast, name: str) -> dict[str, str]:
    return {
        "email": cast.people[name].email,
        "profession": "physician",
        "state": "NJ",
        "number": "MD-77",
        "specialty": "Pain medicine",
        "valid_from": "2024-01-01",
        "valid_until": "2099-12-31",
    }


def test_the_page_names_who_should_have_a_licence_until_it_is_recorded(cast: Cast, enter: Door) -> None:
    stage.appeal_reviewer(cast)
    Licence.objects.filter(person=cast.people["uma"]).delete()
    nora = enter("nora")
    before = nora.get(PATH).content.decode()

    saved = nora.post(PATH, said(cast, "uma"), follow=True).content.decode()

    assert findings(before) == findings(saved) == []
    assert "None today: Dr Uma." in unescape(before)
    assert "None today" not in saved
    assert "NJ MD-77 of Dr Uma is recorded." in unescape(saved)


def test_what_is_wrong_is_named_at_its_field(cast: Cast, enter: Door) -> None:
    answer = enter("nora").post(PATH, said(cast, "patel") | {"number": "", "valid_until": "2023-01-01", "state": ""})

    page = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "Number: Needed." in page
    assert "State: Choose one." in page
    assert findings(answer.content.decode()) == []


def test_a_licence_is_renewed_on_the_page_and_a_day_too_early_is_refused(cast: Cast, enter: Door) -> None:
    stage.denied(cast)
    nora, licence = enter("nora"), Licence.objects.get(person=cast.people["patel"])
    mine = f"{PATH}{licence.public_id}/"

    renewed = nora.post(mine, {"valid_until": "2035-12-31"}, follow=True).content.decode()
    refused = nora.post(mine, {"valid_until": "2025-01-31"}, follow=True).content.decode()
    nothing = nora.post(mine, {"valid_until": ""}, follow=True).content.decode()

    licence.refresh_from_db()
    assert "NY MD-1001 of Dr Patel is valid until 2035-12-31." in unescape(renewed)
    assert "stays as it was. Valid until: Somebody decided by it after that day." in unescape(refused)
    assert "stays as it was. Valid until: Give a day." in unescape(nothing)
    assert licence.valid_until.year == 2035


@pytest.mark.parametrize("name", ["rae", "stella", "jones"])
def test_nobody_else_has_the_page(cast: Cast, enter: Door, name: str) -> None:
    somebody = enter(name)

    assert (somebody.get(PATH).status_code, somebody.post(PATH, said(cast, "patel")).status_code) == (403, 403)
