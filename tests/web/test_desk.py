"""The reviewer's desk: the queue, a case with all that speaks for and against it, and decisions made with care."""

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils.timezone import localtime

from authz import clock
from authz.prior_auths.models import PriorAuth, Skip
from authz.prior_auths.services import queue
from authz.web import formats
from tests.cast import (
    Cast,
    appeal_in_review,
    appeal_reviewer,
    approved,
    denied,
    in_clinical_review,
    in_review,
    incomplete,
    key_of,
    later,
    queued,
    with_document,
)
from tests.prior_auths.test_endings import reopened
from tests.prior_auths.test_specialties import specialists
from tests.web.conftest import Door
from tests.web.reading import Element, findings, read
from tests.web.test_whole_case import page


def address(prior_auth: PriorAuth, rest: str = "") -> str:
    return f"/desk/{prior_auth.public_id}/{rest}"


def seen(client: Client, prior_auth: PriorAuth) -> str:
    return unescape(client.get(address(prior_auth)).content.decode())


def fields_of(html: str, action: str) -> dict[str, str]:
    """Return what a form of the page would send, as a browser does without anybody typing."""
    form = next(form for form in read(html).all("form") if form.attributes.get("action") == action)
    return {e.attributes.get("name", ""): value for e in _fields(form) if (value := _value(e)) is not None}


def _fields(form: Element) -> list[Element]:
    return [*form.all("input"), *form.all("textarea"), *form.all("select")]


def _value(e: Element) -> str | None:
    if e.tag == "textarea":
        return e.text.strip()
    if e.tag == "select":
        chosen = [option.attributes["value"] for option in e.all("option") if "selected" in option.attributes]
        return chosen[0] if chosen else ""
    if e.attributes.get("type") in {"checkbox", "radio"}:
        return e.attributes.get("value", "on") if "checked" in e.attributes else None
    return e.attributes.get("value", "")


def send(client: Client, prior_auth: PriorAuth, place: str, **typed: str) -> Any:
    """Fill in a form of the case as it is shown now, and send it."""
    action = address(prior_auth, f"{place}/")
    return client.post(action, fields_of(client.get(address(prior_auth)).content.decode(), action) | typed)


def lines_in(html: str, caption: str) -> list[list[str]]:
    """Return what the first two cells of a table's rows say."""
    table = next(one for one in read(html).all("table") if one.all("caption")[0].text.startswith(caption))
    return [[cell.whole_text().strip() for cell in row.inside[:2]] for row in table.all("tbody")[0].all("tr")]


def lines_of(prior_auth: PriorAuth) -> list[list[str]]:
    return [[str(line.line), line.product_name] for line in prior_auth.lines.order_by("line")]


def offered(client: Client, prior_auth: PriorAuth) -> set[str]:
    """Return the steps that the desk offers for a case."""
    forms = read(client.get(address(prior_auth)).content.decode()).all("form")
    start = address(prior_auth)
    actions = {form.attributes.get("action", "") for form in forms}
    return {action.removeprefix(start).strip("/") for action in actions if action.startswith(start)}


def test_both_sides_see_what_is_left_of_an_authorization_and_when_it_is_renewed(
    cast: Cast, enter: Door, now: datetime
) -> None:
    prior_auth = approved(cast)

    case, request = seen(enter("rae"), prior_auth), page(enter("stella"), prior_auth)

    for html in (case, request):
        assert "In force" in html
        assert "Used of it: 10 days, quantity 40." in html
        assert f"{prior_auth.lines.get().product_name}: 10 days, quantity 40, " in html
        assert "Its renewal is prepared from" in html
        assert '<time datetime="2025-03-08">' in html


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["rae", "patel", "ivy", "nora", "oscar"])
def test_the_desk_is_well_made_for_everybody_of_an_insurer(cast: Cast, enter: Door, name: str) -> None:
    cases = [in_clinical_review(cast), with_document(cast), denied(cast)]
    client = enter(name)

    pages = [client.get(path) for path in ("/desk/", "/desk/?part=appeals", "/desk/?part=at-risk", "/desk/team/")]
    pages += [client.get(address(case)) for case in cases]

    assert [page.status_code for page in pages] == [200] * 4 + [404 if name == "oscar" else 200] * 3
    assert [findings(page.content.decode()) for page in pages] == [[]] * 7


