"""An insurer's policies on the pages: read by all its people, decided by two, tried out over history; and figures."""

from html import unescape

import pytest
from django.test import Client
from django.utils.html import strip_tags

from authz import clock
from authz.policies import catalog
from authz.policies.models import PayerPolicy, PayerReason
from authz.simulations import services as simulating
from tests.cast import Cast, approved, denied, fill, register
from tests.policies.office import Office, an_office
from tests.web.conftest import Door
from tests.web.reading import findings

DEFAULT = catalog.text_of(catalog.version_named("default", "1"))
OWN = DEFAULT.replace('code = "default"', 'code = "ev_ppo"')
ADDRESSES = [
    "/policies/", "/policies/?from=part_d_2019/2", "/policies/catalog/part_d_2019/2/", "/legal-clocks/", "/reasons/",
    "/reasons/?say=not-covered", "/figures/",
]  # fmt: skip


@pytest.fixture
def office(cast: Cast) -> Office:
    return an_office(cast)


def own(row: PayerPolicy, rest: str = "") -> str:
    return f"/policies/{row.public_id}/{rest}"


def drafted(client: Client) -> PayerPolicy:
    answer = client.post("/policies/", {"document": OWN})
    assert answer.status_code == 302, unescape(answer.content.decode())
    return PayerPolicy.objects.get()


@pytest.mark.parametrize("name", ["rae", "nora"])
def test_the_pages_are_well_made_for_who_reads_and_for_who_decides(cast: Cast, enter: Door, name: str) -> None:
    approved(cast)
    client = enter(name)

    pages = [client.get(address) for address in ADDRESSES]

    assert [page.status_code for page in pages] == [200] * len(ADDRESSES)
    assert [findings(page.content.decode()) for page in pages] == [[]] * len(ADDRESSES)
    assert ("Draft a policy" in pages[0].content.decode()) == (name == "nora")


def test_policies_are_the_insurers_alone(cast: Cast, enter: Door, office: Office) -> None:
    row = office.drafted()
    stella, oscar = enter("stella"), enter("oscar")

    assert {stella.get(address).status_code for address in ADDRESSES[:-1]} == {403}
    assert {oscar.get(own(row)).status_code, oscar.post(own(row, "activation/"), {"edition": 1}).status_code} == {404}
    assert row.code not in oscar.get("/policies/").content.decode()
    assert enter("rae").post("/policies/", {"document": OWN}).status_code == 403


def test_a_version_says_every_setting_with_its_source_and_runs_its_examples(cast: Cast, enter: Door) -> None:
    told = unescape(enter("rae").get("/policies/catalog/part_d_2019/2/").content.decode())

    assert "Days that need nothing: 7" in told
    assert "Not confirmed" in told
    assert "Examples, run just now" in told
    assert "Disagrees:" not in told


def test_the_days_on_which_a_version_is_in_force_are_words(cast: Cast, enter: Door) -> None:
    pages = [enter("rae").get(path).content.decode() for path in ("/policies/", "/legal-clocks/")]
    catalog_says, clocks_say = (unescape(strip_tags(page)) for page in pages)

    assert "Always" in catalog_says
    assert "From Jan 1, 2020" in catalog_says
    assert "Jan 1, 2019 to Dec 31, 2019" in catalog_says
    assert "In force always." in clocks_say


def test_a_draft_is_kept_and_activated_by_a_second_person(cast: Cast, enter: Door, office: Office) -> None:
    ada, ben = enter("ada"), enter("ben")
    row = drafted(ada)

    page = unescape(ada.get(own(row)).content.decode())
    alone = ada.post(own(row, "activation/"), {"edition": row.edition})
    unread = ben.post(own(row, "activation/"), {"edition": row.edition + 1})
    done = ben.post(own(row, "activation/"), {"edition": row.edition})

    assert "somebody else has to activate it" in page
    assert findings(page) == []
    assert "Somebody other than its author activates a policy." in alone.content.decode()
    assert "Read it as it is now." in unread.content.decode()
    row.refresh_from_db()
    assert (done.status_code, row.state) == (302, "active")
    assert findings(ben.get(own(row)).content.decode()) == []


