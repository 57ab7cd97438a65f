"""What holds of every page for everybody: it is well made, it brings nothing foreign, and strangers see nothing."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from authz.ids import PriorAuthId
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import determinations, questions
from tests.cast import TODAY, Cast, detected, drafted, fill, in_clinical_review, in_review, key_of, later, queued
from tests.formulary.rrf import in_use
from tests.notifications.stage import drain
from tests.web.conftest import Door
from tests.web.reading import findings

pytestmark = pytest.mark.thorough


def info_requested(cast: Cast) -> PriorAuth:
    key = PriorAuthId(in_review(cast).public_id)
    return questions.ask(prior_auth_id=key, questions=["Which surgery?", "When?"], by=cast.rae, now=later(1))


def decided(cast: Cast) -> PriorAuth:
    return determinations.approve(prior_auth_id=key_of(in_review(cast)), by=cast.rae, now=later(1))


STATES: list[Callable[[Cast], PriorAuth]] = [
    detected, drafted, queued, in_review, info_requested, in_clinical_review, decided,
]  # fmt: skip


def address(prior_auth: PriorAuth) -> str:
    return f"/prior-auths/{prior_auth.public_id}/"


@pytest.mark.parametrize("name", ["stella", "jones", "rae", "patel", "mallory", "oscar"])
@pytest.mark.parametrize("path", ["/?show=open", "/?show=ended", "/?page=999", "/inbox/"])
def test_the_lists_are_well_made_for_every_role(cast: Cast, enter: Door, path: str, name: str) -> None:
    decided(cast)
    queued(cast)
    detected(cast)
    drain(later(1))

    answer = enter(name).get(path)

    assert answer.status_code == 200
    assert findings(answer.content.decode()) == []


@pytest.mark.parametrize("name", ["stella", "jones", "rae", "patel", "ivy", "nora"])
def test_all_that_the_frame_leads_to_opens_for_whoever_it_is_shown_to(cast: Cast, enter: Door, name: str) -> None:
    client = enter(name)
    frame = client.get("/inbox/").content.decode().partition('<nav aria-label="Main">')[2].partition("</nav>")[0]

    paths = [unescape(path) for path in re.findall(r'href="([^"]+)"', frame)]

    assert {path: client.get(path, follow=True).status_code for path in paths} == dict.fromkeys(paths, 200)
    assert len(paths) >= 2


@pytest.mark.parametrize("name", ["stella", "jones", "rae", "patel"])
@pytest.mark.parametrize("state", STATES)
def test_the_request_page_is_well_made_in_every_state(
    cast: Cast, enter: Door, state: Callable[[Cast], PriorAuth], name: str
) -> None:
    prior_auth = state(cast)
    is_hidden = prior_auth.submitted_at is None and name in {"rae", "patel"}

    answer = enter(name).get(address(prior_auth))

    assert answer.status_code == (404 if is_hidden else 200)
    assert findings(answer.content.decode()) == []


def test_the_request_page_tells_the_rule_the_count_and_the_way_out(cast: Cast, enter: Door) -> None:
    prior_auth = queued(cast)

    seen = unescape(enter("rae").get(address(prior_auth)).content.decode())

    assert "Why this needs authorization" in seen
    assert "Use beyond seven days (default, version 1)" in seen
    assert "Count it day by day" in seen
    assert "The fill of 2025-03-03 (" in seen
    assert "for 3 fewer days (7 instead of 10)" in seen


def test_a_request_opened_before_traces_were_kept_still_has_its_page(cast: Cast, enter: Door) -> None:
    prior_auth = detected(cast)
    kept = prior_auth.explanation
    policy = {name: kept["policy"][name] for name in ("code", "title", "source")}
    prior_auth.explanation = {"sentences": kept["sentences"], "policy": policy}
    prior_auth.save()

    answer = enter("stella").get(address(prior_auth))

    assert answer.status_code == 200
    assert "Use beyond seven days (default, version 1)" in answer.content.decode()
    assert findings(answer.content.decode()) == []


def test_the_patient_page_is_well_made(cast: Cast, enter: Door) -> None:
    patient = detected(cast).patient

    answer = enter("stella").get(f"/patients/{patient.public_id}/?as_of=2025-03-03")

    assert answer.status_code == 200
    assert findings(answer.content.decode()) == []


def test_what_a_patients_page_fetches_later_can_be_read_by_itself(cast: Cast, enter: Door) -> None:
    prior_auth = detected(cast)
    stella, path = enter("stella"), f"/patients/{prior_auth.patient.public_id}/"

    page = stella.get(path).content.decode()
    later_on = stella.get(f"{path}history/").content.decode()

    assert f'href="{path}history/"' in page
    assert f'hx-get="{path}history/"' in page
    assert prior_auth.number not in page
    assert f"Request {prior_auth.number} was opened." in later_on
    assert later_on.count('id="asked"') == later_on.count('id="happened"') == 1
    assert findings(later_on) == []


@pytest.mark.parametrize("name", ["mallory", "oscar"])
def test_strangers_see_a_page_like_any_that_does_not_exist(cast: Cast, enter: Door, name: str) -> None:
    prior_auth = decided(cast)
    client = enter(name)
    nothing = client.get("/prior-auths/00000000-0000-4000-8000-000000000000/")

    pages = [
        client.get(address(prior_auth)),
        client.post(f"{address(prior_auth)}withdraw/", {"reason": "x", "version": prior_auth.version}),
        client.post(f"{address(prior_auth)}answers/", {"version": prior_auth.version}),
        client.get(f"/patients/{prior_auth.patient.public_id}/"),
        client.get(f"/patients/{prior_auth.patient.public_id}/history/"),
    ]

    assert nothing.status_code == 404
    assert {page.status_code for page in pages} == {404}
    # The log-out form's token differs from page to page; everything else is the same.
    assert {page.content.split(b"<main")[1] for page in pages} == {nothing.content.split(b"<main")[1]}
    assert findings(pages[0].content.decode()) == []


@pytest.mark.parametrize("release", [None, "2026-11-03"])
def test_a_longer_list_asks_the_database_no_more_often(cast: Cast, enter: Door, release: str | None) -> None:
    client = enter("stella")
    if release:
        in_use(release)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get("/")
        return sum("SAVEPOINT" not in query["sql"] for query in asked)

    drafted(cast)
    short = queries()
    for state in (detected, queued, in_review, drafted):
        state(cast)

    assert queries() == short
    # Three tell who is there: the session, the person, and for whom they act; and one notes whose data was shown. A
    # release that was taken in is found by its version.
    assert short <= 8 + 4 + bool(release)


def test_a_patients_page_asks_no_more_often_with_more_records(cast: Cast, enter: Door) -> None:
    client, patient = enter("stella"), detected(cast).patient

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/patients/{patient.public_id}/{path}")
        return sum("SAVEPOINT" not in query["sql"] for query in asked)

    few, few_of_history = queries(""), queries("history/")
    for days in (30, 60, 90):
        fill(cast, patient, 2, on=TODAY + timedelta(days=days))

    assert queries("") <= few
    assert queries("history/") <= few_of_history
    # Four tell who is there: the session, the person, where they could act, and for whom they do.
    assert few <= 8 + 4


@pytest.mark.parametrize("name", ["mallory", "oscar"])
def test_strangers_lists_name_nothing_of_ours(cast: Cast, enter: Door, name: str) -> None:
    prior_auth = queued(cast)
    client = enter(name)

    seen = "".join(client.get(path, follow=True).content.decode() for path in ("/", "/?show=ended", "/inbox/"))

    assert prior_auth.number not in seen
    assert str(prior_auth.public_id) not in seen


@pytest.mark.parametrize(
    "path", ["/", "/inbox/", "/prior-auths/00000000-0000-4000-8000-000000000000/", "/log-in/organization/"]
)
def test_nobody_sees_a_page_without_logging_in(db: None, client: Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/log-in/")


def test_every_answer_allows_only_what_we_serve_ourselves(cast: Cast, enter: Door) -> None:
    client = enter("stella")

    for path in ("/", "/log-in/", "/nothing/here/", "/static/authz/pages.css"):
        answer = client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        answer.getvalue()  # reading a file to its end closes it

        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


def test_pages_about_patients_are_not_kept_on_the_way(cast: Cast, enter: Door) -> None:
    assert enter("stella").get("/").headers["Cache-Control"] == "no-store"


def test_the_stylesheet_is_small_and_brings_nothing_foreign(client: Client) -> None:
    sheet = client.get("/static/authz/pages.css").getvalue().decode()

    assert 1000 < len(sheet) <= 25 * 1024
    assert "http" not in sheet
    assert "@import" not in sheet


def test_a_sent_form_needs_its_token(cast: Cast, enter: Door) -> None:
    prior_auth = detected(cast)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = enter("stella").cookies

    answer = strict.post(f"{address(prior_auth)}take-up/", {"version": prior_auth.version})

    assert answer.status_code == 403
    assert "This page has expired" in answer.content.decode()
    assert findings(answer.content.decode()) == []
    assert PriorAuth.objects.get().state == "detected"


def test_the_pages_of_refusals_are_designed(cast: Cast, enter: Door, settings: LazySettings) -> None:
    client = enter("stella")
    client.raise_request_exception = False
    settings.ROOT_URLCONF = "tests.web.broken_urls"

    for path, status in (("/broken/", 500), ("/forbidden/", 403), ("/unreadable/", 400), ("/missing/", 404)):
        answer = client.get(path)

        assert answer.status_code == status
        assert findings(answer.content.decode()) == []


def test_the_strip_says_when_everything_is_invented(client: Client, db: None, settings: LazySettings) -> None:
    assert "Demonstration data" not in client.get("/log-in/").content.decode()

    settings.IS_DEMONSTRATION = True

    assert "Demonstration data" in client.get("/log-in/").content.decode()
