"""The inbox: what happened and what to do in one sentence, signed on the spot, told when something is new."""

from html import unescape
from typing import Any

import pytest
from django.test import Client

from authz.notifications.matrix import MATRIX
from authz.notifications.models import InboxEntry
from authz.notifications.wishes.models import Cover, Delegate, NotificationSettings
from authz.prior_auths import selectors
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import request as clinic
from authz.prior_auths.services.run_outs import warn_of_run_outs
from authz.web.inbox_words import TO_DO
from tests import cast as stage
from tests.cast import NOW, Cast, detected, key_of, later
from tests.notifications.stage import drain
from tests.web.conftest import Door
from tests.web.reading import findings


def inbox(client: Client) -> str:
    answer = client.get("/inbox/")
    assert answer.status_code == 200
    assert findings(answer.content.decode()) == []
    return unescape(answer.content.decode())


def test_every_notice_that_asks_for_an_act_says_which() -> None:
    asking = {topic for topic, told in MATRIX.items() if any(notice.needs_act for notice in told.values())}

    assert asking - set(TO_DO) == set()


def test_a_decision_says_what_to_do_and_by_when_and_has_its_letter(cast: Cast, enter: Door) -> None:
    denied = stage.denied(cast)
    drain(later(1))
    jones = enter("jones")

    seen = inbox(jones)

    assert f"request {denied.number} was denied: read why, then accept it" in seen
    assert "Appeal by " in seen
    assert f"/determinations/{denied.determinations.get().public_id}/letter/" in seen


def test_a_run_out_says_that_the_medication_ends_and_when(cast: Cast, enter: Door) -> None:
    prior_auth = detected(cast)
    warn_of_run_outs(now=later(24 * 30))
    drain(later(24 * 30))

    seen = inbox(enter("stella"))

    found = selectors.run_out_of(prior_auth)
    assert found is not None
    assert f"The patient's medication runs out while request {prior_auth.number} is open: act on it today." in seen
    assert found.says in seen


def test_the_prescriber_signs_in_the_inbox_and_comes_back_to_it(cast: Cast, enter: Door) -> None:
    prior_auth = detected(cast)
    key = key_of(prior_auth)
    clinic.take_up(prior_auth_id=key, by=cast.stella, now=NOW)
    clinic.ask_prescriber(prior_auth_id=key, question="Please attest.", by=cast.stella, now=NOW)
    drain(later(1))
    jones = enter("jones")

    seen = inbox(jones)
    version = PriorAuth.objects.get(pk=prior_auth.pk).version
    sent = {"version": version, "back": "inbox", "pr.attest": "on"}
    signed = jones.post(f"/prior-auths/{key}/answer-prescriber/", sent)

    assert "Read and sign here" in seen
    assert "Please attest." in seen
    assert signed["Location"] == "/inbox/"
    assert PriorAuth.objects.get(pk=prior_auth.pk).state == "draft"
    assert "Read and sign here" not in inbox(jones)
    assert "Read and sign here" not in inbox(enter("stella"))


def test_the_page_is_told_only_when_the_inbox_has_changed(cast: Cast, enter: Door) -> None:
    detected(cast)
    drain(later(1))
    jones = enter("jones")
    page = inbox(jones)
    address = page.split('hx-get="')[1].split('"')[0]

    same = jones.get(address)
    again = jones.get("/inbox/news/", headers={"If-None-Match": same["ETag"]})
    entry = InboxEntry.objects.filter(person__email="jones@example.org")[0]
    jones.post(f"/inbox/{entry.public_id}/acknowledge/")
    other = jones.get(address)

    assert same.status_code == again.status_code == 204
    assert other.status_code == 200
    assert other["ETag"] != same["ETag"]
    assert "Something is new in your inbox" in other.content.decode()


WANTED = {
    "pressing_by": "mail",
    "waiting_by": "inbox",
    "quiet_from": "21:00",
    "quiet_until": "07:30",
    "digest_hour": "",
    "time_zone": "America/Denver",
    "delegate": "",
}


def wanted(client: Client, **changes: str) -> Any:
    return client.post("/inbox/settings/", WANTED | changes)


def test_somebody_says_how_they_are_told_and_who_stands_in(cast: Cast, enter: Door) -> None:
    colleague = str(cast.people["stella"].public_id)
    stage.colleague(cast)
    stella = enter("stella")
    other = stella.get("/inbox/settings/").context["form"].fields["delegate"].choices[1][0]
    cover = {
        "covers[0].colleague": other,
        "covers[0].starts_on": "2030-01-01",
        "covers[0].ends_on": "2030-01-08",
    }

    saved = wanted(stella, delegate=other, **cover)
    seen = stella.get("/inbox/settings/")

    row = NotificationSettings.objects.get(person__email="stella@example.org")
    assert saved.status_code == 302
    assert other != colleague
    assert (row.pressing_by, row.waiting_by, str(row.quiet_from)) == (["email"], [], "21:00:00")
    assert Delegate.objects.get().colleague.public_id == Cover.objects.get().colleague.public_id
    assert findings(seen.content.decode()) == []
    assert 'value="2030-01-08"' in seen.content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"quiet_until": ""}, "Give both times, or neither."),
        ({"quiet_until": "21:00"}, "They must end at another time than they start."),
        ({"time_zone": "Mars/Base"}, "This time zone is not known."),
        ({"digest_hour": "8"}, "The digest is a mail"),
        ({"covers[0].starts_on": "2030-01-01"}, "Needed for a cover."),
        ({"delegate": "somebody"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_wanted_is_named_and_what_was_typed_stays(
    cast: Cast, enter: Door, changes: dict[str, str], said: str
) -> None:
    answer = wanted(enter("jones"), **changes)

    assert answer.status_code == 422
    assert said in unescape(answer.content.decode())
    assert 'value="07:30"' in answer.content.decode() or "quiet_until" in changes
    assert findings(answer.content.decode()) == []
    assert not NotificationSettings.objects.exists()
