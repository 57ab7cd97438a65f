"""A whole case driven through the pages, as people drive it: from needed to approved, and other ways to an end."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from authz.prior_auths.models import Event, PriorAuth
from tests.cast import ANSWERS, Cast, detected, drafted, in_clinical_review, in_review, later, queued
from tests.notifications.stage import drain
from tests.web.conftest import Door
from tests.web.reading import Element, findings, read

pytestmark = pytest.mark.thorough

PREFILLED = ["req.type", "req.mme_daily", "req.days_used", "ex.reason"]
REASON = {"reason.code": "criteria-not-met", "reason.text": "Seven days suffice.", "reason.criterion": "2.3"}


def page(client: Client, prior_auth: PriorAuth) -> str:
    return unescape(client.get(f"/prior-auths/{prior_auth.public_id}/").content.decode())


def form_of(client: Client, prior_auth: PriorAuth, place: str) -> dict[str, str]:
    """Return the form's fields as the page holds them, ready to be filled in further and sent."""
    address = f"/prior-auths/{prior_auth.public_id}/{place}/"
    tree = read(client.get(f"/prior-auths/{prior_auth.public_id}/").content.decode())
    form = next(f for f in tree.all("form") if f.attributes.get("action") == address)
    return {name: value for name, value in (_field(e) for e in _fields(form)) if name and value is not None}


def _fields(form: Element) -> list[Element]:
    return [*form.all("input"), *form.all("textarea"), *form.all("select")]


def _field(e: Element) -> tuple[str, str | None]:
    name = e.attributes.get("name", "")
    if e.tag == "textarea":
        return name, e.text.strip()
    if e.tag == "select":
        chosen = [option for option in e.all("option") if "selected" in option.attributes]
        return name, chosen[0].attributes["value"] if chosen else ""
    if e.attributes.get("type") in {"checkbox", "radio"}:
        return name, e.attributes.get("value", "on") if "checked" in e.attributes else None
    return name, e.attributes.get("value", "")


def send(client: Client, prior_auth: PriorAuth, place: str, **typed: str) -> Any:
    """Fill in the form of the page and send it."""
    fields = form_of(client, prior_auth, place) | typed
    return client.post(f"/prior-auths/{prior_auth.public_id}/{place}/", fields)


def state(prior_auth: PriorAuth) -> str:
    return PriorAuth.objects.get(pk=prior_auth.pk).state


def typed_answers() -> dict[str, str]:
    """Return the cast's answers as a browser sends them."""
    return {name: value if isinstance(value, str) else "yes" if value else "no" for name, value in ANSWERS.items()}


def test_a_case_goes_from_needed_to_approved_through_the_pages(cast: Cast, enter: Door) -> None:
    prior_auth = detected(cast)
    stella, jones, rae = enter("stella"), enter("jones"), enter("rae")
    assert "Take up" in stella.get("/").content.decode()

    assert send(stella, prior_auth, "take-up").status_code == 302
    assert "Answer 10 questions" in stella.get("/").content.decode()
    send(stella, prior_auth, "answers", **typed_answers(), **{f"confirm.{name}": "on" for name in PREFILLED})
    assert "Ask the prescriber" in stella.get("/").content.decode()
    send(stella, prior_auth, "ask-prescriber", question="Please attest.")
    assert "Answer as the prescriber" in jones.get("/").content.decode()
    assert 'You were asked: <q class="written">Please attest.</q>' in page(jones, prior_auth)
    send(jones, prior_auth, "answer-prescriber", **{"pr.attest": "on"})
    assert "Submit to the insurer" in stella.get("/").content.decode()
    assert prior_auth.number not in rae.get("/?show=open").content.decode()
    send(stella, prior_auth, "submit", urgency="expedited", is_checked="on")
    assert "Claim" in rae.get("/?show=open").content.decode()
    send(rae, prior_auth, "claim")
    assert "Decide" in rae.get("/?show=open").content.decode()
    send(rae, prior_auth, "approve")

    assert state(prior_auth) == "decided"
    for client in (stella, jones, rae):
        seen = page(client, prior_auth)
        assert "Approved" in seen
        assert "AU-" in seen
        assert "Decision due" not in seen  # the clock has stopped
        assert "Done in time" in seen
        assert "Nothing from you now" in client.get("/?show=ended").content.decode()
    steps = Event.objects.filter(prior_auth=prior_auth).values_list("actor_name", "step")
    assert ("Stella Marsh", "submit") in steps
    assert ("Rae Quinn", "approve") in steps


def test_the_insurer_asks_and_the_clinic_answers_item_by_item(cast: Cast, enter: Door) -> None:
    prior_auth = in_review(cast)
    stella, rae = enter("stella"), enter("rae")

    send(rae, prior_auth, "ask", **{"question-1": "Which operation?", "question-3": "On which day?"})
    asked = list(prior_auth.information_requests.order_by("pk"))
    assert [row.question for row in asked] == ["Which operation?", "On which day?"]
    half = send(stella, prior_auth, "answer", **{str(asked[0].public_id): "The left knee."})
    assert half.status_code == 422
    assert "The left knee." in half.content.decode()
    send(stella, prior_auth, "answer", **{str(asked[0].public_id): "The left knee.", str(asked[1].public_id): "May 1"})

    assert state(prior_auth) == "in_review"
    assert "The left knee." in page(rae, prior_auth)