def test_who_approves_what_does_not_meet_all_criteria_says_why(cast: Cast, enter: Door, now: datetime) -> None:
    prior_auth, rae = in_review(cast), enter("rae")
    beyond = {"findings": [{"kind": "mme_per_day", "reasons": ["120 MME a day."], "required_from": None}]}
    PriorAuth.objects.filter(pk=prior_auth.pk).update(explanation=prior_auth.explanation | beyond)

    asked = send(rae, prior_auth, "approve")
    send(rae, prior_auth, "approve", ground="beyond-criteria")

    assert asked.status_code == 422
    assert "Why is it approved?: Choose one." in unescape(asked.content.decode())
    assert prior_auth.determinations.get().reason_code == "beyond-criteria"


@pytest.mark.parametrize("name", ["stella", "mallory"])
def test_a_clinic_has_no_desk(cast: Cast, enter: Door, name: str) -> None:
    prior_auth, client = queued(cast), enter(name)

    statuses = {client.get(path).status_code for path in ("/desk/", "/desk/team/", address(prior_auth))}

    assert statuses <= {403, 404}


def test_another_insurer_can_do_nothing_with_a_case(cast: Cast, enter: Door) -> None:
    prior_auth, oscar = queued(cast), enter("oscar")

    sent = [oscar.post(address(prior_auth, f"{place}/"), {"version": 9}) for place in ("claim", "skip", "lease")]

    assert {answer.status_code for answer in sent} == {404}
    assert prior_auth.number not in oscar.get("/desk/").content.decode()


def test_the_case_says_when_it_is_due_and_why_and_what_to_judge_by(cast: Cast, enter: Door, now: datetime) -> None:
    prior_auth = with_document(cast)

    told = seen(enter("rae"), prior_auth)

    assert "Decision due in 2 days 23 hours" in told
    assert "Why is it due then?" in told
    assert "72 hours after the insurer received the standard request" in told
    assert "Was the prescription drug monitoring program (PDMP) checked?" in told
    assert "Not documented" in told
    assert "Borne out by document 1" in told
    assert "Note of the visit." in told  # the text of the document itself


def test_what_has_ended_is_not_told_as_if_it_would(cast: Cast, enter: Door) -> None:
    prior_auth = queued(cast)

    case, request = seen(enter("rae"), prior_auth), page(enter("stella"), prior_auth)

    for html in (case, request):
        assert "Supply ended" in html
        assert "Supply ends" not in html


def test_taking_the_next_one_leads_to_the_most_pressing_and_shows_the_lease_to_others(
    cast: Cast, enter: Door, now: datetime
) -> None:
    first, _second = queued(cast), queued(cast, now=later(0.5))
    rae, patel = enter("rae"), enter("patel")

    answer = rae.post("/desk/next/")

    assert answer.headers["Location"] == address(first)
    assert "You have it in hand for" in seen(rae, first)
    assert "has it in hand for 30 minutes more" in seen(patel, first).replace("<strong>Rae Quinn</strong> ", "")
    assert "approve" not in offered(patel, first)
    assert "Nothing waits for you now." not in seen(rae, first)


def test_the_queue_says_on_which_day_a_lease_ends_where_that_is_not_today(
    cast: Cast, enter: Door, now: datetime
) -> None:
    short, long = in_review(cast), in_review(cast)
    PriorAuth.objects.filter(pk=short.pk).update(leased_until=now + timedelta(minutes=5))
    PriorAuth.objects.filter(pk=long.pk).update(leased_until=now + timedelta(days=1))

    listed = seen(enter("rae"), short)

    ends = [localtime(now, ZoneInfo("America/New_York")) + timedelta(minutes=minutes) for minutes in (5, 24 * 60)]
    today, tomorrow = [f"{at.hour % 12 or 12}:{at:%M %p}" for at in ends]
    assert f">{today}</time>" in listed
    assert f">{ends[1]:%b} {ends[1].day}, {tomorrow}</time>" in listed


