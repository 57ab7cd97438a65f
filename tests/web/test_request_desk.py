"""The request's page as the staff work on it: saved as they type, how it will pass, what the insurer will see."""

from datetime import timedelta
from html import unescape
from typing import Any

from django.test import Client
from django.utils import timezone

from authz.prior_auths.models import Appeal, Call, PriorAuth
from authz.prior_auths.services import calling
from authz.prior_auths.services import request as clinic
from tests import cast as stage
from tests.cast import ANSWERS, NOW, Cast, detected, drafted, key_of, later, queued
from tests.prior_auths.test_approval_by_rule import automated
from tests.prior_auths.test_endings import two_requests
from tests.web.conftest import Door
from tests.web.reading import findings, read
from tests.web.test_whole_case import form_of, page, send, state

PART = {"HTTP_HX_REQUEST": "true"}


def taken_up(cast: Cast) -> PriorAuth:
    prior_auth = detected(cast)
    return clinic.take_up(prior_auth_id=key_of(prior_auth), by=cast.stella, now=NOW)


def typed(client: Client, prior_auth: PriorAuth, **fields: str) -> Any:
    """Send what the form holds as it is typed, the way htmx does."""
    sent = form_of(client, prior_auth, "answers") | fields
    return client.post(f"/prior-auths/{prior_auth.public_id}/answers/", sent, **PART)


def told(answer: Any) -> str:
    return unescape(answer.content.decode())


def test_what_is_typed_is_saved_and_the_rest_of_the_page_can_go_on(cast: Cast, enter: Door) -> None:
    prior_auth, stella = taken_up(cast), enter("stella")
    before = page(stella, prior_auth)

    answer = typed(stella, prior_auth, **{"dx.code": "S82.201A"})

    prior_auth.refresh_from_db()
    assert "Saved" in told(answer)
    assert f'value="{prior_auth.version}" id="version-answers"' in told(answer)
    assert f'value="{prior_auth.version}" id="version-ask_prescriber"' in told(answer)
    assert 'id="version-ask_prescriber"' in before
    assert "S82.201A" in page(stella, prior_auth)


def test_what_cannot_be_saved_as_it_is_typed_is_named_and_changes_nothing(cast: Cast, enter: Door) -> None:
    prior_auth, stella = taken_up(cast), enter("stella")
    old = form_of(stella, prior_auth, "answers")

    wrong = typed(stella, prior_auth, **{"dx.code": "bad pain"})
    typed(stella, prior_auth, **{"dx.code": "S82.201A"})
    late = stella.post(f"/prior-auths/{prior_auth.public_id}/answers/", old | {"dx.code": "M54.50"}, **PART)

    assert "Not saved yet." in told(wrong)
    assert 'href="#answers-dx.code"' in told(wrong)
    assert "Somebody changed this request meanwhile." in told(late)
    assert "S82.201A" in page(stella, prior_auth)


def test_who_comes_too_late_is_told_what_changed_meanwhile(cast: Cast, enter: Door) -> None:
    prior_auth, stella, jones = taken_up(cast), enter("stella"), enter("jones")
    old = form_of(stella, prior_auth, "answers")
    send(jones, prior_auth, "answers", **{"dx.code": "S82.201A"})

    refused = stella.post(f"/prior-auths/{prior_auth.public_id}/answers/", old | {"dx.code": "M54.50"})

    assert refused.status_code == 409
    assert findings(refused.content.decode()) == []
    assert "What changed meanwhile" in told(refused)
    assert "Answered by Dr Jones: " in told(refused)
    assert 'value="M54.50"' in told(refused)


def test_the_page_says_criterion_by_criterion_whether_it_will_pass(cast: Cast, enter: Door) -> None:
    prior_auth, stella = taken_up(cast), enter("stella")

    before = standings(page(stella, prior_auth))
    send(stella, prior_auth, "answers", **{"dx.code": "S82.201A"})
    after = standings(page(stella, prior_auth))

    diagnosis = next(name for name in before if "ICD-10" in name)
    assert before[diagnosis] == "Not documented"
    assert after[diagnosis] == "Met"
    assert "Met" not in before.values()


def standings(html: str, caption: str = "What the insurer needs") -> dict[str, str]:
    tables = [table for table in read(html).all("table") if caption in table.whole_text()]
    rows = [row for table in tables for row in table.all("tr")[1:]]
    return {row.all("th")[0].whole_text().strip(): row.all("td")[-1].all("span")[0].text for row in rows}


def test_what_a_policy_approves_by_rule_is_told_beforehand(cast: Cast, enter: Door) -> None:
    automated(cast, fresh_days=4000)
    prior_auth, stella = drafted(cast), enter("stella")

    passes = standings(page(stella, prior_auth), "Approved without a reviewer")
    send(stella, prior_auth, "answers", **{"pdmp.checked": "no"})
    seen = page(stella, prior_auth)

    assert set(passes.values()) == {"Met"}
    assert sorted(standings(seen, "Approved without a reviewer").values()) == ["Met", "Met", "Not met"]
    assert "Yes, by rule" not in seen


def test_the_preview_is_what_the_insurer_will_see_and_nothing_private(cast: Cast, enter: Door) -> None:
    prior_auth = drafted(cast)
    stella, rae = enter("stella"), enter("rae")
    address = f"/prior-auths/{prior_auth.public_id}/preview/"

    before = stella.get(address)
    hidden = rae.get(address)
    clinic.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=NOW)
    after = rae.get(address)

    assert findings(before.content.decode()) == findings(after.content.decode()) == []
    assert "Nothing is sent yet." in told(before)
    assert str(ANSWERS["pain.why_longer"]) in told(before)
    assert hidden.status_code == 404
    assert "Computed when it is submitted" not in told(after)
    assert str(ANSWERS["pain.why_longer"]) in told(after)


