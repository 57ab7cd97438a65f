"""After an adverse decision: filed in time, decided by somebody else, superseding what it overturns."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connections

from authz.access.models import Licence
from authz.access.roles import Role
from authz.access.services import add_membership, set_superior
from authz.errors import AuthzError, Forbidden, InvalidInput, NotFound
from authz.ids import AppealId
from authz.outbox.models import OutboxMessage
from authz.policies import regimes
from authz.policies.history import Happened, Kind, What
from authz.prior_auths import appeals, selectors
from authz.prior_auths.appeal_lifecycle import AppealDismissal
from authz.prior_auths.appeal_words import next_steps
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.determination import Grant, Outcome, Reason
from authz.prior_auths.lifecycle import ReopeningReason
from authz.prior_auths.models import Appeal, AppealDecision, Authorization, Breach, Determination, PriorAuth
from authz.prior_auths.services import (
    appeal_decisions,
    appealing,
    deeming,
    determinations,
    endings,
    overdue_appeals,
    reopening,
)
from authz.prior_auths.services.appealing import AlreadyAppealed, AppealNotForwarded, AppealTooLate, NothingToAppeal
from authz.prior_auths.services.deciding import as_asked
from authz.prior_auths.services.grounds import LicenceNeeded
from authz.prior_auths.services.queue import AnotherDeciderNeeded, LeaseHeldByAnother, ReviewerNeeded
from authz.prior_auths.services.reopening import UnderAppeal
from authz.prior_auths.services.steps import IllegalStep
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, key_of, later

REASON = Reason(code="not-necessary", text="Seven days are enough after this procedure.", criterion="Policy 3.2")
TICK = timedelta(microseconds=1)
OXYCODONE_2_5 = "1037259"


def id_of(appeal: Appeal) -> AppealId:
    return AppealId(appeal.public_id)


def under(cast: Cast, regime: str) -> None:
    cast.plan.regime = regime
    cast.plan.save()


def told(topic: str) -> int:
    return OutboxMessage.objects.filter(topic=topic).count()


def notice_at(at: datetime) -> list[Happened]:
    return [Happened(What.NOTICE_DELIVERED, at)]


def partly(days: int) -> dict[int, Grant]:
    return {1: Grant(days=days, quantity=Decimal(4 * days), starts_on=TODAY, ends_on=TODAY + timedelta(days=days - 1))}


# -- filing


def test_an_appeal_names_the_decision_in_force_and_when_it_is_due_and_why(cast: Cast) -> None:
    under(cast, "part_d")
    denied = stage.denied(cast)

    appeal = stage.appealed(cast, denied, now=later(24))

    due = appeals.due(appeal)
    assert due is not None
    assert appeal.determination == Determination.objects.get()
    assert (appeal.state, appeal.version, appeal.was_late, appeal.due_at) == ("filed", 1, False, due.at)
    assert due.at == datetime.fromisoformat("2025-03-12T03:59:59.999999+00:00")
    assert due.why.startswith(
        "Due by the end of Tuesday 11 March 2025 (EDT): 7 calendar days after the insurer received"
    )
    assert "42 CFR 423.590(a)" in due.why
    assert told("appeal.filed") == 1


def test_an_expedited_appeal_has_its_72_hours(cast: Cast) -> None:
    under(cast, "part_d")

    appeal = stage.appealed(cast, stage.denied(cast), now=later(1), urgency=Urgency.EXPEDITED)

    assert appeal.due_at == later(73)


def test_the_last_instant_to_file_is_in_time_and_the_next_one_is_refused_with_the_day_and_the_rule(cast: Cast) -> None:
    under(cast, "part_d")
    denied = stage.denied(cast)
    said = {"urgency": Urgency.STANDARD, "reason": "Too short.", "by": cast.stella, "notices": notice_at(later(1))}
    # 3 March and 5 days of presumed receipt, and 60 days: the end of 7 May in New York.
    last = datetime.fromisoformat("2025-05-07T23:59:59.999999-04:00")

    with pytest.raises(AppealTooLate) as refusal:
        appealing.file(prior_auth_id=key_of(denied), now=last + TICK, **said)  # type: ignore[arg-type]
    second_before = appealing.file(prior_auth_id=key_of(denied), now=last - timedelta(seconds=1), **said)  # type: ignore[arg-type]
    appealing.withdraw(appeal_id=id_of(second_before), reason="A slip.", by=cast.stella, now=last)
    at_last = appealing.file(prior_auth_id=key_of(denied), now=last, **said)  # type: ignore[arg-type]

    assert "The last day to appeal was 2025-05-07 (42 CFR 423.582(b))." in refusal.value.detail
    assert (refusal.value.context["last_day"], refusal.value.context["citation"]) == ("2025-05-07", "42 CFR 423.582(b)")
    assert (second_before.was_late, at_last.was_late) == (False, False)


def test_with_good_cause_a_late_appeal_is_taken_and_marked(cast: Cast) -> None:
    denied = stage.denied(cast)

    appeal = appealing.file(
        prior_auth_id=key_of(denied),
        urgency=Urgency.STANDARD,
        reason="Too short.",
        good_cause="The notice lay in a flooded office.",
        notices=notice_at(NOW),
        by=cast.jones,
        now=later(24 * 100),
    )

    assert (appeal.was_late, appeal.good_cause) == (True, "The notice lay in a flooded office.")


def test_what_the_law_made_adverse_and_what_was_granted_in_part_can_be_appealed(cast: Cast) -> None:
    under(cast, "medicare_advantage")
    stage.queued(cast)
    deeming.deem_due(now=later(24 * 20))
    under(cast, "generic")
    key = key_of(stage.in_clinical_review(cast))
    part = determinations.approve_in_part(prior_auth_id=key, grants=partly(3), reason=REASON, by=cast.patel, now=NOW)

    for request in (PriorAuth.objects.get(determinations__outcome="deemed_adverse"), part):
        assert stage.appealed(cast, request, now=later(24 * 21)).state == "filed"


@pytest.mark.parametrize("builder", [stage.approved, stage.in_clinical_review, stage.detected])
def test_without_an_adverse_decision_in_force_there_is_nothing_to_appeal(cast: Cast, builder: object) -> None:
    request = builder(cast)  # type: ignore[operator]

    with pytest.raises(NothingToAppeal):
        stage.appealed(cast, request, now=NOW)

    assert not Appeal.objects.exists()


def test_what_is_with_the_independent_reviewer_is_not_appealed_to_the_insurer(cast: Cast) -> None:
    under(cast, "part_d")
    request = stage.queued(cast)
    deeming.deem_due(now=later(73))
    deeming.forward(prior_auth_id=key_of(request), reason="IRE-7", by=cast.ivy, now=later(74))

    with pytest.raises(NothingToAppeal):
        stage.appealed(cast, request, now=later(75))


def test_only_the_clinic_appeals_and_a_stranger_finds_nothing(cast: Cast) -> None:
    key = key_of(stage.denied(cast))
    said = {"urgency": Urgency.STANDARD, "reason": "Too short.", "notices": (), "now": NOW}

    for actor, refusal in ((cast.rae, Forbidden), (cast.mallory, NotFound), (cast.oscar, NotFound)):
        with pytest.raises(refusal):
            appealing.file(prior_auth_id=key, by=actor, **said)  # type: ignore[arg-type]

    assert not Appeal.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_filed_twice_at_once_there_is_one_appeal() -> None:
    cast = stage.assemble()
    denied = stage.denied(cast)
    together, refused = Barrier(2), []

    def file() -> None:
        try:
            together.wait(timeout=10)
            stage.appealed(cast, denied, now=NOW)
        except AuthzError as refusal:
            refused.append(refusal)
        finally:
            connections.close_all()

    _both(file, file)

    (refusal,) = refused
    assert isinstance(refusal, AlreadyAppealed)
    assert refusal.context["appeal"] == str(Appeal.objects.get().public_id)


# -- deciding


def test_overturned_it_is_approved_and_an_authorization_opens_and_both_sides_are_told_once(cast: Cast) -> None:
    uma, denied = stage.appeal_reviewer(cast), stage.denied(cast)
    appeal = stage.appeal_in_review(cast, denied, by=uma, now=later(1))

    appeal_decisions.overturn(appeal_id=id_of(appeal), reason="The criteria are met.", by=uma, now=later(2))

    request = PriorAuth.objects.get(pk=denied.pk)
    newest = appeals.in_force(request)
    assert newest is not None
    assert (newest.outcome, newest.supersedes, newest.decided_by) == (
        "approved",
        appeal.determination,
        cast.people["uma"],
    )
    assert AppealDecision.objects.get().determination == newest
    assert (request.state, request.decided_at, request.version) == ("decided", later(2), denied.version + 1)
    assert Authorization.objects.get().days_granted == 10
    assert [told(f"appeal.{topic}") for topic in ("overturned", "upheld", "overturned-in-part")] == [1, 0, 0]
    clocks = selectors.clocks_of(request, notices=[*notice_at(NOW), *appeals.happened(request)])
    decide_by = clocks.get(Kind.APPEAL_DECIDE_BY)
    assert decide_by is not None
    assert (decide_by.stopped_at, clocks.get(Kind.APPEAL_FILE_BY)) == (later(2), None)


def test_overturned_in_part_more_is_granted_than_before_and_less_than_asked(cast: Cast) -> None:
    uma = stage.appeal_reviewer(cast)
    key = key_of(stage.in_clinical_review(cast))
    part = determinations.approve_in_part(prior_auth_id=key, grants=partly(4), reason=REASON, by=cast.patel, now=NOW)
    appeal = stage.appeal_in_review(cast, part, by=uma, now=later(1))

    def decide(days: int) -> Appeal:
        return appeal_decisions.overturn_in_part(
            appeal_id=id_of(appeal), grants=partly(days), reason=REASON, by=uma, now=later(2)
        )

    for days, field in ((3, "grants.1"), (4, "grants"), (10, "grants"), (11, "grants.1")):
        with pytest.raises(InvalidInput) as refusal:
            decide(days)
        assert set(refusal.value.fields) == {field}
    decided = decide(7)

    assert (decided.state, decided.decision.outcome) == ("decided", "partly_overturned")
    assert [row.days_granted for row in Authorization.objects.filter(determination__superseded_by=None)] == [7]
    with pytest.raises(AlreadyAppealed):
        stage.appealed(cast, part, now=later(3))


@pytest.mark.parametrize(
    "less",
    [
        {"daily_units": Decimal(3)},
        {"starts_on": stage.TODAY + timedelta(days=1)},
        {"ends_on": stage.TODAY + timedelta(days=6)},
        {"rxcui": OXYCODONE_2_5},
    ],
)
def test_more_of_one_thing_on_appeal_makes_up_for_less_of_no_other(cast: Cast, less: dict[str, Any]) -> None:
    uma = stage.appeal_reviewer(cast)
    reviewed = stage.in_clinical_review(cast)
    asked = as_asked(reviewed.lines.get())
    before, after = ({1: replace(asked, days=days, quantity=Decimal(4 * days))} for days in (5, 6))
    part = determinations.approve_in_part(
        prior_auth_id=key_of(reviewed), grants=before, reason=REASON, by=cast.patel, now=NOW
    )
    appeal = stage.appeal_in_review(cast, part, by=uma, now=later(1))
    decide = partial(appeal_decisions.overturn_in_part, appeal_id=id_of(appeal), reason=REASON, by=uma, now=later(2))

    with pytest.raises(InvalidInput) as refusal:
        decide(grants={1: replace(after[1], **less)})

    assert refusal.value.fields == {"grants.1": ["Less would be granted than before."]}
    assert decide(grants=after).state == "decided"


@pytest.mark.parametrize(
    ("regime", "onward"),
    [
        ("part_d", "you may ask for an independent review (42 CFR 423.600(a))."),
        ("medicaid", "you may ask for a State fair hearing (42 CFR 438.408(f))."),
        ("generic", "your plan's terms say whether anybody else looks at it next."),
    ],
)
def test_the_letter_after_an_appeal_names_the_next_level_and_no_further_appeal(regime: str, onward: str) -> None:
    newest = regimes.versions(regime)[-1]

    named = {"insurer": "Evergreen", "clinic": "Riverside", "number": "PA-1"}
    said = " ".join(next_steps(Outcome.PARTIALLY_APPROVED, newest, **named, is_on_appeal=True))

    assert f"Evergreen does not decide it again. After this, {onward}" in said
    assert "ask Evergreen to look at this again" not in said


def test_upheld_the_decision_stands_and_the_next_level_is_named_with_its_rule(cast: Cast) -> None:
    under(cast, "part_d")
    uma, denied = stage.appeal_reviewer(cast), stage.denied(cast)
    appeal = stage.appeal_in_review(cast, denied, by=uma, now=later(1))

    upheld = appeal_decisions.uphold(appeal_id=id_of(appeal), reason=REASON, by=uma, now=later(2))

    onward = appeals.onward(denied)
    assert onward is not None
    assert (onward.level, onward.citation, onward.confirmed) == ("independent_reviewer", "42 CFR 423.600(a)", False)
    assert (upheld.state, upheld.due_at, upheld.decision.outcome) == ("decided", None, "upheld")
    assert (Determination.objects.count(), told("appeal.upheld")) == (1, 1)
    appealing.forward(appeal_id=id_of(appeal), reason="IRE-9", by=cast.ivy, now=later(3))
    assert Appeal.objects.get().state == "external"


def test_a_regime_that_names_nobody_beyond_the_insurer_has_nowhere_to_forward_to(cast: Cast) -> None:
    uma, denied = stage.appeal_reviewer(cast), stage.denied(cast)
    appeal = stage.appeal_in_review(cast, denied, by=uma, now=later(1))
    appeal_decisions.uphold(appeal_id=id_of(appeal), reason=REASON, by=uma, now=later(2))

    assert appeals.onward(denied) is None
    with pytest.raises(AppealNotForwarded):
        appealing.forward(appeal_id=id_of(appeal), reason="IRE-9", by=cast.ivy, now=later(3))


def test_nobody_who_reports_to_a_decider_takes_a_step_towards_deciding_the_appeal(cast: Cast) -> None:
    uma, key = stage.appeal_reviewer(cast), id_of(stage.appealed(cast, stage.denied(cast), now=later(1)))
    appealing.receive(appeal_id=key, by=cast.ivy, now=later(1))
    line = {"organization": cast.evergreen}
    set_superior(person=cast.people["rae"], superior=cast.people["patel"], **line)
    set_superior(person=cast.people["uma"], superior=cast.people["rae"], **line)

    with pytest.raises(AnotherDeciderNeeded, match="Somebody you report to decided"):
        appealing.take_in_hand(appeal_id=key, by=uma, now=later(2))
    set_superior(person=cast.people["uma"], superior=None, **line)

    assert appealing.take_in_hand(appeal_id=key, by=uma, now=later(2)).state == "in_review"


def test_whoever_determined_the_request_takes_no_step_towards_deciding_its_appeal(cast: Cast) -> None:
    denied = stage.denied(cast)
    add_membership(person=cast.people["patel"], organization=cast.evergreen, role=Role.APPEAL_REVIEWER)
    patel = stage.with_role(cast.patel, Role.APPEAL_REVIEWER)
    key = id_of(stage.appealed(cast, denied, now=later(1)))
    appealing.receive(appeal_id=key, by=cast.ivy, now=later(1))

    with pytest.raises(AnotherDeciderNeeded):
        appealing.take_in_hand(appeal_id=key, by=patel, now=later(2))
    Appeal.objects.update(state="in_review")
    for decide, said in ((appeal_decisions.uphold, REASON), (appeal_decisions.overturn, "I was wrong.")):
        with pytest.raises(AnotherDeciderNeeded):
            decide(appeal_id=key, reason=said, by=patel, now=later(2))  # type: ignore[operator]

    assert not AppealDecision.objects.exists()


@pytest.mark.parametrize("change", [{"profession": "pharmacist"}, {"valid_until": date(2025, 3, 2)}])
def test_without_a_physician_s_licence_valid_today_an_appeal_is_only_granted(
    cast: Cast, change: dict[str, object]
) -> None:
    uma, denied = stage.appeal_reviewer(cast), stage.denied(cast)
    appeal = stage.appeal_in_review(cast, denied, by=uma, now=later(1))
    Licence.objects.filter(person=cast.people["uma"]).update(**change)

    with pytest.raises(LicenceNeeded):
        appeal_decisions.uphold(appeal_id=id_of(appeal), reason=REASON, by=uma, now=later(2))
    with pytest.raises(LicenceNeeded):
        appeal_decisions.overturn_in_part(
            appeal_id=id_of(appeal), grants=partly(5), reason=REASON, by=uma, now=later(2)
        )

    assert not AppealDecision.objects.exists()
    assert appeal_decisions.overturn(appeal_id=id_of(appeal), reason="Met.", by=uma, now=later(2)).state == "decided"


def test_one_reviewer_has_an_appeal_until_the_lease_runs_out_and_no_machine_does(cast: Cast) -> None:
    uma, zoe = stage.appeal_reviewer(cast), stage.appeal_reviewer(cast, "zoe")
    appeal = stage.appeal_in_review(cast, stage.denied(cast), by=uma, now=later(1))

    with pytest.raises(LeaseHeldByAnother):
        appealing.take_in_hand(appeal_id=id_of(appeal), by=zoe, now=later(1.4))
    with pytest.raises(ReviewerNeeded):
        appealing.take_in_hand(appeal_id=id_of(appeal), by=stage.machine_of(zoe), now=later(2))

    assert appealing.take_in_hand(appeal_id=id_of(appeal), by=zoe, now=later(2)).reviewer == cast.people["zoe"]
    released = appealing.release(appeal_id=id_of(appeal), reason="Lunch.", by=zoe, now=later(2))
    assert (released.state, released.reviewer) == ("received", None)


@pytest.mark.django_db(transaction=True)
def test_two_deciders_of_an_appeal_at_once_make_one_decision() -> None:
    cast = stage.assemble()
    uma = stage.appeal_reviewer(cast)
    key = id_of(stage.appeal_in_review(cast, stage.denied(cast), by=uma, now=later(1)))
    together, refused = Barrier(2), []

    def decide(how: str) -> None:
        try:
            together.wait(timeout=10)
            if how == "uphold":
                appeal_decisions.uphold(appeal_id=key, reason=REASON, by=uma, now=later(1.1))
            else:
                appeal_decisions.overturn(appeal_id=key, reason="Met.", by=uma, now=later(1.1))
        except AuthzError as refusal:
            refused.append(refusal.code)
        finally:
            connections.close_all()

    _both(lambda: decide("uphold"), lambda: decide("overturn"))

    assert AppealDecision.objects.count() == 1
    assert refused == ["illegal-step"]
    assert Determination.objects.count() == (1 if AppealDecision.objects.get().outcome == "upheld" else 2)


# -- the time to decide, and other ends


def test_a_missed_appeal_is_a_breach_noted_once_and_can_be_forwarded_where_the_law_says_so(cast: Cast) -> None:
    under(cast, "part_d")
    appeal = stage.appealed(cast, stage.denied(cast), now=later(1), urgency=Urgency.EXPEDITED)
    due_at = later(73)

    with pytest.raises(AppealNotForwarded):
        appealing.forward(appeal_id=id_of(appeal), reason="IRE-3", by=cast.nora, now=due_at)
    noted = [overdue_appeals.note_missed(now=now) for now in (due_at - TICK, due_at, due_at + TICK, due_at + TICK)]

    assert noted == [0, 0, 1, 0]
    breach = Breach.objects.get()
    assert (breach.appeal, breach.kind, breach.due_at) == (appeal, "appeal_decide_by", due_at)
    assert told("prior-auth.overdue") == 1
    assert [overdue_appeals.note_missed(now=later(hours)) for hours in (97, 97.1, 99)] == [0, 1, 0]
    appealing.forward(appeal_id=id_of(appeal), reason="IRE-3", by=cast.nora, now=later(100))
    assert (Appeal.objects.get().state, Appeal.objects.get().due_at) == ("external", None)


def test_an_appeal_decided_late_is_marked_and_its_breach_noted(cast: Cast) -> None:
    uma, denied = stage.appeal_reviewer(cast), stage.denied(cast)
    appeal = stage.appeal_in_review(cast, denied, by=uma, now=later(1))
    due_at = appeals.due(appeal)
    assert due_at is not None

    appeal_decisions.overturn(appeal_id=id_of(appeal), reason="Met.", by=uma, now=due_at.at + TICK)

    assert (AppealDecision.objects.get().was_late, Breach.objects.get().kind) == (True, "appeal_decide_by")


def test_a_decision_under_appeal_is_not_reopened(cast: Cast) -> None:
    denied = stage.denied(cast)
    appeal = stage.appealed(cast, denied, now=later(1))
    said = {"code": ReopeningReason.CLERICAL_ERROR, "reason": "A slip.", "by": cast.nora}

    with pytest.raises(UnderAppeal) as refusal:
        reopening.reopen(prior_auth_id=key_of(denied), now=later(2), **said)  # type: ignore[arg-type]
    appealing.dismiss(
        appeal_id=id_of(appeal), code=AppealDismissal.NOT_A_PARTY, reason="Who?", by=cast.ivy, now=later(3)
    )

    assert refusal.value.context["appeal"] == str(appeal.public_id)
    reopened = reopening.reopen(prior_auth_id=key_of(denied), now=later(4), **said)  # type: ignore[arg-type]
    assert reopened.state == "in_review"


def test_voiding_a_request_ends_its_appeal(cast: Cast) -> None:
    denied = stage.denied(cast)
    stage.appealed(cast, denied, now=later(1))

    endings.void(prior_auth_id=key_of(denied), reason="Wrong patient.", by=cast.nora, now=later(2))

    appeal = Appeal.objects.get()
    assert (appeal.state, appeal.events.latest("sequence").code) == ("dismissed", "request_voided")


def test_a_refused_step_leaves_nothing_behind(cast: Cast) -> None:
    appeal = stage.appealed(cast, stage.denied(cast), now=later(1))
    before = (appeal.events.count(), OutboxMessage.objects.count())

    with pytest.raises(IllegalStep) as refusal:
        appealing.receive(appeal_id=id_of(appeal), by=cast.stella, now=later(1))

    assert refusal.value.context["allowed"] == ["add_document", "withdraw"]
    assert (appeal.events.count(), OutboxMessage.objects.count()) == before


def _both(*acts: object) -> None:
    threads = [Thread(target=act) for act in acts]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
