"""Every page is well made for everybody: readable, reachable, quiet, in any width and light."""

import pytest

from tests.browser.conftest import Look
from tests.browser.looking import Scheme, Window

STAFF, PRESCRIBER = "stella@riverside.example", "jones@riverside.example"
STRANGER = "mallory@hillside.example"
CARD = {"plan": "Evergreen Health: Evergreen PPO", "member": "EV-700101", "born": "1968-04-11"}  # RV-2001's
ADMINISTRATOR = "priya@riverside.example"
REVIEWER, PHYSICIAN, INSURER_ADMIN = "rae@evergreen.example", "patel@evergreen.example", "noor@evergreen.example"


def worklist(window: Window) -> None:
    window.go("/")


def everything(window: Window) -> None:
    window.go("/?show=all")


def narrowed(window: Window) -> None:
    window.go("/?show=all&ball=insurer&state=queued")


def nothing_found(window: Window) -> None:
    window.go("/")
    window.page.get_by_role("searchbox").fill("Nobody")
    window.page.get_by_role("button", name="Search").click()
    window.page.get_by_text("Nothing matches.").wait_for()


def not_known(window: Window) -> None:
    window.go("/?payer=somebody")


def patient(window: Window) -> None:
    window.go("/").locator(".whom a").first.click()


def planned(window: Window) -> None:
    patient(window)
    window.page.get_by_label("Days' supply").fill("10")
    window.page.get_by_role("button", name="See what would hold").click()
    window.page.locator("#planned .answer").wait_for()


def request_page(window: Window) -> None:
    window.go("/?state=draft").locator(".number").first.click()


def request_decided(window: Window) -> None:
    window.go("/?show=all").get_by_role("row").filter(has_text="Denied").locator(".number").first.click()


def preview(window: Window) -> None:
    request_page(window)
    window.page.get_by_role("link", name="See exactly what the insurer will see").first.click()


def refused(window: Window) -> None:
    request_page(window)
    window.page.locator('[name="dx.code"]').fill("pain")
    window.page.get_by_role("button", name="Save the answers").click()
    window.page.locator(".faults").wait_for()


def history(window: Window) -> None:
    patient(window)
    window.page.wait_for_url("**/patients/**")
    window.go(f"{window.page.url.removeprefix(window.address)}history/")


def desk(window: Window) -> None:
    window.go("/desk/")


def case(window: Window) -> None:
    window.go("/desk/?part=team").locator(".queue ol a", has_text="PA-").first.click()
    window.page.locator("#decide").wait_for()


def case_to_decide(window: Window) -> None:
    window.go("/desk/").locator(".queue li", has_text="With a physician").first.locator("a").click()
    window.page.get_by_text("Approve in part", exact=False).first.click()
    window.page.locator('[name="grants.1.days"]').wait_for()


def notice_to_read(window: Window) -> None:
    case_to_decide(window)
    window.page.locator('[name="grants.1.days"]').fill("2")
    window.page.locator('#approve_in_part [name="reason.code"]').select_option("shorter-period")
    window.page.get_by_role("button", name="Read the notice first").first.click()
    window.page.get_by_text("This is the notice, word by word.").wait_for()


def refused_decision(window: Window) -> None:
    case_to_decide(window)
    window.page.get_by_role("button", name="Read the notice first").first.click()
    window.page.get_by_text("Nothing was changed yet").wait_for()


def appeals(window: Window) -> None:
    window.go("/desk/?part=appeals")


def team(window: Window) -> None:
    window.go("/desk/team/")


def second_readings(window: Window) -> None:
    window.go("/desk/second-readings/")


def read_already(window: Window) -> None:
    window.go("/desk/second-readings/?show=read")


def policies(window: Window) -> None:
    window.go("/policies/?from=default/1")


def policy(window: Window) -> None:
    window.go("/policies/catalog/part_d_2019/2/")


def refused_policy(window: Window) -> None:
    policies(window)
    window.page.get_by_role("button", name="Keep the draft").click()
    window.page.get_by_text("Nothing was changed yet").wait_for()


def regimes(window: Window) -> None:
    window.go("/legal-clocks/").locator("details summary").first.click()


def reasons(window: Window) -> None:
    window.go("/reasons/?say=not-covered")


def figures(window: Window) -> None:
    window.go("/figures/")


