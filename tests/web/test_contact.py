"""The page on which an insurer's administrator says how it is reached."""

from html import unescape

import pytest

from tests.cast import Cast
from tests.web.conftest import Door
from tests.web.reading import findings

PATH = "/organization/contact/"
SAID = {
    "postal_address": "Evergreen Health, Appeals\r\nPO Box 555\r\nAlbany, NY 12201",
    "phone": "1-800-555-0142",
    "fax": "",
    "hours": "Monday to Friday, 8 am to 8 pm",
}
WARNING = "Your letters do not say how you are reached."


def test_the_page_says_that_letters_lack_a_contact_until_there_is_one(cast: Cast, enter: Door) -> None:
    nora = enter("nora")
    before = nora.get(PATH).content.decode()

    saved = nora.post(PATH, SAID, follow=True)

    page = unescape(saved.content.decode())
    assert findings(before) == findings(saved.content.decode()) == []
    assert WARNING in before
    assert WARNING not in page
    assert "Letters say this from now on." in page
    assert "PO Box 555" in page
    cast.evergreen.refresh_from_db()
    assert cast.evergreen.contact is not None
    assert cast.evergreen.contact.postal_address.split("\n")[1] == "PO Box 555"


def test_what_is_wrong_is_named_at_its_field_and_stays_as_it_was_typed(cast: Cast, enter: Door) -> None:
    answer = enter("nora").post(PATH, SAID | {"phone": "555-0142", "postal_address": ""})

    page = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "Postal address: Write something here." in page
    assert "555-0142" in page
    assert findings(answer.content.decode()) == []
    cast.evergreen.refresh_from_db()
    assert cast.evergreen.contact is None


def test_a_number_nobody_can_call_is_refused_on_the_page(enter: Door) -> None:
    answer = enter("nora").post(PATH, SAID | {"phone": "555-0142"})

    assert answer.status_code == 422
    assert "Phone: Give a number with its area code" in unescape(answer.content.decode())


@pytest.mark.parametrize("name", ["rae", "stella", "jones"])
def test_nobody_else_has_the_page(enter: Door, name: str) -> None:
    somebody = enter(name)

    assert (somebody.get(PATH).status_code, somebody.post(PATH, SAID).status_code) == (403, 403)