def test_the_clocks_say_what_is_due_and_who_waits_for_whom(cast: Cast, enter: Door) -> None:
    seen = page(enter("stella"), queued(cast))

    assert "The clinic waits for the insurer" in seen
    assert "72 hours" in seen


def test_the_clinic_appeals_and_takes_the_appeal_back(cast: Cast, enter: Door) -> None:
    denied, stella = stage.denied(cast), enter("stella")
    address = f"/prior-auths/{denied.public_id}/"

    empty = stella.post(f"{address}appeals/", {"urgency": "standard", "reason": ""})
    filed = stella.post(f"{address}appeals/", {"urgency": "expedited", "reason": "It hurts.", "good_cause": "Flood."})
    appeal = Appeal.objects.get(prior_auth=denied)
    step = f"{address}appeals/{appeal.public_id}/withdraw/"
    late = stella.post(step, {"version": appeal.version + 1, "reason": "It is better."})
    taken_back = stella.post(step, {"version": appeal.version, "reason": "It is better."})

    assert empty.status_code == 422
    assert "Write something here." in told(empty)
    assert findings(empty.content.decode()) == []
    assert filed.status_code == taken_back.status_code == 302
    assert late.status_code == 409
    assert "It is better." in told(late)
    assert findings(late.content.decode()) == []
    appeal.refresh_from_db()
    assert (appeal.state, appeal.urgency) == ("withdrawn", "expedited")


def test_the_clinic_agrees_on_a_call_or_proposes_other_times(cast: Cast, enter: Door) -> None:
    denied, jones = stage.denied(cast), enter("jones")
    soon = timezone.now().replace(microsecond=0) + timedelta(days=2)
    calling.offer(prior_auth_id=key_of(denied), times=[soon], by=cast.patel, now=NOW)
    call = Call.objects.get(prior_auth=denied)
    address = f"/prior-auths/{denied.public_id}/calls/{call.public_id}/"

    none = jones.post(f"{address}accept/", {"version": call.version})
    past = jones.post(f"{address}propose-times/", {"version": call.version, "times[0]": "2020-01-01T10:00"})
    time = call.times.get()
    agreed = jones.post(f"{address}accept/", {"version": call.version, "time_id": str(time.public_id)})

    assert none.status_code == past.status_code == 422
    assert "Choose a time." in told(none)
    assert 'value="2020-01-01T10:00"' in told(past)
    assert findings(past.content.decode()) == []
    assert agreed.status_code == 302
    call.refresh_from_db()
    assert call.starts_at == soon


def test_what_belongs_to_another_request_is_not_there(cast: Cast, enter: Door) -> None:
    denied, other = stage.denied(cast), queued(cast)
    calling.offer(prior_auth_id=key_of(denied), times=[later(24)], by=cast.patel, now=NOW)
    call = Call.objects.get(prior_auth=denied)
    jones, mallory = enter("jones"), enter("mallory")

    elsewhere = jones.post(
        f"/prior-auths/{other.public_id}/calls/{call.public_id}/decline/", {"version": 1, "reason": "x"}
    )
    stranger = mallory.post(
        f"/prior-auths/{denied.public_id}/calls/{call.public_id}/decline/", {"version": 1, "reason": "x"}
    )
    nothing = jones.post(f"/prior-auths/{denied.public_id}/calls/{call.public_id}/conclude/", {"version": 1})

    assert {elsewhere.status_code, stranger.status_code, nothing.status_code} == {404}


def test_a_duplicate_is_linked_to_one_of_the_patients_other_requests(cast: Cast, enter: Door) -> None:
    first, second = two_requests(cast)
    stella = enter("stella")

    seen = page(stella, second)
    linked = send(stella, second, "link-duplicate", survivor=str(first.public_id))

    assert f'<option value="{first.public_id}">{first.number}' in seen
    assert linked.status_code == 302
    assert state(second) == "duplicate"


def test_a_request_for_exempt_use_is_told_what_to_do_and_closes_with_the_exemption(cast: Cast, enter: Door) -> None:
    prior_auth, stella, jones = drafted(cast, now=timezone.now()), enter("stella"), enter("jones")
    send(stella, prior_auth, "answers", **{"ex.reason": "hospice"})
    send(stella, prior_auth, "answers", **{"ex.evidence": "Z51.5", "ex.start": "2025-02-01"})
    send(jones, prior_auth, "answers", **{"pr.attest": "yes", "confirm.pr.attest": "on"})

    refused = send(stella, prior_auth, "submit", is_checked="on")
    send(stella, prior_auth, "record-exemption")

    assert refused.status_code == 422
    assert "The payer's policy exempts this: record the exemption instead, or correct this answer." in told(refused)
    assert state(prior_auth) == "lapsed"
    assert findings(page(stella, prior_auth)) == []


def test_an_important_answer_that_was_sent_too_old_says_so_on_the_page(cast: Cast, enter: Door) -> None:
    prior_auth = queued(cast)
    assert prior_auth.packet is not None
    prior_auth.packet["answers"][0]["is_stale"] = True
    prior_auth.save()

    assert page(enter("rae"), prior_auth).count("older than the payer asks for") == 1
