"""The clinic's side: take up, answer, attest, submit, withdraw."""

from collections.abc import Callable

import pytest

from authz.access import selectors as access_selectors
from authz.access import services as access
from authz.access.roles import Role
from authz.audit.models import AuditEntry
from authz.documentation.services.answers import PersonNeeded
from authz.errors import InvalidInput, NotFound, StaleVersion
from authz.outbox.models import OutboxMessage
from authz.prior_auths.models import Event, PriorAuth
from authz.prior_auths.services import request
from authz.prior_auths.services.request import AnswersClosed, NothingToAttest, NotReady
from authz.prior_auths.services.steps import IllegalStep
from tests import cast as stage
from tests.cast import ANSWERS, NOW, Cast, key_of, later


def test_taking_up_prefills_what_is_known_with_its_source(cast: Cast) -> None:
    prior_auth = request.take_up(prior_auth_id=key_of(stage.detected(cast)), by=cast.stella, now=NOW)

    assert prior_auth.state == "draft"
    assert prior_auth.answers is not None
    prefilled = {row.question: row for row in prior_auth.answers.answers.all()}
    assert {(row.source, row.confirmed_at) for row in prefilled.values()} == {("computed", None)}
    assert "10 covered days" in prefilled["req.days_used"].value
    assert prefilled["req.mme_daily"].value == "30.00"


def test_a_stranger_finds_no_request(cast: Cast) -> None:
    key = key_of(stage.detected(cast))

    for stranger in (cast.mallory, cast.oscar, cast.rae):
        with pytest.raises(NotFound):
            request.take_up(prior_auth_id=key, by=stranger, now=NOW)


def test_a_refused_step_leaves_nothing_behind_and_names_the_legal_ones(cast: Cast) -> None:
    prior_auth = stage.detected(cast)
    trail, told = AuditEntry.objects.count(), OutboxMessage.objects.count()

    with pytest.raises(IllegalStep) as refusal:
        request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=NOW)

    assert refusal.value.context["allowed"] == [
        "take_up", "assign", "withdraw", "link_duplicate", "propose_void",
    ]  # fmt: skip
    assert (AuditEntry.objects.count(), OutboxMessage.objects.count()) == (trail, told)
    prior_auth.refresh_from_db()
    assert (prior_auth.state, prior_auth.version) == ("detected", 1)


def test_a_request_with_unanswered_questions_is_not_ready(cast: Cast) -> None:
    prior_auth = request.take_up(prior_auth_id=key_of(stage.detected(cast)), by=cast.stella, now=NOW)

    with pytest.raises(NotReady) as refusal:
        request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=NOW)

    assert "answers.dx.code" in refusal.value.fields
    assert "answers.req.days_used" in refusal.value.fields, "a computed answer counts only once a person confirmed it"


def test_every_wrong_answer_is_named_and_none_is_kept(cast: Cast) -> None:
    prior_auth = request.take_up(prior_auth_id=key_of(stage.detected(cast)), by=cast.stella, now=NOW)

    with pytest.raises(InvalidInput) as refusal:
        request.answer_questions(
            prior_auth_id=key_of(prior_auth),
            answers={**ANSWERS, "dx.code": "back pain", "plan.followup": "2025-02-30", "no.such": "x"},
            by=cast.stella,
            now=NOW,
        )

    assert set(refusal.value.fields) == {"answers.dx.code", "answers.plan.followup", "answers.no.such"}
    assert prior_auth.answers is not None
    assert not prior_auth.answers.answers.filter(confirmed_at__isnull=False).exists()


def test_staff_cannot_attest_for_the_prescriber(cast: Cast) -> None:
    prior_auth = request.take_up(prior_auth_id=key_of(stage.detected(cast)), by=cast.stella, now=NOW)

    with pytest.raises(InvalidInput) as refusal:
        request.answer_questions(prior_auth_id=key_of(prior_auth), answers={"pr.attest": True}, by=cast.stella, now=NOW)

    assert refusal.value.fields == {"answers.pr.attest": ["Only the prescriber can answer this."]}