def test_a_physician_grants_a_part_and_the_page_shows_asked_beside_granted(cast: Cast, enter: Door) -> None:
    prior_auth = in_clinical_review(cast)
    patel = enter("patel")

    answer = send(patel, prior_auth, "approve-in-part", **REASON, **{"grants.1.days": "1", "grants.1.quantity": "4"})

    assert answer.status_code == 302, unescape(answer.content.decode())
    seen = page(patel, prior_auth)
    assert "Approved in part" in seen
    assert "Seven days suffice." in seen
    assert "10 days, quantity 40" in seen
    assert "1 day, quantity 4" in seen


def test_a_physician_denies_with_a_reason_and_the_clinic_reads_it(cast: Cast, enter: Door) -> None:
    prior_auth = in_clinical_review(cast)

    send(enter("patel"), prior_auth, "deny", **REASON)

    assert state(prior_auth) == "decided"
    seen = page(enter("stella"), prior_auth)
    assert "The decision: Denied" in seen
    assert "criterion: 2.3" in seen


def test_a_reviewer_refers_and_puts_back(cast: Cast, enter: Door) -> None:
    prior_auth = in_review(cast)
    rae = enter("rae")

    send(rae, prior_auth, "release", reason="End of shift.")
    assert state(prior_auth) == "queued"
    send(rae, prior_auth, "claim")
    send(rae, prior_auth, "refer", reason="Cannot approve in full.")

    assert state(prior_auth) == "clinical_review"
    assert "Nothing from you now" in rae.get("/?show=open").content.decode()
    assert "Decide" in enter("patel").get("/?show=open").content.decode()


def test_the_clinic_withdraws_with_a_reason(cast: Cast, enter: Door) -> None:
    prior_auth = queued(cast)

    refused = send(enter("stella"), prior_auth, "withdraw")
    assert refused.status_code == 422
    assert state(prior_auth) == "queued"
    send(enter("stella"), prior_auth, "withdraw", reason="The patient moved.")

    assert state(prior_auth) == "withdrawn"
    assert "The patient moved." in page(enter("rae"), prior_auth)


# -- refusals -----------------------------------------------------------------------------------------------------
def test_a_wrong_answer_keeps_what_was_typed_and_names_its_field(cast: Cast, enter: Door) -> None:
    prior_auth = detected(cast)
    stella = enter("stella")
    send(stella, prior_auth, "take-up")

    answer = send(stella, prior_auth, "answers", **{"dx.code": "bad pain", "pain.why_longer": "Too short"})

    seen = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert 'value="bad pain"' in seen
    assert "Too short" in seen
    assert 'href="#answers-dx.code"' in seen
    assert 'href="#answers-pain.why_longer"' in seen
    assert "<title>Error: " in seen
    assert findings(answer.content.decode()) == []


def test_a_prefilled_answer_counts_only_once_it_is_confirmed(cast: Cast, enter: Door) -> None:
    prior_auth = detected(cast)
    stella = enter("stella")
    send(stella, prior_auth, "take-up")

    send(stella, prior_auth, "answers", **{"dx.code": "M54.50"})
    assert "computed from the records; not confirmed yet" in page(stella, prior_auth)
    send(stella, prior_auth, "answers", **{"confirm.req.type": "on", "confirm.req.days_used": "on"})

    seen = page(stella, prior_auth)
    assert "computed from the records; confirmed" in seen
    assert 'name="confirm.req.days_used"' not in seen
    assert "Answer 7 questions" in seen


def test_submitting_too_early_names_every_missing_answer(cast: Cast, enter: Door) -> None:
    prior_auth = detected(cast)
    stella = enter("stella")
    send(stella, prior_auth, "take-up")

    answer = send(stella, prior_auth, "submit", is_checked="on")

    seen = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "Answer or confirm: Diagnosis" in seen
    assert "Answer or confirm: I attest" in seen
    assert state(prior_auth) == "draft"


def test_submitting_needs_the_tick(cast: Cast, enter: Door) -> None:
    prior_auth = drafted(cast)

    answer = send(enter("stella"), prior_auth, "submit", urgency="expedited")

    seen = answer.content.decode()
    assert answer.status_code == 422
    assert "Tick this before you submit." in seen
    assert re.search(r'name="urgency" value="expedited"[^>]* checked', seen)
    assert state(prior_auth) == "draft"


def test_a_page_seen_too_long_ago_changes_nothing_and_keeps_what_was_typed(cast: Cast, enter: Door) -> None:
    prior_auth = in_review(cast)
    rae = enter("rae")
    stale = form_of(rae, prior_auth, "ask") | {"question-1": "Which operation?", "version": "1"}

    answer = rae.post(f"/prior-auths/{prior_auth.public_id}/ask/", stale)

    seen = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody changed this request" in seen
    assert "Which operation?" in seen
    assert f'name="version" value="{PriorAuth.objects.get().version}"' in seen
    assert state(prior_auth) == "in_review"