def behind_figure(window: Window) -> None:
    figures(window)
    window.page.locator(".matrix a").first.click()
    window.page.locator("#behind").wait_for()


def open_by_age(window: Window) -> None:
    window.go("/figures/open/")


def clinic_work(window: Window) -> None:
    window.go("/figures/work/")


def all_requests(window: Window) -> None:
    window.go("/?show=open")


def inbox(window: Window) -> None:
    window.go("/inbox/")


def settings(window: Window) -> None:
    window.go("/inbox/settings/")


def people(window: Window) -> None:
    window.go("/organization/people/")


def invited(window: Window) -> None:
    people(window)
    window.page.get_by_label("E-mail address").fill("new@riverside.example")
    window.page.get_by_label("Clinic staff").check()
    window.page.get_by_role("button", name="Invite", exact=True).click()
    window.page.get_by_text("new@riverside.example is invited").wait_for()


def contact(window: Window) -> None:
    window.go("/organization/contact/")


def licences(window: Window) -> None:
    window.go("/organization/licences/")


def webhooks(window: Window) -> None:
    window.go("/organization/webhooks/")


def messages(window: Window) -> None:
    window.go("/organization/messages/")


def open_in_emergency(window: Window) -> None:
    window.go("/emergency-access/open/")


def emergency_refused(window: Window) -> None:
    open_in_emergency(window)
    window.page.get_by_role("button", name="Open the record").click()
    window.page.get_by_text("Nothing was changed yet").wait_for()


def patient_in_emergency(window: Window) -> None:
    """Open Riverside's patient at Hillside, as the card of the demonstration names them."""
    open_in_emergency(window)
    window.page.get_by_label("Insurance plan").select_option(label=CARD["plan"])
    window.page.get_by_label("Member's number").fill(CARD["member"])
    window.page.get_by_label("Day of birth").fill(CARD["born"])
    window.page.get_by_label("Why do you need").fill("Unconscious in our emergency room.")
    window.page.get_by_label("I need it to treat").check()
    window.page.get_by_role("button", name="Open the record").click()
    window.page.get_by_text("Open to you until").wait_for()


def team_of_one(window: Window) -> None:
    team(window)
    window.page.get_by_role("link", name="Rae Quinn").click()


def trail(window: Window) -> None:
    window.go("/organization/trail/")


def emergencies(window: Window) -> None:
    window.go("/emergency-access/")


def caught(window: Window) -> None:
    window.go("/demo/webhooks/")


def log_in(window: Window) -> None:
    window.go("/log-in/")


def no_such_page(window: Window) -> None:
    window.go("/patients/00000000-0000-4000-8000-000000000000/")