def test_the_lease_is_kept_by_a_sign_of_life_and_only_by_who_has_it(cast: Cast, enter: Door, now: datetime) -> None:
    prior_auth = in_review(cast, now=later(0.75))
    rae, patel = enter("rae"), enter("patel")

    kept = rae.post(address(prior_auth, "lease/"), headers={"HX-Request": "true"})
    refused = patel.post(address(prior_auth, "lease/"), follow=True)

    prior_auth.refresh_from_db()
    assert prior_auth.leased_until == now + timedelta(minutes=30)
    assert "You have it in hand for <strong>30 minutes</strong>" in kept.content.decode()
    assert "You do not have this request in hand" in refused.content.decode()


def test_what_is_skipped_goes_back_for_another(cast: Cast, enter: Door) -> None:
    now = clock.now()
    prior_auth = queue.claim(prior_auth_id=key_of(queued(cast, now=now)), by=cast.rae, now=now)
    rae = enter("rae")

    answer = send(rae, prior_auth, "skip", reason="I know the family.", then="next")

    prior_auth.refresh_from_db()
    assert (answer.status_code, prior_auth.state, prior_auth.reviewer) == (302, "queued", None)
    assert Skip.objects.get().reason == "I know the family."
    assert "Nothing waits for you now." in rae.get("/desk/").content.decode()


def test_only_what_the_reader_may_do_is_offered(cast: Cast, enter: Door) -> None:
    waiting, referred = queued(cast), in_clinical_review(cast)
    cast.people["patel"].licences.update(valid_until="2020-12-31", valid_from="2020-01-01")

    assert {"claim", "skip"} <= offered(enter("rae"), waiting)
    assert offered(enter("ivy"), waiting).isdisjoint({"claim", "skip", "approve", "deny", "return"})
    unlicensed = enter("patel")
    assert offered(unlicensed, referred).isdisjoint({"approve-in-part", "deny"})
    assert "takes a licence that is valid today" in seen(unlicensed, referred)


def test_a_physician_of_another_specialty_is_offered_no_denial_and_told_which_may(cast: Cast, enter: Door) -> None:
    specialists(cast, "addiction_medicine", "neurology")
    referred, patel = in_clinical_review(cast), enter("patel")

    assert {"approve", "take-in-hand"} <= offered(patel, referred)
    assert offered(patel, referred).isdisjoint({"approve-in-part", "deny"})
    assert "only these specialties decide against this request: addiction medicine, neurology" in seen(patel, referred)


def test_a_physician_is_offered_to_give_back_what_they_have_in_hand(cast: Cast, enter: Door) -> None:
    referred, patel = in_clinical_review(cast), enter("patel")

    assert "give-back" not in offered(patel, referred)
    queue.take_in_hand(prior_auth_id=key_of(referred), by=cast.patel, now=clock.now())
    assert "give-back" in offered(patel, referred)


def test_a_return_is_offered_where_the_regime_knows_it(cast: Cast, enter: Door) -> None:
    prior_auth = incomplete(cast)
    PriorAuth.objects.update(state="queued")

    assert "return" in offered(enter("ivy"), prior_auth)


def test_asking_says_before_what_the_clocks_will_say(cast: Cast, enter: Door, now: datetime) -> None:
    prior_auth, rae = in_review(cast), enter("rae")

    told = seen(rae, prior_auth)
    send(rae, prior_auth, "ask", **{"question-1": "Which operation?"})

    assert "The decision, if you ask now:" in told
    assert prior_auth.information_requests.get().question == "Which operation?"


def test_a_question_goes_to_whom_it_is_for_and_both_sides_see_by_when(cast: Cast, enter: Door, now: datetime) -> None:
    prior_auth, rae = in_review(cast, now=now), enter("rae")
    until = localtime(now + timedelta(hours=9), ZoneInfo("America/New_York"))
    said = {"question-2": "Do you taper?", "owner-2": "prescriber", "reply_by-2": f"{until:%Y-%m-%dT%H:%M}"}

    send(rae, prior_auth, "ask", **said)

    told = rf"For the prescriber, wanted by <time [^>]*>{re.escape(formats.moment(until))}"
    assert re.search(told, seen(rae, prior_auth))
    assert re.search(told, enter("stella").get(f"/prior-auths/{prior_auth.public_id}/").content.decode())


