"""What the independent reviewer decided on what was forwarded is recorded once, and authorizations follow from it."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from authz.access.roles import Actor
from authz.errors import InvalidInput
from authz.ids import AppealId, PatientId
from authz.outbox.models import OutboxMessage
from authz.policies.history import Kind
from authz.prior_auths import appeals, selectors
from authz.prior_auths.appeal_lifecycle import AppealOutcome
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.lifecycle import ReopeningReason, Step
from authz.prior_auths.models import Authorization, Determination, IndependentReview, PriorAuth
from authz.prior_auths.services import (
    appeal_decisions,
    appealing,
    calling,
    deeming,
    determinations,
    endings,
    queue,
    reopening,
)
from authz.prior_auths.services.appealing import AppealNotForwarded, NothingToAppeal
from authz.prior_auths.services.calling import NothingToTalkAbout
from authz.prior_auths.services.independent_review import NotWithIndependentReviewer, record_independent_review
from authz.prior_auths.services.reopening import WithIndependentReviewer
from authz.prior_auths.services.steps import IllegalStep
from authz.prior_auths.timeline import timeline
from tests import cast as stage
from tests.cast import TODAY, Cast, key_of, later
from tests.prior_auths.said import REASON
from tests.prior_auths.test_appeals import partly
from tests.prior_auths.test_deeming import under
from tests.prior_auths.test_letters import letter, said

DECIDED_ON = TODAY + timedelta(days=10)


def forwarded(cast: Cast) -> PriorAuth:
    """Return a request that became adverse by law and is with the independent reviewer."""
    under(cast, "part_d")
    key = key_of(stage.queued(cast))
    deeming.deem_due(now=later(73))
    return deeming.forward(prior_auth_id=key, reason="IRE-7", by=cast.ivy, now=later(74))


def forwarded_on_appeal(cast: Cast) -> PriorAuth:
    """Return a request of which the denial was upheld, and the appeal is with the independent reviewer."""
    under(cast, "part_d")
    uma, denied = stage.appeal_reviewer(cast), stage.denied(cast)
    key = AppealId(stage.appeal_in_review(cast, denied, by=uma, now=later(1)).public_id)
    appeal_decisions.uphold(appeal_id=key, reason=REASON, by=uma, now=later(2))
    appealing.forward(appeal_id=key, reason="IRE-8", by=cast.ivy, now=later(3))
    return denied


def upheld(cast: Cast, prior_auth: PriorAuth, *, now: float) -> AppealId:
    """Return the appeal of a decision that was let stand."""
    uma = stage.appeal_reviewer(cast)
    key = AppealId(stage.appeal_in_review(cast, prior_auth, by=uma, now=later(now)).public_id)
    appeal_decisions.uphold(appeal_id=key, reason=REASON, by=uma, now=later(now + 1))
    return key


def upheld_of_the_law(cast: Cast) -> tuple[PriorAuth, AppealId]:
    """Return a request that became adverse by law, and its appeal, which was upheld."""
    under(cast, "part_d")
    queued = stage.queued(cast)
    deeming.deem_due(now=later(73))
    queued.refresh_from_db()
    return queued, upheld(cast, queued, now=74)


def reviewed(cast: Cast, prior_auth: PriorAuth, outcome: AppealOutcome, **changes: Any) -> PriorAuth:
    told: dict[str, Any] = {
        "outcome": outcome, "decided_on": DECIDED_ON, "reference": "1-23", "reason": "The surgeon's plan holds.",
        "by": cast.ivy, "now": later(24 * 12),
    }  # fmt: skip
    return record_independent_review(prior_auth_id=key_of(prior_auth), **told | changes)


@pytest.mark.parametrize("builder", [forwarded, forwarded_on_appeal])
def test_what_is_overturned_is_approved_as_asked_and_an_authorization_opens(cast: Cast, builder: Any) -> None:
    prior_auth = reviewed(cast, builder(cast), AppealOutcome.OVERTURNED)

    decided = Determination.objects.order_by("pk").last()
    assert decided is not None
    assert (decided.outcome, decided.basis, decided.decided_by, decided.licence) == ("approved", "external", None, None)
    assert decided.supersedes == Determination.objects.order_by("pk").first()
    assert Authorization.objects.get().days_granted == 10
    review = IndependentReview.objects.get(prior_auth=prior_auth)
    assert (review.outcome, review.decided_on, review.reference) == ("overturned", DECIDED_ON, "1-23")
    assert review.determination == decided


def test_what_is_overturned_in_part_grants_that_part_without_a_licence_of_the_insurer(cast: Cast) -> None:
    reviewed(cast, forwarded(cast), AppealOutcome.PARTLY_OVERTURNED, grants=partly(5))

    assert Determination.objects.get(basis="external").outcome == "partially_approved"
    assert Authorization.objects.get().days_granted == 5


def test_what_is_upheld_stands(cast: Cast) -> None:
    prior_auth = reviewed(cast, forwarded(cast), AppealOutcome.UPHELD)

    assert prior_auth.state == "decided"
    assert IndependentReview.objects.get().determination is None
    assert Determination.objects.get().outcome == "deemed_adverse"
    assert not Authorization.objects.exists()


@pytest.mark.parametrize("outcome", [AppealOutcome.UPHELD, AppealOutcome.OVERTURNED])
def test_it_is_recorded_once_and_only_of_what_was_forwarded(cast: Cast, outcome: AppealOutcome) -> None:
    denied = stage.denied(cast)
    with pytest.raises(NotWithIndependentReviewer):
        reviewed(cast, denied, outcome)

    prior_auth = reviewed(cast, forwarded(cast), outcome)
    with pytest.raises(NotWithIndependentReviewer):
        reviewed(cast, prior_auth, outcome)

    assert IndependentReview.objects.count() == 1


@pytest.mark.parametrize("who", ["rae", "patel", "stella", "jones"])
def test_only_the_insurers_intake_and_administrators_record_it(cast: Cast, who: str) -> None:
    actor: Actor = getattr(cast, who)

    with pytest.raises(IllegalStep):
        reviewed(cast, forwarded(cast), AppealOutcome.UPHELD, by=actor)


@pytest.mark.parametrize("decided_on", [TODAY + timedelta(days=2), TODAY + timedelta(days=13)])
def test_it_was_decided_neither_before_it_was_forwarded_nor_after_today(cast: Cast, decided_on: date) -> None:
    with pytest.raises(InvalidInput) as refusal:
        reviewed(cast, forwarded(cast), AppealOutcome.UPHELD, decided_on=decided_on)

    assert refusal.value.fields == {
        "decided_on": ["Give a day from 2025-03-06, when it was forwarded, to 2025-03-15, today."]
    }


@pytest.mark.parametrize(
    ("outcome", "days"),
    [
        (AppealOutcome.UPHELD, 5),
        (AppealOutcome.OVERTURNED, 5),
        (AppealOutcome.PARTLY_OVERTURNED, None),
        (AppealOutcome.PARTLY_OVERTURNED, 10),
    ],
)
def test_what_is_granted_fits_what_was_decided(cast: Cast, outcome: AppealOutcome, days: int | None) -> None:
    with pytest.raises(InvalidInput) as refusal:
        reviewed(cast, forwarded(cast), outcome, grants=partly(days) if days else {})

    assert set(refusal.value.fields) == {"grants"}
    assert not IndependentReview.objects.exists()


def test_the_prescriber_is_told_and_both_sides_see_it_in_the_timeline(cast: Cast) -> None:
    prior_auth = reviewed(cast, forwarded(cast), AppealOutcome.OVERTURNED)

    assert OutboxMessage.objects.filter(topic="prior-auth.independently-reviewed").count() == 1
    for reader in (cast.stella, cast.rae):
        moments = timeline(reader, PatientId(prior_auth.patient.public_id), now=later(24 * 13)).moments
        says = [moment.says for moment in moments]
        assert f"Request {prior_auth.number} was decided by the independent reviewer: overturned." in says
        assert f"Request {prior_auth.number} went to the independent reviewer." in says
        assert f"Request {prior_auth.number} was approved." in says


@pytest.mark.parametrize("outcome", [AppealOutcome.UPHELD, AppealOutcome.PARTLY_OVERTURNED])
def test_it_is_neither_appealed_to_the_insurer_nor_reopened(cast: Cast, outcome: AppealOutcome) -> None:
    grants = partly(5) if outcome is AppealOutcome.PARTLY_OVERTURNED else {}
    prior_auth = reviewed(cast, forwarded(cast), outcome, grants=grants)
    key, now = key_of(prior_auth), later(24 * 13)

    with pytest.raises(NothingToAppeal):
        appealing.file(
            prior_auth_id=key, urgency=Urgency.STANDARD, reason="Still.", notices=[], by=cast.stella, now=now
        )
    with pytest.raises(WithIndependentReviewer):
        reopening.reopen(prior_auth_id=key, code=ReopeningReason.FRAUD, reason="Look again.", by=cast.nora, now=now)

    assert selectors.clocks_of(PriorAuth.objects.get()).get(Kind.APPEAL_FILE_BY) is None


def test_an_open_appeal_goes_with_the_request_that_is_forwarded_and_is_decided_there(cast: Cast) -> None:
    under(cast, "part_d")
    uma, key = stage.appeal_reviewer(cast), key_of(stage.queued(cast))
    deeming.deem_due(now=later(73))
    adverse = PriorAuth.objects.get(public_id=key)
    appeal = stage.appeal_in_review(cast, adverse, by=uma, now=later(74))
    deeming.forward(prior_auth_id=key, reason="IRE-7", by=cast.ivy, now=later(75))

    with pytest.raises(IllegalStep):
        appeal_decisions.uphold(appeal_id=AppealId(appeal.public_id), reason=REASON, by=uma, now=later(76))

    appeal.refresh_from_db()
    decide_by = appeals.decide_by(appeal)
    assert (appeal.state, appeal.reviewer, appeal.due_at) == ("external", None, None)
    assert decide_by is not None
    assert decide_by.stopped_at == later(75)
    assert appeals.clocks_of(appeal).get(Kind.FORWARD_BY) is None


def test_the_letter_says_who_decided_and_that_their_own_letter_says_what_comes_next(cast: Cast) -> None:
    prior_auth = reviewed(cast, forwarded(cast), AppealOutcome.PARTLY_OVERTURNED, grants=partly(5))

    told = said(letter(prior_auth))

    assert "The independent reviewer has decided this request: a part of it is approved" in told
    assert "Their own letter says who can be asked after them" in told


def test_the_database_takes_nothing_for_an_independent_review_that_was_not_forwarded(cast: Cast) -> None:
    denied = stage.denied(cast)
    values = {"decided_on": TODAY, "reference": "1-23", "reason": "x", "recorded_at": later(1)}

    with pytest.raises(DatabaseError, match="only what is with the independent reviewer"), transaction.atomic():
        IndependentReview.objects.create(prior_auth=denied, outcome="upheld", **values)
    with pytest.raises(DatabaseError, match="only what was submitted and is undecided"), transaction.atomic():
        _external(denied)


def test_the_database_wants_the_review_of_what_rests_on_one_and_that_it_says_the_same(cast: Cast) -> None:
    prior_auth = forwarded(cast)
    values = {"decided_on": TODAY, "reference": "1-23", "reason": "x", "recorded_at": later(80)}

    with pytest.raises(DatabaseError, match="has it recorded"), transaction.atomic():
        _external(prior_auth, at_once=True)
    with pytest.raises(DatabaseError, match="says the same"), transaction.atomic():
        IndependentReview.objects.create(
            prior_auth=prior_auth, outcome="partly_overturned", determination=_external(prior_auth), **values
        )


def _external(prior_auth: PriorAuth, *, at_once: bool = False) -> Determination:
    before = prior_auth.determinations.get()
    with connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS rests_on_a_review {'IMMEDIATE' if at_once else 'DEFERRED'}")
    return Determination.objects.create(
        prior_auth=prior_auth, supersedes=before, outcome="approved", basis="external", decided_at=later(80),
        reason_code="independent-review", reason_text="x", criterion="x", policy="default", policy_version="1",
        was_late=False,
    )  # fmt: skip


def test_an_appeal_of_what_is_decided_anew_goes_to_nobody(cast: Cast) -> None:
    under(cast, "part_d")
    denied = stage.denied(cast)
    appeal, key = upheld(cast, denied, now=1), key_of(denied)
    typo = ReopeningReason.CLERICAL_ERROR

    reopening.reopen(prior_auth_id=key, code=typo, reason="A typo.", by=cast.nora, now=later(3))
    with pytest.raises(AppealNotForwarded):
        appealing.forward(appeal_id=appeal, reason="IRE-8", by=cast.ivy, now=later(3))
    queue.release_expired(now=later(4))
    queue.claim(prior_auth_id=key, by=cast.rae, now=later(4))
    determinations.approve(prior_auth_id=key, by=cast.rae, now=later(5))

    with pytest.raises(AppealNotForwarded):
        appealing.forward(appeal_id=appeal, reason="IRE-8", by=cast.ivy, now=later(6))


def test_an_appeal_of_what_was_voided_goes_to_nobody(cast: Cast) -> None:
    under(cast, "part_d")
    denied = stage.denied(cast)
    appeal = upheld(cast, denied, now=1)
    endings.void(prior_auth_id=key_of(denied), reason="Another patient's.", by=cast.nora, now=later(3))

    with pytest.raises(AppealNotForwarded):
        appealing.forward(appeal_id=appeal, reason="IRE-8", by=cast.ivy, now=later(4))


def test_what_the_law_made_adverse_is_forwarded_with_its_appeal(cast: Cast) -> None:
    prior_auth, appeal = upheld_of_the_law(cast)

    appealing.forward(appeal_id=appeal, reason="IRE-8", by=cast.ivy, now=later(77))

    prior_auth.refresh_from_db()
    assert Step.FORWARD not in selectors.allowed_steps(prior_auth, cast.ivy)
    assert deeming.note_unforwarded(now=later(140)) == 0


def test_what_was_forwarded_by_itself_is_not_forwarded_again_on_appeal(cast: Cast) -> None:
    prior_auth, appeal = upheld_of_the_law(cast)
    deeming.forward(prior_auth_id=key_of(prior_auth), reason="IRE-7", by=cast.ivy, now=later(76))

    with pytest.raises(AppealNotForwarded):
        appealing.forward(appeal_id=appeal, reason="IRE-8", by=cast.ivy, now=later(77))


def test_no_call_is_asked_for_about_what_went_to_the_independent_reviewer(cast: Cast) -> None:
    gone = forwarded_on_appeal(cast)

    with pytest.raises(NothingToTalkAbout):
        calling.ask_for(prior_auth_id=key_of(gone), times=[later(30)], by=cast.stella, now=later(4))


def test_an_independent_review_is_recorded_only_of_what_was_decided_against(cast: Cast) -> None:
    approved, denied = stage.approved(cast), stage.denied(cast)

    assert Step.RECORD_INDEPENDENT_REVIEW not in selectors.allowed_steps(approved, cast.ivy)
    assert Step.RECORD_INDEPENDENT_REVIEW in selectors.allowed_steps(denied, cast.ivy)
