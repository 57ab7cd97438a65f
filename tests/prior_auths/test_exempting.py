"""A request for use that is exempt: the exemption is recorded instead, and nothing is sent."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from authz.errors import InvalidInput, NotFound
from authz.ids import PatientId
from authz.prescriptions.models import Exemption
from authz.prior_auths import selectors
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import exempting, intake, renewals, request
from authz.prior_auths.services.request import NotReady
from authz.prior_auths.services.steps import IllegalStep
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, key_of, later

HOSPICE = {"ex.reason": "hospice", "ex.evidence": "Z51.5", "ex.start": "2025-02-01"}


def answered(cast: Cast, **answers: object) -> PriorAuth:
    """Return a request that lacks nothing, with these answers about an exemption."""
    prior_auth = stage.drafted(cast)
    said = {name.replace("__", "."): value for name, value in answers.items()}
    request.answer_questions(prior_auth_id=key_of(prior_auth), answers=said, by=cast.stella, now=NOW)  # type: ignore[arg-type]
    request.answer_questions(prior_auth_id=key_of(prior_auth), answers={"pr.attest": True}, by=cast.jones, now=NOW)
    return PriorAuth.objects.get(pk=prior_auth.pk)


def hospice(cast: Cast, **other: object) -> PriorAuth:
    return answered(cast, **(HOSPICE | other))


def record(cast: Cast, prior_auth: PriorAuth, *, by: stage.Actor | None = None) -> PriorAuth:
    return exempting.record_exemption(prior_auth_id=key_of(prior_auth), by=by or cast.stella, now=NOW)


def submitted(cast: Cast, prior_auth: PriorAuth) -> PriorAuth:
    return request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=NOW)


def test_what_the_payers_policy_exempts_is_not_sent_and_the_refusal_says_what_to_do(cast: Cast) -> None:
    prior_auth = hospice(cast)

    with pytest.raises(NotReady) as refusal:
        submitted(cast, prior_auth)

    assert refusal.value.fields == {
        "answers.ex.reason": ["The payer's policy exempts this: record the exemption instead, or correct this answer."]
    }


def test_the_exemption_that_the_answers_name_is_recorded_and_the_request_lapses(cast: Cast) -> None:
    prior_auth = record(cast, hospice(cast))

    kept = Exemption.objects.get()
    assert (kept.category, kept.evidence, kept.starts_on, kept.ends_on) == ("hospice", "Z51.5", date(2025, 2, 1), None)
    assert kept.organization == cast.riverside
    assert prior_auth.state == "lapsed"
    last = list(prior_auth.events.order_by("sequence"))[-2:]
    assert [(event.step, event.actor_name) for event in last] == [
        ("record_exemption", "Stella Marsh"), ("retract", "Authz"),
    ]  # fmt: skip


def test_to_record_an_exemption_is_offered_where_the_answers_name_one_that_is_not_recorded(cast: Cast) -> None:
    def is_offered(prior_auth: PriorAuth) -> bool:
        rows = [
            selectors.prior_auth(cast.stella, key_of(prior_auth)),
            selectors.listed(cast.stella).get(pk=prior_auth.pk),
        ]
        told = [Step.RECORD_EXEMPTION in selectors.allowed_steps(row, cast.stella) for row in rows]
        assert told[0] == told[1]
        return told[0]

    leaves_days = hospice(cast, ex__end=(TODAY - timedelta(days=1)).isoformat())

    assert not is_offered(stage.detected(cast))
    assert not is_offered(stage.drafted(cast))
    assert not is_offered(answered(cast, ex__reason="other"))
    assert is_offered(leaves_days)
    assert not is_offered(record(cast, leaves_days))


def test_an_exemption_withdrawn_later_brings_the_need_back(cast: Cast) -> None:
    prior_auth = record(cast, hospice(cast))

    intake.withdraw_exemption(exemption_id=Exemption.objects.get().public_id, by=cast.stella, now=NOW)

    assert PriorAuth.objects.exclude(pk=prior_auth.pk).get().state == "detected"


def test_an_exemption_that_leaves_days_is_recorded_and_the_request_for_them_is_sent(cast: Cast) -> None:
    prior_auth = record(cast, hospice(cast, ex__end=(TODAY - timedelta(days=1)).isoformat()))
    assert (prior_auth.state, prior_auth.need_in_doubt_at) == ("draft", None)

    assert submitted(cast, prior_auth).state == "queued"


def renewed_for_hospice(cast: Cast) -> tuple[PriorAuth, datetime]:
    """Return a prepared renewal that lacks nothing and names hospice care, and when it does."""
    before, at = stage.approved(cast), later(24 * 5)
    renewals.open_renewals(now=at)
    renewal = PriorAuth.objects.exclude(pk=before.pk).get()
    return filled_in(cast, renewal, at), at


def opened_for_hospice(cast: Cast) -> tuple[PriorAuth, datetime]:
    """Return a request for less than the limit that people opened, that lacks nothing and names hospice care."""
    patient = stage.register(cast)
    stage.fill(cast, patient, 5)
    patient_id = PatientId(patient.public_id)
    opened = intake.open_request(patient_id=patient_id, reason="It will be longer.", by=cast.stella, now=NOW)
    return filled_in(cast, opened, NOW), NOW


def filled_in(cast: Cast, prior_auth: PriorAuth, at: datetime) -> PriorAuth:
    assert prior_auth.answers is not None
    known = dict(prior_auth.answers.answers.values_list("question", "value"))
    key = key_of(prior_auth)
    for said in (known | stage.ANSWERS, HOSPICE):
        request.answer_questions(prior_auth_id=key, answers=said, by=cast.stella, now=at)
    return request.answer_questions(prior_auth_id=key, answers={"pr.attest": True}, by=cast.jones, now=at)


@pytest.mark.parametrize("draft", [renewed_for_hospice, opened_for_hospice])
def test_exempt_use_is_not_sent_though_no_rule_asks_for_the_request(
    cast: Cast, draft: Callable[[Cast], tuple[PriorAuth, datetime]]
) -> None:
    prior_auth, at = draft(cast)
    key = key_of(prior_auth)
    with pytest.raises(NotReady):
        request.submit(prior_auth_id=key, by=cast.stella, now=at)

    ended = exempting.record_exemption(prior_auth_id=key, by=cast.stella, now=at)

    assert (ended.state, ended.need_in_doubt_at, Exemption.objects.count()) == ("lapsed", None, 1)


def test_a_renewal_goes_on_for_the_days_after_an_exemption(cast: Cast) -> None:
    renewal, at = renewed_for_hospice(cast)
    key, said = key_of(renewal), {"ex.end": renewal.pa_required_from.isoformat()}
    request.answer_questions(prior_auth_id=key, answers=said, by=cast.stella, now=at)
    request.answer_questions(prior_auth_id=key, answers={"pr.attest": True}, by=cast.jones, now=at)

    kept = exempting.record_exemption(prior_auth_id=key, by=cast.stella, now=at)

    assert kept.state == "draft"
    assert request.submit(prior_auth_id=key, by=cast.stella, now=at).state == "queued"


def test_a_medicine_for_opioid_use_disorder_needs_no_request_and_none_is_sent(cast: Cast) -> None:
    prior_auth = answered(
        cast, ex__reason="opioid_use_disorder_treatment", ex__evidence="F11.20", ex__start="2025-02-01"
    )

    with pytest.raises(NotReady) as refusal:
        submitted(cast, prior_auth)

    assert refusal.value.fields["answers.ex.reason"] == [
        "Medicines for opioid use disorder need no authorization: withdraw the request, or correct this answer."
    ]


def test_what_the_policy_does_not_exempt_is_for_the_insurer_to_judge(cast: Cast) -> None:
    other = answered(cast, ex__reason="other", ex__evidence="A letter")
    cast.plan.policy = "fl_law_2018"
    cast.plan.save()
    not_there = hospice(cast)

    assert not_there.policy == "fl_law_2018"
    assert [submitted(cast, one).state for one in (other, not_there)] == ["queued", "queued"]


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"ex.reason": "other"}, "answers.ex.reason"),
        ({"ex.start": None}, "answers.ex.start"),
        ({"ex.evidence": None}, "answers.ex.evidence"),
        ({"ex.end": "2025-01-31"}, "answers.ex.end"),
    ],
)
def test_an_exemption_is_recorded_only_with_its_evidence_and_its_first_day(
    cast: Cast, answers: dict[str, object], field: str
) -> None:
    prior_auth = hospice(cast, **answers)

    with pytest.raises(InvalidInput) as refusal:
        record(cast, prior_auth)

    assert refusal.value.fields.keys() == {field}
    assert not Exemption.objects.exists()
    assert PriorAuth.objects.get().state == "draft"


def test_nobody_records_an_exemption_on_anothers_request_or_on_one_that_was_sent(cast: Cast) -> None:
    sent = stage.queued(cast)

    with pytest.raises(IllegalStep):
        record(cast, sent)
    with pytest.raises(NotFound):
        record(cast, hospice(cast), by=cast.mallory)
