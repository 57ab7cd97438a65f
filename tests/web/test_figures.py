"""Figures on the pages: each leads to the requests behind it, for whoever may read it, and is a file, too."""

import csv
import re
from html import unescape
from io import StringIO

import pytest
from django.test import Client

from authz.audit.models import AuditEntry
from authz.prior_auths.lifecycle import ACTIVE
from authz.reporting.figures import Figure
from authz.web import figure_words
from authz.web.views import figure_requests
from tests.api.callers import person
from tests.cast import TODAY, Cast, approved, denied, drafted, queued
from tests.web.conftest import Door
from tests.web.reading import findings

MARCH = "since=2025-03-01&until=2025-03-31"


def links(page: str, to: str) -> list[tuple[str, str]]:
    """Return the address and the words of each link to that place."""
    return [(unescape(address), said) for address, said in re.findall(rf'<a href="({to}\?[^"]*)">(\d+)</a>', page)]


def numbers(client: Client, address: str) -> set[str]:
    page = client.get(address).content.decode()
    assert findings(page) == []
    return set(re.findall(r">(PA-\d{4}-\d+)</a>", page))


def lines(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(answer.getvalue().decode())))


def test_every_figure_is_on_the_page_once_and_leads_to_as_many_requests(cast: Cast, enter: Door) -> None:
    refused = denied(cast)
    approved(cast)
    queued(cast)

    for name in ("nora", "stella"):
        client = enter(name)
        page = client.get(f"/figures/?{MARCH}&period=whole&by=plan").content.decode()
        found = links(page, "/figures/requests/")

        assert findings(page) == []
        assert [len(numbers(client, address)) for address, _ in found] == [int(said) for _, said in found]
        assert {said for said in figure_words.FIGURE.values() if f">{said}</th>" not in page} == set()
        (against,) = (address for address, _ in found if "figure=denied&" in address)
        assert numbers(client, against) == {refused.number}
    assert sorted(figure for group in figure_words.GROUPS.values() for figure in group) == sorted(Figure)


def test_requests_behind_a_figure_are_taken_out_and_that_is_on_the_trail(cast: Cast, enter: Door) -> None:
    refused = denied(cast)
    asked = f"{MARCH}&figure=denied&urgency=all"

    (line,) = lines(enter("nora"), f"/figures/requests.csv?{asked}")

    assert line == {
        "request": refused.number,
        "clinic": "Riverside Clinic",
        "plan": cast.plan.name,
        "status": "Denied",
        "urgency": "Standard",
        "counted_on": TODAY.isoformat(),
    }
    assert AuditEntry.objects.get(action="export the requests behind a figure").patients == []
    assert AuditEntry.objects.get(action="read").patients == [refused.patient.public_id]


def test_open_requests_lead_from_their_age_and_time_left_to_themselves(cast: Cast, enter: Door) -> None:
    waiting, begun = queued(cast), drafted(cast)
    stella, nora = enter("stella"), enter("nora")

    page = stella.get("/figures/open/").content.decode()
    found = links(page, "/figures/open/requests/")
    sheet = lines(stella, "/figures/open.csv")

    assert findings(page) == []
    assert "2 open requests" in page
    assert {len(re.findall("<t[hd][ >]", row)) for row in re.findall("<tr>.*?</tr>", page)} == {8}
    assert [len(numbers(stella, address)) for address, _ in found] == [int(said) for _, said in found]
    assert numbers(stella, "/figures/open/requests/?left=overdue") == {waiting.number}
    assert numbers(nora, "/figures/open/requests/") == {waiting.number}
    assert [line["state"] for line in sheet if line["requests"] != "0"] == ["draft", "queued"]
    assert len(sheet) == len(ACTIVE)
    (old,) = lines(stella, "/figures/open/requests.csv?state=draft&age=from_30_days")
    assert (old["request"], old["counts_from"], old["due"]) == (
        begun.number, begun.opened_at.isoformat(timespec="seconds"), "No deadline",
    )  # fmt: skip


def test_a_clinics_work_leads_to_each_persons_requests_and_an_insurer_has_none(cast: Cast, enter: Door) -> None:
    row = queued(cast)
    stella = enter("stella")
    told = person("stella").get("productivity/", since="2025-03-01", until="2025-03-31").json()

    page = stella.get(f"/figures/work/?{MARCH}").content.decode()
    found = links(page, "/figures/work/requests/")
    (whole, hers) = lines(stella, f"/figures/work.csv?{MARCH}")[0], lines(stella, f"/figures/work.csv?{MARCH}")[2]
    behind = [lines(stella, address.replace("requests/", "requests.csv")) for address, _ in found]

    assert findings(page) == []
    assert (whole["touches"], hers["person"], hers["touches"]) == (str(told["touches"]["total"]), "Stella Marsh", "4")
    of_all_jones_stella = [(row.number, "5"), (row.number, "1"), (row.number, "4")]
    assert [(one["request"], one["touches"]) for (one,) in behind] == of_all_jones_stella
    assert {enter("nora").get(path).status_code for path in (f"/figures/work/?{MARCH}", found[0][0])} == {403}


def test_a_stranger_finds_nobody_behind_a_figure_and_no_such_figure_is_told_of(cast: Cast, enter: Door) -> None:
    denied(cast)
    mallory, oscar, ivy = enter("mallory"), enter("oscar"), enter("ivy")
    asked = f"/figures/requests/?{MARCH}&figure=denied&urgency=all"
    bad_ones = ("", f"{MARCH}&figure=lost", "since=2025-04-01&until=2025-03-01&figure=denied&urgency=all")

    assert (numbers(mallory, asked), numbers(oscar, asked)) == (set(), set())
    assert mallory.get(f"/figures/work/requests/?{MARCH}&person={cast.people['stella'].public_id}").status_code == 404
    assert oscar.get(f"{asked}&payer={cast.riverside.public_id}").status_code == 404
    assert {mallory.get(f"/figures/requests/?{bad}").status_code for bad in bad_ones} == {404}
    assert mallory.get("/figures/open/requests/?age=old").status_code == 404
    assert {ivy.get(path).status_code for path in ("/figures/", "/figures/open/", asked)} == {403}


def test_a_long_list_behind_a_figure_comes_in_pages(cast: Cast, enter: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [queued(cast) for _ in range(3)]
    stella = enter("stella")
    asked = f"/figures/requests/?{MARCH}&figure=received&urgency=all"
    monkeypatch.setattr(figure_requests, "PER_PAGE", 2)

    first = stella.get(asked).content.decode()
    following = unescape(re.findall(r'rel="next" href="([^"]+)"', first)[0])

    assert numbers(stella, asked) == {rows[2].number, rows[1].number}
    assert numbers(stella, f"/figures/requests/{following}") == {rows[0].number}


def test_a_clinics_frame_leads_to_the_figures_and_intakes_does_not(cast: Cast, enter: Door) -> None:
    row, stella = queued(cast), enter("stella")
    here = 'href="/figures/" aria-current="page"'

    elsewhere = stella.get(f"/prior-auths/{row.public_id}/").content.decode()

    assert ('href="/figures/"' in elsewhere, here in elsewhere) == (True, False)
    assert here in stella.get("/figures/open/requests/").content.decode()
    assert 'href="/figures/"' not in enter("ivy").get("/inbox/").content.decode()