def test_a_step_that_is_not_open_any_more_shows_what_was_written(cast: Cast, enter: Door) -> None:
    prior_auth = in_review(cast)
    rae = enter("rae")
    typed = form_of(rae, prior_auth, "ask") | {"question-1": "Which operation?"}
    send(rae, prior_auth, "approve")

    answer = rae.post(
        f"/prior-auths/{prior_auth.public_id}/ask/", typed | {"version": str(PriorAuth.objects.get().version)}
    )

    seen = answer.content.decode()
    assert answer.status_code == 409
    assert "This cannot be done now. Where the request is: Approved." in seen
    assert "Which operation?" in seen
    assert findings(seen) == []


def test_granting_more_than_was_asked_is_refused_at_the_line(cast: Cast, enter: Door) -> None:
    prior_auth = in_clinical_review(cast)
    patel = enter("patel")

    answer = send(patel, prior_auth, "approve-in-part", **REASON, **{"grants.1.days": "400"})

    seen = answer.content.decode()
    assert answer.status_code == 422
    assert "More is granted than was asked for." in seen
    assert 'value="400"' in seen
    assert 'href="#approve_in_part-grants.1.days"' in seen


def test_granting_nothing_or_nonsense_is_refused_by_name(cast: Cast, enter: Door) -> None:
    prior_auth = in_clinical_review(cast)
    patel = enter("patel")
    fields = form_of(patel, prior_auth, "approve-in-part")
    del fields["grants.1.is_granted"]
    address = f"/prior-auths/{prior_auth.public_id}/approve-in-part/"

    nothing = patel.post(address, fields | REASON).content.decode()
    backwards = send(patel, prior_auth, "approve-in-part", **REASON, **{"grants.1.ends_on": "2025-01-01"})
    empty = send(patel, prior_auth, "approve-in-part", **{"grants.1.days": ""}).content.decode()

    assert "that is a denial" in nothing
    assert "The grant ends before it starts." in backwards.content.decode()
    assert "Needed for a line that is granted." in empty
    assert "Choose a reason." in empty
    assert state(prior_auth) == "clinical_review"


def test_deciding_without_a_licence_is_refused_in_words(cast: Cast, enter: Door) -> None:
    prior_auth = in_clinical_review(cast)
    cast.people["patel"].licences.all().delete()

    answer = send(enter("patel"), prior_auth, "deny", **REASON)

    assert answer.status_code == 409
    assert "no licence that is valid today" in answer.content.decode()
    assert "Seven days suffice." in answer.content.decode()


def test_another_reviewers_lease_is_told_and_held(cast: Cast, enter: Door) -> None:
    prior_auth = queued(cast)
    send(enter("rae"), prior_auth, "claim")
    patel = enter("patel")

    assert "Rae Quinn has this request in hand" in page(patel, prior_auth)
    answer = send(patel, prior_auth, "approve")

    assert answer.status_code == 409
    assert "Another reviewer has this request in hand." in answer.content.decode()


@pytest.mark.parametrize("place", ["open", "retract", "nonsense"])
def test_steps_of_the_system_have_no_address(cast: Cast, enter: Door, place: str) -> None:
    prior_auth = detected(cast)

    answer = enter("stella").post(f"/prior-auths/{prior_auth.public_id}/{place}/", {"version": prior_auth.version})

    assert answer.status_code == 404


def test_going_back_to_a_steps_address_leads_to_the_request(cast: Cast, enter: Door) -> None:
    prior_auth = detected(cast)
    stella = enter("stella")

    for place in ("take-up", "answers"):
        answer = stella.get(f"/prior-auths/{prior_auth.public_id}/{place}/")

        assert answer.headers["Location"] == f"/prior-auths/{prior_auth.public_id}/"


def test_what_people_type_is_shown_and_never_run(cast: Cast, enter: Door) -> None:
    prior_auth = in_review(cast)

    send(enter("rae"), prior_auth, "refer", reason="<script>alert(1)</script>")

    seen = enter("patel").get(f"/prior-auths/{prior_auth.public_id}/").content.decode()
    assert "&lt;script&gt;alert(1)" in seen
    assert "<script>" not in seen


def test_a_request_that_is_answered_waits_in_the_inbox_until_it_is_acknowledged(cast: Cast, enter: Door) -> None:
    prior_auth = queued(cast)
    drain(later(1))
    rae = enter("rae")
    assert "1 unread" in rae.get("/?show=open").content.decode()
    tree = read(rae.get("/inbox/").content.decode())
    actions = [form.attributes["action"] for form in tree.all("form") if "/inbox/" in form.attributes["action"]]
    opening, acknowledging = actions

    opened = rae.post(opening)
    assert opened.headers["Location"] == f"/prior-auths/{prior_auth.public_id}/"
    assert "unread" not in rae.get("/?show=open").content.decode()
    assert "Waits for you" in rae.get("/inbox/").content.decode()
    rae.post(acknowledging)

    seen = rae.get("/inbox/").content.decode()
    assert "Waits for you" not in seen
    assert "Acknowledged" in seen
    assert enter("patel").post(acknowledging).status_code == 404
