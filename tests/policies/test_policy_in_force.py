"""Which payer's rule, and which version of it, decides about a fill; and what findings do to a request."""

from datetime import date, timedelta
from decimal import Decimal

from authz.ids import PatientId, PlanId
from authz.policies import services
from authz.policies.models import Plan
from authz.prescriptions.facts import CoverageFacts, ExemptionFacts
from authz.prescriptions.models import Patient
from authz.prior_auths.models import Evaluation, PriorAuth
from authz.prior_auths.opioid_use import opioid_use
from authz.prior_auths.services import determinations, intake
from authz.rules.policy import ExemptionCategory
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, key_of
from tests.policies.documents import limit, strict
from tests.policies.office import Office

MORPHINE_ER_15, OXYCODONE_ER_10 = "891881", "1049502"


def insured_under(cast: Cast, policy: str, *, since: date = date(2018, 1, 1)) -> Patient:
    """Return a patient whom a plan of Evergreen's covers that is under this policy."""
    plan = services.create_plan(insurer=cast.evergreen, code=policy, name=policy, policy=policy)
    patient = stage.register(cast, insured=False)
    cover(cast, patient, plan, since=since)
    return patient


def cover(cast: Cast, patient: Patient, plan: Plan, *, since: date, until: date | None = None) -> None:
    facts = CoverageFacts(
        plan_id=PlanId(plan.public_id),
        payer_name="",
        member_id=f"{plan.code}-{patient.pk}",
        starts_on=since,
        ends_on=until,
    )
    intake.record_coverage(patient_id=PatientId(patient.public_id), facts=facts, by=cast.stella, now=NOW)


def tablets(cast: Cast, patient: Patient, days: int, a_day: int, *, on: date = TODAY, **other: object) -> None:
    """Record oxycodone 5 mg, 7.5 MME each."""
    stage.fill(cast, patient, days, on=on, quantity=Decimal(days * a_day), **other)


def only_request(patient: Patient) -> PriorAuth:
    return PriorAuth.objects.get(patient=patient)


def applied(patient: Patient) -> set[tuple[str, str]]:
    return set(Evaluation.objects.filter(patient=patient).values_list("policy", "policy_version"))


# -- which version


def test_the_version_in_force_on_the_day_of_the_fill_decides(office: Office) -> None:
    office.active(limit(3, in_force_until="2025-02-28"))
    office.active(limit(14, version="2", in_force_from="2025-03-01"))
    before, after = insured_under(office.cast, "evergreen"), stage.register(office.cast, insured=False)
    cover(office.cast, after, before.coverages.get().plan, since=date(2018, 1, 1))

    stage.fill(office.cast, before, 5, on=date(2025, 2, 28))
    stage.fill(office.cast, after, 5, on=date(2025, 3, 1))

    prior_auth = only_request(before)
    assert (prior_auth.policy, prior_auth.policy_version) == ("evergreen", "1")
    assert prior_auth.pa_required_from == date(2025, 3, 3)
    assert not PriorAuth.objects.filter(patient=after).exists()
    assert applied(after) == {("evergreen", "2")}


def test_a_milder_version_forgives_nothing_that_an_earlier_one_required(office: Office) -> None:
    office.active(limit(3, in_force_until="2025-02-28"))
    office.active(limit(14, version="2", in_force_from="2025-03-01"))
    patient = insured_under(office.cast, "evergreen")

    stage.fill(office.cast, patient, 5, on=date(2025, 2, 26))
    stage.fill(office.cast, patient, 20, on=date(2025, 3, 3))

    prior_auth = only_request(patient)
    assert (prior_auth.policy_version, prior_auth.pa_required_from) == ("1", date(2025, 3, 1))
    assert applied(patient) == {("evergreen", "1"), ("evergreen", "2")}


def test_use_that_an_earlier_version_allowed_is_not_caught_by_a_stricter_one(office: Office) -> None:
    office.active(limit(14, in_force_until="2025-02-28"))
    office.active(limit(3, version="2", in_force_from="2025-03-01"))
    patient = insured_under(office.cast, "evergreen")

    stage.fill(office.cast, patient, 5, on=date(2025, 2, 26))

    assert not PriorAuth.objects.exists()


def test_where_no_version_is_in_force_the_default_stands_in_and_is_marked(office: Office) -> None:
    office.active(limit(14, in_force_from="2025-03-03"))
    patient = insured_under(office.cast, "evergreen")

    stage.fill(office.cast, patient, 10, on=date(2025, 3, 2))

    prior_auth = only_request(patient)
    assert (prior_auth.policy, prior_auth.is_payer_rule_unknown) == ("default", True)
    assert prior_auth.insurer == office.cast.evergreen
    assert prior_auth.explanation["payer_rule_unknown"] is True


def test_a_plan_under_the_default_policy_is_not_unknown(cast: Cast) -> None:
    patient = stage.register(cast)

    stage.fill(cast, patient, 10)

    assert only_request(patient).is_payer_rule_unknown is False


def test_the_coverage_on_the_day_of_the_causing_fill_decides_between_payers(cast: Cast) -> None:
    strict_plan = services.create_plan(insurer=cast.evergreen, code="FL", name="FL", policy="fl_law_2018")
    other_plan = services.create_plan(insurer=cast.summit, code="IN", name="IN", policy="in_medicaid_2016")
    early, late = stage.register(cast, insured=False), stage.register(cast, insured=False)
    for patient in (early, late):
        cover(cast, patient, strict_plan, since=date(2018, 1, 1), until=date(2025, 2, 28))
        cover(cast, patient, other_plan, since=date(2025, 3, 1))

    stage.fill(cast, early, 5, on=date(2025, 2, 28))
    stage.fill(cast, late, 5, on=date(2025, 3, 1))

    assert (only_request(early).policy, only_request(early).insurer) == ("fl_law_2018", cast.evergreen)
    assert not PriorAuth.objects.filter(patient=late).exists()