def test_a_time_that_is_too_late_is_told_at_its_field(cast: Cast, enter: Door, now: datetime) -> None:
    prior_auth, rae = in_review(cast, now=now), enter("rae")
    said = {"question-1": "When?", "question-2": "Which?", "reply_by-2": f"{now + timedelta(days=9):%Y-%m-%dT%H:%M}"}

    answer = send(rae, prior_auth, "ask", **said)

    assert answer.status_code == 422
    assert 'id="ask-reply_by-2_error"' in answer.content.decode()


def test_what_changed_meanwhile_is_told_and_nothing_is_overwritten(cast: Cast, enter: Door) -> None:
    prior_auth, rae = in_review(cast), enter("rae")
    form = fields_of(rae.get(address(prior_auth)).content.decode(), address(prior_auth, "refer/"))
    queue.reassign(
        prior_auth_id=key_of(prior_auth),
        person_id=cast.people["rae"].public_id,
        reason="Yours again.",
        by=cast.nora,
        now=later(0.2),
    )

    answer = rae.post(address(prior_auth, "refer/"), form | {"reason": "Not in full."})
    told = unescape(answer.content.decode())

    assert answer.status_code == 409
    assert "Somebody changed this case" in told
    assert "Handed to a colleague by Nora Brook." in told
    assert "Not in full." in told
    assert PriorAuth.objects.get(pk=prior_auth.pk).state == "in_review"


def test_a_decision_leads_to_the_next_case(cast: Cast, enter: Door) -> None:
    prior_auth, rae = in_review(cast), enter("rae")
    waiting = queued(cast)

    answer = send(rae, prior_auth, "approve", then="next")

    assert answer.headers["Location"] == address(waiting)
    assert PriorAuth.objects.get(pk=prior_auth.pk).state == "decided"


def test_the_shortcuts_can_be_switched_off_for_the_session(cast: Cast, enter: Door) -> None:
    prior_auth, rae = in_review(cast), enter("rae")
    assert 'data-shortcuts="on"' in seen(rae, prior_auth)

    rae.post("/desk/shortcuts/", {"shortcuts": "off", "case": str(prior_auth.public_id)})

    told = seen(rae, prior_auth)
    assert "data-shortcuts" not in told
    assert "Keyboard shortcuts: off" in told
    assert "<kbd>" not in told


def test_an_appeal_is_decided_at_the_desk_by_somebody_else(cast: Cast, enter: Door) -> None:
    prior_auth, uma = denied(cast), appeal_reviewer(cast)
    appeal = appeal_in_review(cast, prior_auth, by=uma, now=clock.now())
    client, place = enter("uma"), f"appeals/{appeal.public_id}"

    assert prior_auth.number in client.get("/desk/?part=appeals").content.decode()
    assert not any(step.startswith("appeals") for step in offered(enter("patel"), prior_auth))
    answer = send(client, prior_auth, f"{place}/overturn", reason="The plan was there.")

    assert answer.status_code == 302, unescape(answer.content.decode())
    appeal.refresh_from_db()
    assert (appeal.state, appeal.decision.outcome) == ("decided", "overturned")


def test_a_call_is_offered_and_concluded_at_the_desk(cast: Cast, enter: Door) -> None:
    prior_auth, rae = in_review(cast), enter("rae")
    soon = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")

    late = send(rae, prior_auth, "offer-call", **{"time-1": "2020-01-01T10:00"})
    send(rae, prior_auth, "offer-call", **{"time-1": soon})
    call = prior_auth.calls.get()
    send(rae, prior_auth, f"calls/{call.public_id}/conclude", outcome="not_held", reason="Nobody picked up.")

    assert late.status_code == 422
    assert call.times.count() == 1
    call.refresh_from_db()
    assert call.state == "concluded"


def test_who_decided_against_a_reopened_request_is_not_offered_to_take_it(cast: Cast, enter: Door) -> None:
    again = reopened(cast, denied(cast), by=cast.nora)
    queue.release_expired(now=later(1))

    patel = enter("patel")

    assert offered(patel, again).isdisjoint({"claim", "skip"})
    assert "You decided against this request before" in patel.get(address(again)).content.decode()
    assert "claim" in offered(enter("rae"), again)
