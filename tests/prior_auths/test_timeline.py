"""The timeline has words for all that can happen to a request, and tells what no longer stands."""

from datetime import timedelta

from authz.ids import PatientId
from authz.prior_auths.appeal_lifecycle import AppealOutcome
from authz.prior_auths.determination import Outcome
from authz.prior_auths.lifecycle import ENDED, TABLE, State, Step
from authz.prior_auths.services import determinations
from authz.prior_auths.timeline import OUTCOMES, REVIEWED, STEPS, timeline
from tests import cast as stage
from tests.cast import Cast, key_of, later
from tests.prior_auths.test_endings import reopened
from tests.prior_auths.test_review import REASON


def test_every_outcome_has_its_words() -> None:
    assert set(OUTCOMES) == set(Outcome)


def test_every_beginning_every_end_but_a_decision_and_what_goes_on_elsewhere_has_its_words() -> None:
    beginnings = {step for step, row in TABLE.items() if None in row.sources}
    ends = {step for step, row in TABLE.items() if row.target in ENDED - {State.DECIDED}}

    elsewhere = {Step.FORWARD, Step.RECORD_INDEPENDENT_REVIEW}
    assert set(STEPS) == beginnings | ends | elsewhere | {Step.SUBMIT, Step.REOPEN}
    assert set(REVIEWED) == set(AppealOutcome)


def test_a_decision_stands_until_another_supersedes_it(cast: Cast) -> None:
    decided = stage.approved(cast)
    key, tomorrow = PatientId(decided.patient.public_id), later(24)
    again = reopened(cast, decided, by=cast.patel)
    determinations.refer(prior_auth_id=key_of(again), reason="Myself.", by=cast.patel, now=later(1))
    determinations.deny(prior_auth_id=key_of(again), reason=REASON, by=cast.patel, now=tomorrow)

    def told(days: int) -> list[tuple[str, bool]]:
        seen = timeline(cast.stella, key, now=tomorrow, as_of=stage.TODAY + timedelta(days=days)).moments
        return [(moment.says.split(maxsplit=2)[2], moment.stands) for moment in seen if moment.kind == "determination"]

    assert told(0) == [("was approved.", True)]
    assert told(1) == [("was approved.", False), ("was denied.", True)]