def test_opioid_use_is_told_by_the_version_in_force_on_the_day_asked_about(office: Office) -> None:
    office.active(limit(3, in_force_until="2025-03-02"))
    office.active(limit(14, version="2", in_force_from="2025-03-03"))
    patient = insured_under(office.cast, "evergreen")
    stage.fill(office.cast, patient, 5, on=date(2025, 3, 1))

    key = PatientId(patient.public_id)
    told = [
        opioid_use(office.cast.stella, key, now=NOW, as_of=day).payer.policy.version
        for day in (date(2025, 3, 2), TODAY)
    ]

    assert told == ["1", "2"]


# -- findings


def test_a_dose_that_the_policy_only_tells_of_opens_nothing_and_is_told(cast: Cast) -> None:
    patient = stage.register(cast)

    tablets(cast, patient, 5, 12)

    use = opioid_use(cast.stella, PatientId(patient.public_id), now=NOW)
    assert not PriorAuth.objects.exists()
    assert [finding.name for finding in use.payer.findings] == ["mme_per_day_50", "mme_per_day_90"]
    assert (
        "Up to 90.00 MME a day from 2025-03-03 to 2025-03-07 (factor table 2022); the threshold is 90." in use.sentences
    )


def test_a_dose_for_which_the_policy_requires_authorization_opens_a_request(cast: Cast) -> None:
    patient = insured_under(cast, "part_d_2019")

    tablets(cast, patient, 5, 27)

    prior_auth = only_request(patient)
    line = prior_auth.lines.get()
    assert prior_auth.pa_required_from == TODAY
    assert (line.starts_on, line.ends_on) == (TODAY, TODAY + timedelta(days=4))
    assert (
        "The policy requires prior authorization for this, from 2025-03-03 on." in prior_auth.explanation["sentences"]
    )
    assert [finding["kind"] for finding in prior_auth.explanation["findings"]] == ["mme_per_day", "mme_per_day"]
    assert prior_auth.evaluation.is_required


def test_an_exemption_takes_the_requirement_away_again(cast: Cast) -> None:
    patient = insured_under(cast, "part_d_2019")
    tablets(cast, patient, 5, 27)

    facts = ExemptionFacts(category=ExemptionCategory.CANCER, starts_on=date(2025, 1, 1), ends_on=None, evidence="C50")
    intake.record_exemption(patient_id=PatientId(patient.public_id), facts=facts, by=cast.stella, now=NOW)

    assert only_request(patient).state == "lapsed"


def test_the_second_long_acting_opioid_is_the_cause_where_two_need_authorization(cast: Cast) -> None:
    patient = insured_under(cast, "in_medicaid_2016")
    stage.fill(cast, patient, 5, on=TODAY - timedelta(days=2), rxcui=MORPHINE_ER_15, quantity=Decimal(5))
    assert not PriorAuth.objects.exists()

    stage.fill(cast, patient, 5, rxcui=OXYCODONE_ER_10, quantity=Decimal(5))

    prior_auth = only_request(patient)
    assert prior_auth.pa_required_from == TODAY
    assert [line.rxcui for line in prior_auth.lines.all()] == [OXYCODONE_ER_10]


def test_days_and_dose_of_one_use_are_one_request_from_the_first_day_of_either(cast: Cast) -> None:
    patient = insured_under(cast, "part_d_2019")

    tablets(cast, patient, 10, 27)

    prior_auth = only_request(patient)
    assert prior_auth.pa_required_from == TODAY
    assert any("from 2025-03-10 on" in sentence for sentence in prior_auth.explanation["sentences"])


def test_the_first_fill_that_causes_any_of_it_begins_what_is_asked_for(cast: Cast) -> None:
    patient = insured_under(cast, "part_d_2019")
    tablets(cast, patient, 10, 4)

    tablets(cast, patient, 3, 27, on=TODAY, rx_number="another")

    prior_auth = only_request(patient)
    assert prior_auth.pa_required_from == TODAY
    assert sum(line.days_supply for line in prior_auth.lines.all()) == 13


def test_an_approval_answers_the_dose_as_well(office: Office) -> None:
    dose = strict()["thresholds"][0] | {"at_least": 30}
    office.active(limit(3, code="default", version="own", thresholds=[dose]))
    prior_auth = stage.in_review(office.cast)
    key = PatientId(prior_auth.patient.public_id)
    asked = opioid_use(office.cast.stella, key, now=NOW).payer.findings

    determinations.approve(prior_auth_id=key_of(prior_auth), by=office.cast.rae, now=NOW)

    answered = opioid_use(office.cast.stella, key, now=NOW).payer.findings
    assert [finding.required_from for finding in asked] == [TODAY]
    assert [finding.required_from for finding in answered] == [None]
    assert PriorAuth.objects.count() == 1


def test_a_strict_threshold_of_the_payers_own_is_followed(office: Office) -> None:
    office.active(strict())
    patient = insured_under(office.cast, "evergreen")

    tablets(office.cast, patient, 2, 12)

    assert only_request(patient).policy == "evergreen"
