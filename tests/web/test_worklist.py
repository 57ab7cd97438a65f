"""The clinic's worklist: its cards and filters, what is searched, what is assigned and taken out."""

import csv
import re
from html import unescape
from io import StringIO

import pytest
from django.test import Client

from authz import clock
from authz.access.roles import Role
from authz.audit.models import AuditEntry
from authz.policies.services import create_plan
from authz.prior_auths.lifecycle import State
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import questions
from authz.prior_auths.services.questions import Item
from authz.web.sealed_words import sealed
from authz.web.stages import Reached, stages
from authz.web.views import worklist_sheet
from tests.cast import Cast, approved, detected, drafted, in_review, key_of, queued
from tests.web.conftest import Door
from tests.web.reading import Element, findings, read


def listed(client: Client, path: str = "/") -> list[str]:
    """Return the numbers of the requests in the list, in its order."""
    html = client.get(path, follow=True).content.decode()
    assert findings(html) == []
    return re.findall(r'<a class="number"[^>]*>([^<]+)</a>', html)


def cards(client: Client) -> dict[str, int]:
    """Return how many stand on each card, by its address."""
    tree = read(client.get("/").content.decode())
    (nav,) = [nav for nav in tree.all("nav") if nav.attributes.get("aria-label") == "Parts of the worklist"]
    counted: list[tuple[Element, list[Element]]] = [(link, link.all("strong")) for link in nav.all("a")]
    return {link.attributes["href"]: int(number[0].text) for link, number in counted if number}


def test_a_card_leads_to_as_many_requests_as_it_says(cast: Cast, enter: Door) -> None:
    needed, with_insurer, decided = detected(cast), queued(cast), approved(cast)
    PriorAuth.objects.filter(pk=decided.pk).update(decided_at=clock.now())
    stella = enter("stella")

    counted = cards(stella)

    assert {path: len(listed(stella, path)) for path in counted} == counted
    assert listed(stella, "/?show=needs-answer") == [needed.number]
    assert listed(stella, "/?show=with-insurer") == [with_insurer.number]
    assert listed(stella, "/?show=decided") == [decided.number]
    # The cast's days are long over, so that all that is open is due.
    assert set(listed(stella, "/?show=due-today")) == {needed.number, with_insurer.number}


def test_what_only_the_prescriber_can_answer_waits_for_them_and_not_for_the_staff(cast: Cast, enter: Door) -> None:
    theirs, both = in_review(cast), in_review(cast)
    taper = Item("Do you taper?", Role.PRESCRIBER)
    questions.ask(prior_auth_id=key_of(theirs), questions=[taper], by=cast.rae, now=clock.now())
    questions.ask(prior_auth_id=key_of(both), questions=[taper, "Since when?"], by=cast.rae, now=clock.now())
    stella, jones = enter("stella"), enter("jones")

    assert listed(stella, "/?show=needs-answer") == listed(stella, "/?ball=clinic") == [both.number]
    assert set(listed(stella, "/?ball=prescriber")) == {theirs.number, both.number}
    assert set(listed(jones, "/?show=needs-answer")) == {theirs.number, both.number}
    told = stella.get("/").content.decode()
    assert told.count("The clinic, and the prescriber (Ida Jones)") == 1
    assert told.count("The prescriber (Ida Jones)") == 1


def test_filters_narrow_together_and_one_that_is_not_known_is_named(cast: Cast, enter: Door) -> None:
    needed, draft, with_insurer = detected(cast), drafted(cast), queued(cast)
    create_plan(insurer=cast.summit, code="SM", name="Summit Core")
    stella = enter("stella")

    assert set(listed(stella, "/?ball=clinic")) == {needed.number, draft.number}
    assert listed(stella, "/?ball=clinic&state=draft") == [draft.number]
    assert listed(stella, f"/?payer={cast.evergreen.public_id}&ball=insurer") == [with_insurer.number]
    assert listed(stella, f"/?payer={cast.summit.public_id}") == []
    assert len(listed(stella, f"/?prescriber={cast.prescriber.public_id}&assignee=nobody")) == 3
    assert len(listed(stella, "/?due=overdue")) == 3
    assert "Who has the ball: It is not known here" in stella.get("/?ball=me").content.decode()


def test_a_search_finds_by_name_number_member_product_and_authorization(cast: Cast, enter: Door) -> None:
    row, stella = approved(cast), enter("stella")
    assert row.coverage is not None
    right = row.authorizations.get().number
    mrn = row.patient.identifiers.get(assigner=cast.riverside).value

    for words in (
        "pat doe",
        "DOE",
        "oE",
        mrn,
        mrn.lower(),
        row.coverage.member_id,
        "oxycodone",
        right,
        row.number.lower(),
        "Doe oxycodone",
    ):
        answer = stella.post("/", {"words": words})
        assert listed(stella, answer["Location"]) == [row.number], words

    assert listed(stella, stella.post("/", {"words": "Roe"})["Location"]) == []


