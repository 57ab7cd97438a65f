"""The page of a request tells what follows its decision: until when to appeal, the appeal, the peer-to-peer call."""

from html import unescape

from django.test import Client

from authz import clock
from authz.ids import AppealId
from authz.policies.history import Happened, What
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import appeal_decisions, appealing, calling
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later
from tests.documentation.samples import TEXT
from tests.notifications.stage import drain
from tests.prior_auths.test_appeals import REASON
from tests.web.conftest import Door
from tests.web.reading import findings
from tests.web.test_documentation import attach


def page(client: Client, request: PriorAuth) -> str:
    answer = client.get(f"/prior-auths/{request.public_id}/")
    assert answer.status_code == 200
    assert findings(answer.content.decode()) == []
    return unescape(answer.content.decode())


def test_the_page_tells_an_appeal_from_its_filing_to_its_end(cast: Cast, enter: Door) -> None:
    cast.plan.regime = "part_d"
    cast.plan.save()
    uma, denied, stella = stage.appeal_reviewer(cast), stage.denied(cast), enter("stella")
    before = page(stella, denied)
    filed = appealing.file(
        prior_auth_id=key_of(denied),
        urgency=Urgency.EXPEDITED,
        reason="He is in pain.",
        good_cause="The office was flooded.",
        notices=[Happened(What.NOTICE_DELIVERED, NOW)],
        by=cast.stella,
        now=later(24 * 90),
    )
    during = page(stella, denied)
    key = AppealId(filed.public_id)
    appealing.receive(appeal_id=key, by=cast.ivy, now=later(24 * 90))
    appealing.take_in_hand(appeal_id=key, by=uma, now=later(24 * 90))
    appeal_decisions.uphold(appeal_id=key, reason=REASON, by=uma, now=later(24 * 90))
    after = page(enter("uma"), denied)

    assert "The decision can be appealed" in before
    assert "Not running yet: 60 calendar days after receipt of the notice" in before
    assert "The decision can be appealed" not in during
    for said in (
        "Appeal: Filed",
        "He is in pain.",
        "The office was flooded.",
        "Filed late, for good cause",
        "Why: Due",
    ):
        assert said in during
    assert "Upheld: the decision stands" in after
    assert "Next: the independent reviewer (42 CFR 423.600(a))." in after
    assert "compare it with the rule's wording" in after
    history = unescape(stella.get(f"/patients/{denied.patient.public_id}/history/").content.decode())
    assert f"Decision on request {denied.number} was upheld on appeal." in history


def test_the_page_tells_a_call_and_the_times_to_choose_from(cast: Cast, enter: Door) -> None:
    denied = stage.denied(cast)
    calling.offer(prior_auth_id=key_of(denied), times=[later(24)], by=cast.patel, now=NOW)

    seen = page(enter("jones"), denied)

    assert "Peer-to-peer call: Offered by the insurer" in seen
    assert '<li><time datetime="2025-03-04T15:00:00+00:00">Mar 4, 2025, 10:00 AM EST</time></li>' in seen


def test_the_clinic_asks_for_a_call_and_the_insurer_confirms_it_at_the_desk(cast: Cast, enter: Door) -> None:
    denied, stella = stage.denied(cast), enter("stella")
    address = f"/prior-auths/{denied.public_id}/calls/"

    without = stella.post(address, {})
    asked = stella.post(address, {"times[0]": "2199-01-02T10:00"}, follow=True).content.decode()

    assert "Ask for a peer-to-peer call" in page(enter("jones"), stage.denied(cast))
    assert without.status_code == 422
    assert "Peer-to-peer call: The clinic proposes times" in asked
    assert "Asked for <time" in asked
    assert "Ask for a peer-to-peer call" not in asked
    assert "Confirm a time for the call" in enter("rae").get(f"/desk/{denied.public_id}/").content.decode()


def test_the_page_asks_for_what_the_inbox_asks_for(cast: Cast, enter: Door) -> None:
    denied = stage.denied(cast)
    before = page(enter("jones"), denied)
    drain(later(1))

    after, strangers = page(enter("jones"), denied), page(enter("stella"), stage.approved(cast))

    assert "Nothing is needed from you now." in before
    assert "read why, then accept it, talk to the insurer's physician, or appeal." in unescape(after)
    assert "Nothing is needed from you now." not in after
    assert "Nothing is needed from you now." in strangers


def test_a_document_is_sent_in_with_the_appeal_from_the_clinics_page_and_read_at_the_desk(
    cast: Cast, enter: Door
) -> None:
    uma, denied, stella = stage.appeal_reviewer(cast), stage.denied(cast), enter("stella")
    appeal = stage.appeal_in_review(cast, denied, by=uma, now=clock.now())

    before = page(stella, denied)
    attach(stella, denied, TEXT, title="Report of the operation", shows=[])

    assert "It is sent in with the appeal at once, and stays." in before
    seen = page(stella, denied)
    assert "Sent in with it:" in seen
    assert "Take off 1" not in seen
    desk = unescape(enter("uma").get(f"/desk/{denied.public_id}/").content.decode())
    assert findings(desk) == []
    for told in ("Sent in with it:", "1. Report of the operation", "Sent in with the appeal.", "What was submitted"):
        assert told in desk
    appeal_decisions.uphold(appeal_id=AppealId(appeal.public_id), reason=REASON, by=uma, now=clock.now())
    assert "Attach a document" not in page(stella, denied)
    assert f"/appeals/{appeal.public_id}/letter/" in page(stella, denied)
    assert stella.get(f"/prior-auths/{denied.public_id}/appeals/{appeal.public_id}/letter/").content[:5] == b"%PDF-"
