"""At the desk, intake records what the independent reviewer decided; both sides read it."""

from tests.cast import Cast, queued
from tests.cast import denied as stage_denied
from tests.prior_auths.test_independent_review import forwarded
from tests.web.conftest import Door
from tests.web.test_desk import offered, seen, send
from tests.web.test_whole_case import page


def test_intake_records_what_the_independent_reviewer_decided_and_both_sides_read_it(cast: Cast, enter: Door) -> None:
    prior_auth, denied = forwarded(cast), queued(cast)
    ivy, said = enter("ivy"), {"decided_on": "2025-03-10", "reference": "1-23", "reason": "The plan holds."}

    assert "record-independent-review" in offered(ivy, prior_auth) - offered(ivy, denied)
    unchosen = send(ivy, prior_auth, "record-independent-review", **said)
    answer = send(ivy, prior_auth, "record-independent-review", outcome="overturned", **said)

    prior_auth.refresh_from_db()
    assert (unchosen.status_code, answer.status_code) == (422, 302)
    assert prior_auth.determinations.latest("pk").outcome == "approved"
    for html in (seen(ivy, prior_auth), page(enter("stella"), prior_auth)):
        assert "The independent reviewer: Overturned: approved as asked" in html
        assert "reference 1-23" in html
    assert "record-independent-review" not in offered(ivy, prior_auth)


def test_of_what_was_overturned_in_part_intake_says_what_is_granted(cast: Cast, enter: Door) -> None:
    prior_auth, ivy = forwarded(cast), enter("ivy")
    said = {
        "decided_on": "2025-03-10",
        "reference": "1-23",
        "reason": "The plan holds.",
        "outcome": "partly_overturned",
    }
    part = {"grants.1.days": "4", "grants.1.quantity": "16", "grants.1.ends_on": "2025-03-06"}

    send(ivy, prior_auth, "record-independent-review", **said | part)

    assert prior_auth.determinations.latest("pk").lines.get().granted_days == 4


def test_what_went_to_the_independent_reviewer_is_offered_no_appeal(cast: Cast, enter: Door) -> None:
    denied, gone = stage_denied(cast), forwarded(cast)
    stella = enter("stella")

    assert "File an appeal" in page(stella, denied)
    assert "File an appeal" not in page(stella, gone)
