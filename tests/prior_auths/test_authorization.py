"""What is left of an authorization is counted from fills; before it runs out a renewal is prepared, once."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from threading import Thread

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from authz.prior_auths.authorization import Granted, Release, Standing, Used, release, standing, use_of, used
from authz.prior_auths.authorizations import seen
from authz.prior_auths.models import Authorization, PriorAuth
from authz.prior_auths.services import endings, intake, rechecking, renewals, request
from authz.rules.formulary import packaged
from authz.rules.policy import Policy
from authz.rules.records import AuthorizedPeriod, Case, Record, RecordKind, RecordStatus
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later

MARCH = Granted(
    rxcui=stage.OXYCODONE_5, starts_on=date(2025, 3, 1), ends_on=date(2025, 3, 30), days=30, quantity=Decimal(120)
)
OXYCODONE_10, MORPHINE_15 = "1049611", "892579"
OXYCODONE_5 = stage.OXYCODONE_5


def march(number: int) -> date:
    return date(2025, 3, number)


def granted(first: int, last: int, days: int, units: int | None, rxcui: str = OXYCODONE_5) -> Granted:
    quantity = None if units is None else Decimal(units)
    return Granted(rxcui=rxcui, starts_on=march(first), ends_on=march(last), days=days, quantity=quantity)


def dispensed(on: date, days: int = 10, rxcui: str = stage.OXYCODONE_5, **changes: object) -> Record:
    facts: dict[str, object] = {
        "id": f"{on}-{rxcui}",
        "version": 1,
        "recorded_on": on,
        "kind": RecordKind.FILL,
        "status": RecordStatus.ACTIVE,
        "rx_id": None,
        "fill_number": 0,
        "start": on,
        "rxcui": rxcui,
        "quantity": Decimal(4 * days),
        "days_supply": days,
        "daily_units": None,
    }
    return Record(**(facts | changes))  # type: ignore[arg-type]


def case_of(*records: Record, **policy: object) -> Case:
    return Case(id="one", as_of=march(31), policy=Policy.from_mapping(policy), records=records)


def drawn_on(right: Granted, *records: Record, beside: Sequence[Granted] = ()) -> Used:
    return used(right, beside=beside, use=use_of(case_of(*records), packaged()), formulary=packaged())


@pytest.mark.parametrize(
    ("records", "drawn"),
    [
        ([], Used(0, Decimal(0))),
        ([dispensed(march(1))], Used(10, Decimal(40), march(10))),
        ([dispensed(march(1)), dispensed(march(6), rxcui=OXYCODONE_10)], Used(15, Decimal(80), march(15))),
        ([dispensed(date(2025, 2, 25))], Used(6, Decimal(0), march(6))),
        ([dispensed(march(1), quantity=Decimal(500))], Used(10, Decimal(120), march(10))),
        ([dispensed(march(26))], Used(5, Decimal(40), march(30))),
        ([dispensed(march(1), rxcui=MORPHINE_15)], Used(0, Decimal(0))),
        ([dispensed(march(1), kind=RecordKind.RX)], Used(0, Decimal(0))),
        ([dispensed(march(1), status=RecordStatus.REVERSED)], Used(0, Decimal(0))),
        ([dispensed(march(1), days_supply=None, daily_units=Decimal(4))], Used(10, Decimal(40), march(10))),
        ([dispensed(march(1), id=key, rx_id="x") for key in "ab"], Used(10, Decimal(40), march(10))),
        ([dispensed(march(1), days_supply=400)], Used(0, Decimal(0))),
    ],
    ids=["nothing", "a fill", "another strength", "before", "more units than granted", "at the end",
         "another ingredient", "an order", "reversed", "days worked out", "told of twice", "a typing error"],
)  # fmt: skip
def test_what_the_rule_counts_of_the_ingredient_draws_on_it(records: list[Record], drawn: Used) -> None:
    assert drawn_on(MARCH, *records) == drawn


def test_a_fill_of_exactly_a_granted_product_draws_on_that_one_only() -> None:
    five, ten = granted(1, 10, 10, 60), granted(1, 5, 5, 20, OXYCODONE_10)
    fills = dispensed(march(1)), dispensed(march(1), 5, rxcui=OXYCODONE_10)

    assert drawn_on(five, *fills, beside=[five, ten]) == Used(10, Decimal(40), march(10))
    assert drawn_on(ten, *fills, beside=[five, ten]) == Used(5, Decimal(20), march(5))
    assert drawn_on(five, *fills, beside=[five]) == Used(10, Decimal(60), march(10))


@pytest.mark.parametrize(
    ("on", "drawn", "stands"),
    [
        (march(1), Used(10, Decimal(40), march(10)), Standing.ACTIVE),
        (march(23), Used(10, Decimal(40), march(10)), Standing.ACTIVE),
        (march(24), Used(10, Decimal(40), march(10)), Standing.IN_RENEWAL_WINDOW),
        (march(1), Used(30, Decimal(120), march(30)), Standing.ACTIVE),
        (march(24), Used(30, Decimal(120), march(30)), Standing.IN_RENEWAL_WINDOW),
        (march(10), Used(10, Decimal(120), march(10)), Standing.ACTIVE),
        (march(11), Used(10, Decimal(120), march(10)), Standing.EXHAUSTED),
        (march(31), Used(30, Decimal(120), march(30)), Standing.EXPIRED),
    ],
)
def test_it_is_exhausted_once_nothing_is_left_and_the_supply_in_hand_is_used_up(
    on: date, drawn: Used, stands: Standing
) -> None:
    assert standing(MARCH, drawn, on=on) is stands


# -- what it releases -------------------------------------------------------------------------------------------------
TEN_DAYS = dispensed(march(3))  # and 40 units
RELEASED = [
    ("all that was granted is in use", [granted(3, 12, 10, 40)], [TEN_DAYS], [(3, 12)]),
    ("nothing is in use", [granted(3, 12, 10, 40)], [], [(3, 12)]),
    ("the days are used up before the window ends", [granted(3, 12, 2, 40)], [TEN_DAYS], [(3, 4)]),
    ("the quantity too small: what was begun goes on", [granted(3, 12, 10, 20)], [TEN_DAYS], [(3, 12)]),
    ("a fill begins once the quantity is used up", [granted(3, 12, 10, 40)], [TEN_DAYS, dispensed(march(8), 3)],
     [(3, 7), (11, 12)]),
    ("a fill begins while some of it is left", [granted(3, 12, 10, 60)], [TEN_DAYS, dispensed(march(8), 3)], [(3, 12)]),
    ("no quantity was said", [granted(3, 12, 10, None)], [TEN_DAYS, dispensed(march(8), 3)], [(3, 12)]),
    ("an order begins once the quantity is used up", [granted(3, 12, 10, 40)],
     [TEN_DAYS, dispensed(march(10), 3, kind=RecordKind.RX)], [(3, 9)]),
    ("an order uses days up", [granted(3, 20, 10, 80)],
     [dispensed(march(3), kind=RecordKind.RX), dispensed(march(13), 5)], [(3, 12)]),
    ("another ingredient beside it", [granted(3, 12, 10, 40)], [TEN_DAYS, dispensed(march(8), 3, rxcui=MORPHINE_15)],
     [(3, 7), (11, 12)]),
    ("another ingredient, denied, from the first day on", [granted(3, 12, 10, 40)],
     [TEN_DAYS, dispensed(march(3), rxcui=MORPHINE_15)], []),
    ("both ingredients were granted", [granted(3, 12, 10, 40), granted(3, 12, 10, 40, MORPHINE_15)],
     [TEN_DAYS, dispensed(march(3), rxcui=MORPHINE_15)], [(3, 12)]),
    ("another strength of the ingredient", [granted(3, 12, 10, 40)], [dispensed(march(3), rxcui=OXYCODONE_10)],
     [(3, 12)]),
    ("two one after the other are one period", [granted(3, 7, 5, 40), granted(8, 12, 5, 40)], [TEN_DAYS], [(3, 12)]),
    ("a refill fetched early waits for its own", [granted(3, 12, 10, 40), granted(13, 22, 10, 40)],
     [TEN_DAYS, dispensed(march(11))], [(3, 22)]),
    ("fetched after the supply in hand is used up", [granted(3, 15, 10, 40), granted(18, 27, 10, 40)],
     [TEN_DAYS, dispensed(march(14))], [(3, 12), (18, 27)]),
    ("two apart are two", [granted(3, 5, 3, 40), granted(8, 12, 5, 40)], [TEN_DAYS], [(3, 5), (8, 12)]),
    ("what is not counted needs none", [granted(3, 12, 10, 40)],
     [TEN_DAYS, dispensed(march(8), 3, status=RecordStatus.REVERSED)], [(3, 12)]),
]  # fmt: skip


@pytest.mark.parametrize(("rights", "records", "days"), [row[1:] for row in RELEASED], ids=[row[0] for row in RELEASED])
def test_which_days_are_released(rights: list[Granted], records: list[Record], days: list[tuple[int, int]]) -> None:
    released = release(case_of(*records), rights, packaged())

    assert released.periods == tuple(AuthorizedPeriod(start=march(first), end=march(last)) for first, last in days)


def test_what_is_not_covered_is_named_day_by_day() -> None:
    morphine = dispensed(march(8), 3, rxcui=MORPHINE_15)

    released = release(case_of(TEN_DAYS, morphine), [granted(3, 12, 10, 40)], packaged())

    assert released.authorized == {TEN_DAYS.id}
    assert released.withheld == dict.fromkeys([march(8), march(9), march(10)], morphine.id)


def test_where_nothing_was_granted_nothing_is_released() -> None:
    assert release(case_of(TEN_DAYS), [], packaged()) == Release()


PRODUCTS = [OXYCODONE_5, OXYCODONE_10, MORPHINE_15]
rights = st.builds(
    lambda first, length, days, units, rxcui: granted(first, min(first + length, 31), days, units, rxcui),
    st.integers(1, 25), st.integers(0, 14), st.integers(1, 14), st.none() | st.integers(1, 60),
    st.sampled_from(PRODUCTS),
)  # fmt: skip
supplies = st.builds(
    lambda number, first, days, kind, rxcui: dispensed(march(first), days, rxcui, id=str(number), kind=kind),
    st.uuids(), st.integers(1, 28), st.integers(1, 14), st.sampled_from(RecordKind), st.sampled_from(PRODUCTS),
)  # fmt: skip
policies = st.fixed_dictionaries({"overlap": st.sampled_from(["union", "shift"]), "count_written": st.booleans()})


@given(st.lists(rights, max_size=4), st.lists(supplies, max_size=6), policies)
def test_no_more_days_of_use_are_released_than_were_granted_and_none_of_a_drug_nobody_granted(
    rights: list[Granted], records: list[Record], policy: dict[str, object]
) -> None:
    case = case_of(*records, **policy)
    use = use_of(case, packaged())
    periods = release(case, rights, packaged()).periods
    released = {date.fromordinal(day) for period in periods for day in range(*ordinals(period))}

    in_use = {date.fromordinal(day) for first, stop, _ in use for day in range(first, stop)}
    assert len(released & in_use) <= sum(right.days for right in rights)
    for first, stop, supply in use:
        for day in released & {date.fromordinal(one) for one in range(first, stop)}:
            open_then = [right for right in rights if right.starts_on <= day <= right.ends_on]
            assert supply.product
            assert supply.product.ingredient_rxcui in {ingredient(right.rxcui) for right in open_then}


def ordinals(period: AuthorizedPeriod) -> tuple[int, int]:
    assert period.start
    assert period.end
    return period.start.toordinal(), period.end.toordinal() + 1


def ingredient(rxcui: str) -> str:
    product = packaged().product(rxcui)
    assert product
    return product.ingredient_rxcui


# -- and on stage -----------------------------------------------------------------------------------------------------
def test_a_short_one_can_be_renewed_in_its_second_half_only() -> None:
    short = Granted(rxcui="1", starts_on=date(2025, 3, 1), ends_on=date(2025, 3, 4), days=4, quantity=None)

    assert short.renewal_from == date(2025, 3, 3)


def test_a_reversed_fill_gives_back_what_it_drew(cast: Cast) -> None:
    stage.approved(cast)
    prior_auth = PriorAuth.objects.get()
    (before,) = seen(prior_auth, now=NOW)
    assert before.used == Used(10, Decimal(40), march(12))

    fill = prior_auth.patient.fills.get()
    intake.reverse_fill(fill_id=fill.public_id, by=cast.stella, now=later(1))

    (after,) = seen(prior_auth, now=later(1))
    assert after.used == Used(0, Decimal(0))


def test_a_voided_requests_authorization_is_revoked(cast: Cast) -> None:
    prior_auth = stage.approved(cast)
    endings.void(prior_auth_id=key_of(prior_auth), reason="Wrong.", by=cast.nora, now=later(1))

    assert [one.standing for one in seen(prior_auth, now=later(1))] == [Standing.REVOKED]


def test_before_it_runs_out_a_renewal_is_prepared_once_for_as_much_again(cast: Cast) -> None:
    before = stage.approved(cast)

    opened = [renewals.open_renewals(now=later(24 * days)) for days in (3, 5, 6, 9)]

    renewal = PriorAuth.objects.exclude(pk=before.pk).get()
    assert opened == [0, 1, 0, 0]
    assert (renewal.state, renewal.renews, renewal.clinic) == ("draft", Authorization.objects.get(), before.clinic)
    line = renewal.lines.get()
    assert (line.starts_on, line.ends_on, line.days_supply, line.quantity) == (
        date(2025, 3, 13),
        date(2025, 3, 22),
        10,
        40,
    )
    assert renewal.answers is not None
    kept = renewal.answers.answers.get(question="pain.type")
    assert (kept.value, kept.source, kept.confirmed_at) == ("post-surgical", "prior_request", None)
    assert not renewal.answers.answers.filter(question="pr.attest").exists()


def test_a_renewal_is_submitted_once_what_it_offers_is_confirmed_and_the_rest_is_answered(cast: Cast) -> None:
    before = stage.approved(cast)
    renewals.open_renewals(now=later(24 * 5))
    renewal = PriorAuth.objects.exclude(pk=before.pk).get()
    assert renewal.answers is not None
    offered = dict(renewal.answers.answers.values_list("question", "value"))
    assert (offered["req.days_supply"], offered["req.quantity"], offered["req.type"]) == (10, "40", "continuation")

    answers = {**offered, "pdmp.checked": True, "benzo.concurrent": False, "plan.followup": "2025-03-20"}
    request.answer_questions(prior_auth_id=key_of(renewal), answers=answers, by=cast.stella, now=later(24 * 5))
    request.answer_questions(
        prior_auth_id=key_of(renewal), answers={"pr.attest": True}, by=cast.jones, now=later(24 * 5)
    )
    submitted = request.submit(prior_auth_id=key_of(renewal), by=cast.stella, now=later(24 * 5))

    assert submitted.packet is not None
    sources = {one["question"]: one["source"] for one in submitted.packet["answers"]}
    assert (sources["dx.code"], sources["req.mme_daily"]) == ("prior_request", "computed")


def recheck_due(hours: float) -> None:
    """Recheck, as the workers do each day, whom a day alone may have changed the answer for."""
    rechecking.ask_for_due(now=later(hours))
    while rechecking.recheck_next(now=later(hours)):
        pass


def test_a_renewal_stays_while_it_lies_ahead_and_lapses_untouched_when_the_need_does_not_come(cast: Cast) -> None:
    before = stage.approved(cast)
    renewals.open_renewals(now=later(24 * 6))

    recheck_due(24 * 8)
    assert PriorAuth.objects.exclude(pk=before.pk).get().state == "draft"

    recheck_due(24 * 12)
    assert PriorAuth.objects.exclude(pk=before.pk).get().state == "lapsed"


def test_a_use_that_goes_on_takes_up_the_renewal_instead_of_a_second_request(cast: Cast) -> None:
    before = stage.approved(cast)
    renewals.open_renewals(now=later(24 * 6))

    stage.fill(cast, before.patient, 10, on=date(2025, 3, 13), now=later(24 * 10))

    assert PriorAuth.objects.exclude(pk=before.pk).get().renews is not None


def test_a_use_that_is_asked_for_already_needs_no_renewal_though_its_fill_was_exchanged(cast: Cast) -> None:
    before = stage.approved(cast)
    intake.reverse_fill(fill_id=before.patient.fills.get().public_id, by=cast.stella, now=later(1))
    stage.fill(cast, before.patient, 20, on=date(2025, 3, 5), now=later(24 * 2))

    assert PriorAuth.objects.exclude(pk=before.pk).get().state == "detected"
    assert renewals.open_renewals(now=later(24 * 6)) == 0


def test_what_was_never_used_or_not_approved_is_not_renewed(cast: Cast) -> None:
    decided = stage.approved(cast)
    intake.reverse_fill(fill_id=decided.patient.fills.get().public_id, by=cast.stella, now=later(1))
    stage.denied(cast)

    assert renewals.open_renewals(now=later(24 * 6)) == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_prepare_one_renewal() -> None:
    cast = stage.assemble()
    stage.approved(cast)

    def work() -> None:
        renewals.open_renewals(now=later(24 * 6))
        connections.close_all()

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert PriorAuth.objects.filter(renews__isnull=False).count() == 1