def test_a_document_that_is_wrong_keeps_what_was_typed_and_names_the_place(
    cast: Cast, enter: Door, office: Office
) -> None:
    ada = enter("ada")
    wrong = OWN.replace("limit_days", "limit_dais")

    refused = ada.post("/policies/", {"document": wrong})
    broken = ada.post("/policies/", {"document": "code = "})

    told = unescape(refused.content.decode())
    assert refused.status_code == 422
    assert "parameters.limit_dais" in told
    assert "limit_dais = " in told
    assert findings(refused.content.decode()) == []
    assert "This is not TOML" in broken.content.decode()
    assert not PayerPolicy.objects.exists()


def test_a_draft_is_written_anew_and_an_active_policy_is_retired(cast: Cast, enter: Door, office: Office) -> None:
    ada, ben = enter("ada"), enter("ben")
    row = drafted(ada)
    again = OWN.replace('title = "Use beyond seven days"', 'title = "Ours"')

    ada.post(own(row, "rewriting/"), {"edition": row.edition, "document": again})
    row.refresh_from_db()
    ben.post(own(row, "activation/"), {"edition": row.edition})
    row.refresh_from_db()
    past = ada.post(own(row, "retirement/"), {"edition": row.edition, "retired_on": "2025-01-01"})
    ada.post(own(row, "retirement/"), {"edition": row.edition, "retired_on": "2099-01-01"})

    row.refresh_from_db()
    assert (row.title, row.state) == ("Ours", "retired")
    assert "where the policy has held already" in past.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_simulation_is_started_on_the_page_and_read_as_a_picture_and_a_table(
    cast: Cast, enter: Door, office: Office
) -> None:
    fill(cast, register(cast), 10)
    ada = enter("ada")
    row = drafted(ada)
    asked = {"since": "2025-01-01", "until": "2025-06-30", "minutes_a_request": "15"}

    nothing = ada.post(own(row, "simulations/"), asked)
    started = ada.post(own(row, "simulations/"), asked | {"plans": str(cast.plan.public_id)})
    waiting = ada.get(started.headers["Location"]).content.decode()
    too_early = ada.get(f"{started.headers['Location'].rstrip('/')}.csv")
    simulating.run_next(clock=clock.now)
    told = ada.get(started.headers["Location"]).content.decode()
    sheet = ada.get(f"{started.headers['Location'].rstrip('/')}.csv").content.decode()

    assert nothing.status_code == 422
    assert "no plan at all" in nothing.content.decode()
    assert 'hx-trigger="every 3s"' in waiting
    assert "hx-trigger" not in told
    assert "<svg" in told
    assert "Policy in force: at most 1, 03-03." in told
    assert '<time datetime="2025-03-03">' in told
    assert too_early.headers["Location"] == started.headers["Location"]
    assert sheet.startswith("week_of,requests_in_force,requests_under_this_one\r\n")
    assert "\r\n2025-03-03,1," in sheet
    assert [findings(page) for page in (waiting, told)] == [[], []]
    assert enter("oscar").get(started.headers["Location"]).status_code == 404


def test_a_reason_is_said_in_ones_own_words(cast: Cast, enter: Door) -> None:
    nora = enter("nora")
    said = {"code": "not-covered", "text": "We do not pay for it.", "criterion": "4.1", "would_change": "Another drug."}

    wrong = nora.post("/reasons/", said | {"code": "Not Covered"})
    nora.post("/reasons/", said)

    assert wrong.status_code == 422
    assert PayerReason.objects.get().text == "We do not pay for it."
    assert "Your own" in nora.get("/reasons/").content.decode()
    assert enter("rae").post("/reasons/", said).status_code == 403


def test_figures_are_drawn_told_and_taken_out(cast: Cast, enter: Door) -> None:
    approved(cast)
    denied(cast)
    nora = enter("nora")
    asked = "?since=2025-01-01&until=2025-04-30&period=month&urgency=all"

    page = nora.get(f"/figures/{asked}").content.decode()
    sheet = b"".join(nora.get(f"/figures.csv{asked}")).decode()
    backwards = nora.get("/figures/?since=2025-04-01&until=2025-03-01")

    assert "Received: at most 2, Mar 2025." in page
    assert "50.00 %" in page
    assert findings(page) == []
    assert sheet.startswith("payer,plan_code,plan,since,until,urgency,received")
    assert "Evergreen Health,,,2025-03-01,2025-03-31,all,2,2" in sheet
    assert (backwards.status_code, "ends before it begins" in backwards.content.decode()) == (422, True)
    assert findings(backwards.content.decode()) == []
    assert enter("ivy").get("/figures/").status_code == 403