@pytest.mark.parametrize("leave", [stage.deactivate, stage.end_memberships])
def test_a_colleague_attests_where_the_prescriber_has_left_and_no_sooner(
    cast: Cast, leave: Callable[[Cast, str], None]
) -> None:
    prior_auth = request.take_up(prior_auth_id=key_of(stage.detected(cast)), by=cast.stella, now=NOW)
    lo = access.create_person(email="lo@example.org", full_name="Dr Lo", password=stage.PASSWORD)
    access.add_membership(person=lo, organization=cast.riverside, role=Role.PRESCRIBER)
    colleague = access_selectors.actor_for(person=lo, organization=cast.riverside)

    def attest() -> PriorAuth:
        attested = {"pr.attest": True}
        return request.answer_questions(prior_auth_id=key_of(prior_auth), answers=attested, by=colleague, now=NOW)

    with pytest.raises(InvalidInput):
        attest()
    leave(cast, "jones")

    sheet = attest().answers
    assert sheet is not None
    assert sheet.answers.get(question="pr.attest").confirmed_by == lo


def test_the_prescriber_is_asked_only_for_what_only_they_may_answer_and_is_open(cast: Cast) -> None:
    attested = stage.drafted(cast)

    with pytest.raises(NothingToAttest):
        request.ask_prescriber(prior_auth_id=key_of(attested), question="Again?", by=cast.stella, now=NOW)


def test_the_staff_take_a_request_back_from_the_prescriber(cast: Cast) -> None:
    key = key_of(stage.detected(cast))
    request.take_up(prior_auth_id=key, by=cast.stella, now=NOW)
    request.ask_prescriber(prior_auth_id=key, question="Please attest.", by=cast.stella, now=NOW)

    taken_back = request.take_back(prior_auth_id=key, by=cast.stella, now=NOW)

    assert taken_back.state == "draft"


def test_submitting_freezes_the_answers_under_a_hash(cast: Cast) -> None:
    prior_auth = stage.queued(cast)

    assert prior_auth.state == "queued"
    assert len(prior_auth.packet_sha256) == 64
    with pytest.raises(AnswersClosed):
        request.answer_questions(
            prior_auth_id=key_of(prior_auth), answers={"dx.code": "M25.50"}, by=cast.stella, now=later(1)
        )


def test_a_request_without_a_known_insurer_cannot_be_submitted(cast: Cast) -> None:
    patient = stage.register(cast, insured=False)
    stage.fill(cast, patient, 10)
    key = key_of(PriorAuth.objects.get(patient=patient))
    request.take_up(prior_auth_id=key, by=cast.stella, now=NOW)

    with pytest.raises(NotReady) as refusal:
        request.submit(prior_auth_id=key, by=cast.stella, now=NOW)

    assert "coverage" in refusal.value.fields


def test_a_machine_cannot_answer_or_submit(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)
    machine = stage.machine_of(cast.stella)

    with pytest.raises(PersonNeeded):
        request.answer_questions(prior_auth_id=key_of(prior_auth), answers=ANSWERS, by=machine, now=NOW)
    with pytest.raises(NotReady) as refusal:
        request.submit(prior_auth_id=key_of(prior_auth), by=machine, now=NOW)

    assert set(refusal.value.fields) == {"by"}


def test_a_stale_version_is_refused(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)

    with pytest.raises(StaleVersion):
        request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=NOW, expected_version=1)

    prior_auth.refresh_from_db()
    assert prior_auth.state == "draft"


def test_a_withdrawal_says_why(cast: Cast) -> None:
    prior_auth = stage.queued(cast)

    with pytest.raises(InvalidInput):
        request.withdraw(prior_auth_id=key_of(prior_auth), reason=" ", by=cast.stella, now=NOW)
    request.withdraw(prior_auth_id=key_of(prior_auth), reason="Patient recovered.", by=cast.stella, now=NOW)

    assert Event.objects.filter(prior_auth=prior_auth).last().note == "Patient recovered."  # type: ignore[union-attr]
