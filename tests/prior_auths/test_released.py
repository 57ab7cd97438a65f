"""What an authorization means for the patient: what goes on without a request, and what needs another one."""

from datetime import date
from decimal import Decimal

import pytest

from authz.errors import InvalidInput
from authz.prior_auths import needs
from authz.prior_auths.authorization import Standing
from authz.prior_auths.authorizations import seen
from authz.prior_auths.determination import Grant
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.needs import PayerVerdict
from authz.prior_auths.opioid_use import known_patient
from authz.prior_auths.services import determinations, queue, renewals, request
from authz.prior_auths.what_if import Plan, what_if
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, key_of, later
from tests.prior_auths.test_review import REASON

OXYCODONE_10, MORPHINE_15 = "1049611", "892579"
LAST = date(2025, 3, 12)


def with_physician(cast: Cast, *fills: dict[str, object]) -> PriorAuth:
    """Return a request for the fills, each dispensed today for ten days unless said, that Dr Patel is to decide."""
    patient = stage.register(cast)
    for facts in fills:
        stage.fill(cast, patient, 10, **facts)  # type: ignore[arg-type]
    prior_auth = stage.drafted(cast, prior_auth=PriorAuth.objects.get(patient=patient))
    request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=NOW)
    queue.claim(prior_auth_id=key_of(prior_auth), by=cast.rae, now=NOW)
    return determinations.refer(prior_auth_id=key_of(prior_auth), reason="Look.", by=cast.rae, now=NOW)


def as_asked(prior_auth: PriorAuth, **changes: object) -> dict[int, Grant]:
    """Return a grant of every line as it was asked for, but for the changes."""
    return {
        line.line: Grant(
            **{
                "days": line.days_supply,
                "quantity": line.quantity,
                "starts_on": line.starts_on,
                "ends_on": line.ends_on,
            }  # type: ignore[arg-type]
            | changes
        )
        for line in prior_auth.lines.all()
    }


def granted_in_part(cast: Cast, prior_auth: PriorAuth, grants: dict[int, Grant]) -> PriorAuth:
    return determinations.approve_in_part(
        prior_auth_id=key_of(prior_auth), grants=grants, reason=REASON, by=cast.patel, now=NOW
    )


def both_approved(cast: Cast, **second: object) -> PriorAuth:
    """Return an approved request for oxycodone and morphine."""
    prior_auth = with_physician(cast, {}, {"rxcui": MORPHINE_15, **second})
    return determinations.approve(prior_auth_id=key_of(prior_auth), by=cast.patel, now=NOW)


def answer_on(cast: Cast, prior_auth: PriorAuth, day: date) -> PayerVerdict:
    (answer,) = needs.answers(needs.case_of(prior_auth.patient), as_of=day)
    return answer


def other_requests(prior_auth: PriorAuth) -> list[PriorAuth]:
    return list(PriorAuth.objects.filter(patient=prior_auth.patient).exclude(pk=prior_auth.pk).order_by("pk"))


# -- the rule reads it ------------------------------------------------------------------------------------------------
def test_what_was_denied_beside_a_granted_product_still_needs_authorization(cast: Cast) -> None:
    prior_auth = with_physician(cast, {}, {"rxcui": MORPHINE_15})
    oxycodone = prior_auth.lines.get(rxcui=stage.OXYCODONE_5).line
    granted_in_part(cast, prior_auth, {oxycodone: as_asked(prior_auth)[oxycodone]})

    stage.fill(cast, prior_auth.patient, 3, rxcui=MORPHINE_15, on=date(2025, 3, 10), now=later(24 * 7))

    (again,) = other_requests(prior_auth)
    assert again.state == "detected"
    assert [line.rxcui for line in again.lines.all()] == [MORPHINE_15]


def test_another_drug_beside_an_authorized_one_is_asked_for_by_itself(cast: Cast) -> None:
    prior_auth = stage.approved(cast)

    stage.fill(cast, prior_auth.patient, 5, rxcui=MORPHINE_15, on=date(2025, 3, 9), now=later(24 * 6))

    (asked,) = other_requests(prior_auth)
    assert asked.pa_required_from == date(2025, 3, 10)
    assert [(line.rxcui, line.days_supply, line.starts_on) for line in asked.lines.all()] == [
        (MORPHINE_15, 5, date(2025, 3, 9))
    ]


def test_another_drug_within_the_days_that_need_nothing_needs_nothing(cast: Cast) -> None:
    prior_auth = stage.approved(cast)

    stage.fill(cast, prior_auth.patient, 3, rxcui=MORPHINE_15, on=date(2025, 3, 4), now=later(24))

    assert other_requests(prior_auth) == []


def test_a_further_fill_once_the_quantity_is_used_up_is_asked_for(cast: Cast) -> None:
    prior_auth = stage.approved(cast)

    stage.fill(cast, prior_auth.patient, 3, on=date(2025, 3, 9), now=later(24 * 6))

    (asked,) = other_requests(prior_auth)
    assert [(line.days_supply, line.quantity) for line in asked.lines.all()] == [(3, Decimal(12))]


def test_a_window_longer_than_the_days_granted_releases_only_so_many(cast: Cast) -> None:
    prior_auth = with_physician(cast, {})
    granted_in_part(cast, prior_auth, as_asked(prior_auth, days=8, quantity=Decimal(32)))

    answer = answer_on(cast, prior_auth, TODAY)

    assert answer.release.periods[-1].end == TODAY.replace(day=10)
    assert answer.verdict.episodes[0].pa_required_from == date(2025, 3, 11)


