"""What is decided at the reviewer's desk: a denial, a part, why, and the notice that is read before it goes out."""

import re
from html import unescape

from authz.prior_auths.models import PriorAuth
from tests.cast import (
    Cast,
    in_clinical_review,
)
from tests.formulary.rrf import OXYCODONE_7, ROXINEW_7, in_use
from tests.prior_auths.test_released import MORPHINE_15, with_physician
from tests.web.conftest import Door
from tests.web.reading import findings
from tests.web.test_desk import address, fields_of, lines_in, lines_of, seen, send

REASON = {"reason.code": "quantity-reduced"}
FEWER = {"grants.1.days": "2", "grants.1.quantity": "8"}


def test_a_line_of_several_has_a_reason_of_its_own_that_both_sides_read(cast: Cast, enter: Door) -> None:
    prior_auth, patel = with_physician(cast, {}, {"rxcui": MORPHINE_15}), enter("patel")
    action = address(prior_auth, "approve-in-part/")
    own = {"grants.2.is_granted": "", "reasons.2.code": "shorter-period", "reasons.2.text": "Not both at once."}

    preview = send(patel, prior_auth, "approve-in-part", **REASON, **FEWER, **own).content.decode()
    patel.post(action, fields_of(preview, action) | {"confirm": "1"})

    first, second = prior_auth.determinations.get().lines.order_by("line")
    assert (first.reason_code, second.reason_code) == ("", "shorter-period")
    assert "Why, for" in preview
    for page_of in (
        seen(patel, prior_auth),
        enter("stella").get(f"/prior-auths/{prior_auth.public_id}/").content.decode(),
    ):
        assert findings(page_of) == []
        assert re.search(r"Approved in part</td>.*Denied: Not both at once\.", page_of, re.DOTALL)
        assert lines_in(page_of, "Asked and granted") == lines_of(prior_auth)


def test_a_denial_of_several_lines_can_say_of_one_another_reason(cast: Cast, enter: Door) -> None:
    prior_auth, patel = with_physician(cast, {}, {"rxcui": MORPHINE_15}), enter("patel")
    action = address(prior_auth, "deny/")

    preview = send(patel, prior_auth, "deny", **REASON, **{"reasons.1.code": "shorter-period"}).content.decode()
    patel.post(action, fields_of(preview, action) | {"confirm": "1"})

    codes = prior_auth.determinations.get().lines.order_by("line").values_list("reason_code", flat=True)
    assert list(codes) == ["shorter-period", ""]


def test_a_physician_says_in_their_own_words_what_would_change_it(cast: Cast, enter: Door) -> None:
    prior_auth, patel = with_physician(cast, {}, {"rxcui": MORPHINE_15}), enter("patel")
    action = address(prior_auth, "deny/")
    change = {"reason.would_change": "A letter of the surgeon.", "reasons.1.code": "shorter-period"}
    line = {"reasons.1.would_change": "A plan of ten days."}

    preview = send(patel, prior_auth, "deny", **REASON, **change, **line).content.decode()
    patel.post(action, fields_of(preview, action) | {"confirm": "1"})

    decided = prior_auth.determinations.get()
    assert "A letter of the surgeon." in preview
    assert decided.would_change == "A letter of the surgeon."
    assert [row.would_change for row in decided.lines.order_by("line")] == ["A plan of ten days.", ""]


def test_a_form_of_lines_names_their_products(cast: Cast, enter: Door) -> None:
    prior_auth = with_physician(cast, {}, {"rxcui": MORPHINE_15})

    html = seen(enter("patel"), prior_auth)

    for line, product in lines_of(prior_auth):
        assert f"Line {line}, {product}: another reason" in html
        assert f"Line {line}, {product}: drug" in html
    assert lines_in(html, "Asked for") == lines_of(prior_auth)


def test_words_on_a_line_without_a_reason_are_not_dropped(cast: Cast, enter: Door) -> None:
    prior_auth, patel = with_physician(cast, {}, {"rxcui": MORPHINE_15}), enter("patel")

    answer = send(patel, prior_auth, "deny", **REASON, **{"reasons.1.text": "Fewer days are enough."})

    assert answer.status_code == 422
    assert 'id="deny-reasons.1.code_error"' in answer.content.decode()


def test_a_request_of_one_line_is_asked_for_one_reason(cast: Cast, enter: Door) -> None:
    assert "reasons.1.code" not in seen(enter("patel"), in_clinical_review(cast))


def test_a_part_is_granted_only_after_its_notice_was_read(cast: Cast, enter: Door) -> None:
    prior_auth, patel = in_clinical_review(cast), enter("patel")
    action = address(prior_auth, "approve-in-part/")

    preview = send(patel, prior_auth, "approve-in-part", **REASON, **FEWER)
    shown = unescape(preview.content.decode())
    before = PriorAuth.objects.get(pk=prior_auth.pk).state
    done = patel.post(action, fields_of(preview.content.decode(), action) | {"confirm": "1"})

    assert preview.status_code == 200
    assert findings(preview.content.decode()) == []
    assert "We have approved a part of this request" in shown
    assert "2 days, quantity 8" in shown
    assert "given when decided" in shown
    assert "If you do not agree" in shown
    assert before == "clinical_review"
    assert done.status_code == 302, unescape(done.content.decode())
    decided = PriorAuth.objects.get(pk=prior_auth.pk)
    assert decided.state == "decided"
    assert decided.determinations.get().lines.get().granted_days == 2
    # The library's words stand where nothing was written.
    assert decided.determinations.get().reason_text.startswith("The quantity asked for is more")


def test_what_can_be_granted_instead_is_of_the_release_in_use(cast: Cast, enter: Door) -> None:
    in_use()
    prior_auth, patel = with_physician(cast, {"rxcui": ROXINEW_7}), enter("patel")
    instead = f'<option value="{OXYCODONE_7}">oxycodone hydrochloride 7 MG Oral Tablet</option>'
    assert instead in seen(patel, prior_auth)
    action = address(prior_auth, "approve-in-part/")

    preview = send(patel, prior_auth, "approve-in-part", **REASON, **{"grants.1.rxcui": OXYCODONE_7})
    patel.post(action, fields_of(preview.content.decode(), action) | {"confirm": "1"})

    assert prior_auth.determinations.get().lines.get().granted_rxcui == OXYCODONE_7


def test_a_notice_can_be_changed_before_it_goes_out(cast: Cast, enter: Door) -> None:
    prior_auth, patel = in_clinical_review(cast), enter("patel")
    action = address(prior_auth, "deny/")
    preview = send(patel, prior_auth, "deny", **{"reason.code": "not-necessary", "reason.text": "Seven days suffice."})

    back = patel.post(action, fields_of(preview.content.decode(), action) | {"change": "1", "confirm": "1"})

    assert "We have denied this request." in preview.content.decode()
    assert "Seven days suffice." in fields_of(back.content.decode(), action).values()
    assert PriorAuth.objects.get(pk=prior_auth.pk).state == "clinical_review"


def test_granting_more_than_was_asked_is_refused_at_its_line(cast: Cast, enter: Door) -> None:
    prior_auth, patel = in_clinical_review(cast), enter("patel")

    answer = send(patel, prior_auth, "approve-in-part", **REASON, **{"grants.1.days": "99", "grants.1.quantity": "4"})

    assert answer.status_code == 422
    assert "More is granted than was asked for." in answer.content.decode()
    assert findings(answer.content.decode()) == []