PAGES = {
    "worklist": (worklist, STAFF),
    "worklist-all": (everything, STAFF),
    "worklist-narrowed": (narrowed, STAFF),
    "worklist-nothing-found": (nothing_found, STAFF),
    "worklist-filter-not-known": (not_known, STAFF),
    "patient": (patient, PRESCRIBER),
    "patient-planned": (planned, STAFF),
    "patient-history": (history, PRESCRIBER),
    "request": (request_page, STAFF),
    "request-refused": (refused, STAFF),
    "request-decided": (request_decided, STAFF),
    "preview": (preview, STAFF),
    "desk": (desk, REVIEWER),
    "desk-case": (case, PHYSICIAN),
    "desk-decide": (case_to_decide, PHYSICIAN),
    "desk-notice": (notice_to_read, PHYSICIAN),
    "desk-refused": (refused_decision, PHYSICIAN),
    "desk-appeals": (appeals, REVIEWER),
    "desk-team": (team, INSURER_ADMIN),
    "desk-team-of-one": (team_of_one, INSURER_ADMIN),
    "second-readings": (second_readings, REVIEWER),
    "second-readings-read": (read_already, INSURER_ADMIN),
    "all-requests": (all_requests, REVIEWER),
    "policies": (policies, INSURER_ADMIN),
    "policy": (policy, INSURER_ADMIN),
    "policy-refused": (refused_policy, INSURER_ADMIN),
    "legal-clocks": (regimes, INSURER_ADMIN),
    "reasons": (reasons, INSURER_ADMIN),
    "figures": (figures, INSURER_ADMIN),
    "figures-of-clinic": (figures, STAFF),
    "figure-requests": (behind_figure, STAFF),
    "open-by-age": (open_by_age, INSURER_ADMIN),
    "clinic-work": (clinic_work, ADMINISTRATOR),
    "inbox": (inbox, PRESCRIBER),
    "inbox-settings": (settings, PRESCRIBER),
    "people": (people, ADMINISTRATOR),
    "people-invited": (invited, ADMINISTRATOR),
    "contact": (contact, INSURER_ADMIN),
    "licences": (licences, INSURER_ADMIN),
    "webhooks": (webhooks, ADMINISTRATOR),
    "messages": (messages, ADMINISTRATOR),
    "open-in-emergency": (open_in_emergency, STRANGER),
    "emergency-refused": (emergency_refused, STRANGER),
    "patient-in-emergency": (patient_in_emergency, STRANGER),
    "trail": (trail, ADMINISTRATOR),
    "trail-of-insurer": (trail, INSURER_ADMIN),
    "emergencies": (emergencies, ADMINISTRATOR),
    "caught-webhooks": (caught, ADMINISTRATOR),
    "log-in": (log_in, ""),
    "no-such-page": (no_such_page, STAFF),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_well_made(look: Look, name: str, width: int, scheme: Scheme) -> None:
    show, who = PAGES[name]
    window = look(who, width=width, scheme=scheme)

    show(window)
    window.page.wait_for_load_state("networkidle")
    window.keep_picture(f"{name}-{width}-{scheme}")

    # The browser itself says in the console that an answer was not 200; that is what was asked for.
    expected = {
        "no-such-page": "404",
        "request-refused": "422",
        "desk-refused": "422",
        "policy-refused": "422",
        "emergency-refused": "422",
    }.get(name)
    window.wrong = [wrong for wrong in window.wrong if expected is None or expected not in wrong]
    assert window.axe() == []
    assert window.overflow() <= 0


@pytest.mark.parametrize("name", PAGES)
def test_everything_on_a_page_is_reached_by_the_keyboard(look: Look, name: str) -> None:
    show, who = PAGES[name]
    window = look(who)
    show(window)
    window.page.wait_for_load_state("networkidle")

    unreached = window.out_of_reach()

    window.wrong = [wrong for wrong in window.wrong if "404" not in wrong and "422" not in wrong]
    assert unreached == []


def test_the_notice_to_be_read_is_seen_whole(look: Look) -> None:
    window = look(PHYSICIAN)

    notice_to_read(window)

    hidden = window.page.locator(".paper").first.evaluate("paper => paper.scrollWidth - paper.clientWidth")
    assert hidden <= 0


def test_a_filter_narrows_the_list_in_its_place_and_going_back_works(look: Look) -> None:
    page = look(STAFF).go("/")
    everything = page.locator("#list .found").inner_text()

    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Who has the ball").select_option("insurer")
    page.wait_for_url("**ball=insurer**")
    narrowed = page.locator("#list .found").inner_text()
    page.go_back()
    page.wait_for_url(lambda url: "ball" not in url)
    page.get_by_text(everything, exact=True).wait_for()

    assert narrowed.split()[0] != everything.split()[0]


def test_a_session_that_ended_leads_the_whole_page_to_the_log_in(look: Look) -> None:
    window = look(STAFF)
    page = window.go("/")
    page.get_by_text("Filters", exact=True).click()
    window.context.clear_cookies()

    page.get_by_label("Who has the ball").select_option("insurer")
    page.wait_for_url("**/log-in/?next=/**")

    assert page.get_by_role("heading", level=1).inner_text() == "Log in"


def test_without_javascript_the_pages_do_the_same(look: Look) -> None:
    page = look(STAFF, javascript=False).go("/?show=all")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Who has the ball").select_option("insurer")
    page.get_by_role("button", name="Show", exact=True).click()
    assert "ball=insurer" in page.url

    page.locator(".whom a").first.click()
    page.get_by_label("Days' supply").fill("3")
    page.get_by_role("button", name="See what would hold").click()

    assert page.locator("#planned .answer").is_visible()


def test_the_slider_shows_what_was_known_before(look: Look) -> None:
    page = look(STAFF).go("/")
    page.locator(".whom a").first.click()
    page.get_by_label("Days back").focus()

    page.keyboard.press("End")
    page.get_by_text("No order and no fill is known.").wait_for()

    assert page.locator("#known h2", has_text="Needs no authorization").is_visible()