def test_what_is_planned_is_told_to_need_it_though_another_drug_is_authorized(cast: Cast) -> None:
    prior_auth = stage.approved(cast)
    known = known_patient(cast.stella, stage.PatientId(prior_auth.patient.public_id), now=NOW)

    morphine = what_if(known, Plan(days_supply=5, starts_on=date(2025, 3, 9), rxcui=MORPHINE_15))

    assert morphine.needs_from == date(2025, 3, 10)


# -- how it stands ----------------------------------------------------------------------------------------------------
def test_what_was_just_approved_for_a_supply_in_hand_is_in_force_until_it_ends(cast: Cast) -> None:
    prior_auth = stage.approved(cast)

    stands = [seen(prior_auth, now=later(24 * days))[0].standing for days in (0, 5, 9, 10)]

    assert stands == [Standing.ACTIVE, Standing.IN_RENEWAL_WINDOW, Standing.IN_RENEWAL_WINDOW, Standing.EXPIRED]


def test_two_strengths_approved_together_each_show_what_was_dispensed_of_them(cast: Cast) -> None:
    prior_auth = with_physician(cast, {}, {"rxcui": OXYCODONE_10, "quantity": Decimal(20)})
    determinations.approve(prior_auth_id=key_of(prior_auth), by=cast.patel, now=NOW)

    drawn = {one.granted.rxcui: one.used.quantity for one in seen(prior_auth, now=NOW)}

    assert drawn == {stage.OXYCODONE_5: Decimal(40), OXYCODONE_10: Decimal(20)}


# -- going on ---------------------------------------------------------------------------------------------------------
def opened_on(*days: int) -> list[int]:
    """Return how many renewals were opened on each of the days after today."""
    return [renewals.open_renewals(now=later(24 * day)) for day in days]


def test_two_products_granted_together_are_renewed_together_once(cast: Cast) -> None:
    prior_auth = both_approved(cast)

    assert opened_on(3, 5, 6, 9) == [0, 1, 0, 0]

    (renewal,) = other_requests(prior_auth)
    assert {line.rxcui for line in renewal.lines.all()} == {stage.OXYCODONE_5, MORPHINE_15}
    assert {line.starts_on for line in renewal.lines.all()} == {date(2025, 3, 13)}


def test_what_was_renewed_with_another_is_not_renewed_again_when_that_request_has_ended(cast: Cast) -> None:
    prior_auth = both_approved(cast)
    opened_on(5)
    (renewal,) = other_requests(prior_auth)
    request.withdraw(prior_auth_id=key_of(renewal), reason="Enough.", by=cast.stella, now=later(24 * 5))

    assert opened_on(6, 9) == [0, 0]


def test_what_ends_much_later_is_renewed_in_its_own_time(cast: Cast) -> None:
    prior_auth = both_approved(cast, days_supply=30, quantity=Decimal(60))
    opened_on(5)
    (first,) = other_requests(prior_auth)
    request.withdraw(prior_auth_id=key_of(first), reason="Enough.", by=cast.stella, now=later(24 * 9))

    assert opened_on(10, 23, 24) == [0, 1, 0]

    assert [line.rxcui for line in first.lines.all()] == [stage.OXYCODONE_5]
    assert [line.rxcui for line in other_requests(prior_auth)[1].lines.all()] == [MORPHINE_15]


def test_a_supply_of_which_only_quantity_and_daily_units_are_known_is_renewed(cast: Cast) -> None:
    prior_auth = with_physician(cast, {"days_supply": None, "daily_units": Decimal(4), "quantity": Decimal(40)})
    determinations.approve(prior_auth_id=key_of(prior_auth), by=cast.patel, now=NOW)

    assert seen(prior_auth, now=NOW)[0].used.days == 10
    assert opened_on(5) == [1]


def test_a_renewal_asks_by_name_for_as_much_as_was_granted(cast: Cast) -> None:
    prior_auth = with_physician(cast, {"rxcui": OXYCODONE_10})
    grants = as_asked(prior_auth, rxcui=stage.OXYCODONE_5, daily_units=Decimal(2), quantity=Decimal(20))
    granted_in_part(cast, prior_auth, grants)

    opened_on(5)

    (renewal,) = other_requests(prior_auth)
    line = renewal.lines.get()
    assert line.product_name == "oxycodone hydrochloride 5 MG Oral Tablet"
    assert (line.quantity, line.daily_units) == (Decimal(20), Decimal(2))


# -- what cannot be granted -------------------------------------------------------------------------------------------
def test_no_more_days_are_granted_than_lie_between_the_dates(cast: Cast) -> None:
    prior_auth = with_physician(cast, {})

    with pytest.raises(InvalidInput) as refusal:
        granted_in_part(cast, prior_auth, as_asked(prior_auth, ends_on=TODAY))

    assert refusal.value.fields == {
        "grants.1": ["More days are granted than there are from the first day to the last."]
    }


def test_supplies_that_overlap_may_be_granted_as_they_were_asked_for(cast: Cast) -> None:
    prior_auth = with_physician(cast, {}, {})
    assert prior_auth.lines.get().days_supply == 20

    granted_in_part(cast, prior_auth, as_asked(prior_auth, quantity=Decimal(60)))

    assert seen(prior_auth, now=NOW)[0].used.quantity == Decimal(60)  # of the 80 that were dispensed