def test_no_address_holds_what_was_searched_for(cast: Cast, enter: Door) -> None:
    detected(cast)
    stella = enter("stella")

    found = stella.post("/", {"words": "Doe"})["Location"]
    lapsed = stella.get("/?search=made-up").content.decode()

    assert "doe" not in found.lower()
    assert 'value="Doe"' in stella.get(found).content.decode()
    assert "What was searched for can no longer be read" in lapsed


def test_another_clinics_search_finds_nothing_of_ours(cast: Cast, enter: Door) -> None:
    row = detected(cast)
    mallory = enter("mallory")

    assert listed(mallory, f"/?show=all&search={sealed('Doe')}") == []
    assert row.number not in mallory.get("/worklist.csv").content.decode()


def test_ticked_requests_are_assigned_and_the_list_stays_as_it_was(cast: Cast, enter: Door) -> None:
    first, second = detected(cast), drafted(cast)
    stella = enter("stella")
    me = str(cast.people["stella"].public_id)
    ticked = {"request": [str(first.public_id), str(second.public_id)], "person": me, "next": "?ball=clinic"}

    answer = stella.post("/worklist/assign/", ticked)

    assert answer["Location"] == "/?ball=clinic"
    assert set(listed(stella, f"/?assignee={me}")) == {first.number, second.number}
    assert "Works on it: Stella Marsh" in stella.get("/").content.decode()
    none = stella.post("/worklist/assign/", {"next": "https://elsewhere.example/"}, follow=True)
    assert none.redirect_chain == [("/?", 302)]
    assert "tick the requests first" in none.content.decode()


def test_the_sheet_holds_what_is_filtered_starts_no_formula_and_is_in_the_trail(cast: Cast, enter: Door) -> None:
    row = detected(cast)
    queued(cast)
    row.patient.identifiers.update(family_name="", given_name="=HYPERLINK(1)")

    answer = enter("stella").get("/worklist.csv?ball=clinic")

    (line,) = csv.DictReader(StringIO(answer.content.decode()))
    assert (line["request"], line["patient"]) == (row.number, "'=HYPERLINK(1)")
    assert (line["limit"], line["mme_per_day"], line["next_for_you"]) == ("7", "30.00", "Take up")
    assert answer["Cache-Control"] == "no-store"
    assert AuditEntry.objects.filter(action="export the worklist", person=cast.people["stella"]).count() == 1


def test_no_sheet_is_cut(cast: Cast, enter: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worklist_sheet, "MOST", 1)
    detected(cast), queued(cast)

    answer = enter("stella").get("/worklist.csv?show=open", follow=True)

    assert answer.redirect_chain == [("/?show=open", 302)]
    assert "These are more than 1 requests. Narrow the list" in answer.content.decode()


def test_an_insurer_takes_out_what_was_submitted_to_it_and_assigns_nobody(cast: Cast, enter: Door) -> None:
    row, not_sent, rae = queued(cast), drafted(cast), enter("rae")

    sheet = rae.get("/worklist.csv")
    rae.post("/worklist/assign/", {"request": str(row.public_id), "person": str(cast.people["rae"].public_id)})

    (line,) = csv.DictReader(StringIO(sheet.content.decode()))
    assert (line["request"], line["patient"].split()[0], line["works_on_it"]) == (row.number, "Member", "")
    assert not_sent.number not in sheet.content.decode()
    assert PriorAuth.objects.get(pk=row.pk).assignee is None


def test_every_state_of_the_list_says_what_it_is(cast: Cast, enter: Door) -> None:
    stella = enter("stella")

    empty = unescape(stella.get("/").content.decode())
    detected(cast)
    narrowed = stella.get("/?state=queued").content.decode()

    assert "A request opens by itself when a patient's opioid use passes the payer's limit." in empty
    assert "Nothing matches." in narrowed
    assert findings(narrowed) == []


def test_a_part_of_a_page_that_needs_a_log_in_leads_the_whole_page_there(cast: Cast) -> None:
    answer = Client().get(
        "/?ball=insurer", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/?show=all"}
    )

    assert answer.status_code == 200
    assert answer["HX-Redirect"] == "/log-in/?next=/%3Fshow%3Dall"


def test_pages_are_compressed_and_the_apis_etags_stay_strong(cast: Cast, enter: Door) -> None:
    stella = enter("stella")

    page = stella.get("/", headers={"Accept-Encoding": "gzip"})
    told = stella.get("/api/v1/meta/lifecycle/", headers={"Accept-Encoding": "gzip"})

    assert page["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in told


@pytest.mark.parametrize("state", State)
def test_the_three_stages_never_go_back(state: State) -> None:
    order = [Reached.DONE, Reached.NOW, Reached.AHEAD, Reached.NEVER]

    reached = [order.index(stage.reached) for stage in stages(state)]

    assert reached == sorted(reached)
    assert reached.count(1) <= 1
