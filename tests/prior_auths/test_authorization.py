"""What is left of an authorization is counted from fills; before it runs out a renewal is prepared, once."""

from datetime import date
from decimal import Decimal
from threading import Thread

import pytest
from django.db import connections

from authz.prior_auths.authorization import Granted, Standing, Used, standing, used
from authz.prior_auths.authorizations import seen
from authz.prior_auths.models import Authorization, PriorAuth
from authz.prior_auths.services import endings, intake, rechecking, renewals, request
from authz.rules.records import Record, RecordKind, RecordStatus
from tests import cast as stage
from tests.cast import Cast, key_of, later

MARCH = Granted(
    rxcui=stage.OXYCODONE_5, starts_on=date(2025, 3, 1), ends_on=date(2025, 3, 30), days=30, quantity=Decimal(120)
)
OXYCODONE_10, MORPHINE_15 = "1049611", "892579"


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


@pytest.mark.parametrize(
    ("records", "drawn"),
    [
        ([], Used(0, Decimal(0))),
        ([dispensed(date(2025, 3, 1))], Used(10, Decimal(40))),
        ([dispensed(date(2025, 3, 1)), dispensed(date(2025, 3, 6), rxcui=OXYCODONE_10)], Used(15, Decimal(80))),
        ([dispensed(date(2025, 2, 25))], Used(6, Decimal(0))),
        ([dispensed(date(2025, 3, 26))], Used(5, Decimal(40))),
        ([dispensed(date(2025, 3, 1), rxcui=MORPHINE_15)], Used(0, Decimal(0))),
        ([dispensed(date(2025, 3, 1), kind=RecordKind.RX)], Used(0, Decimal(0))),
        ([dispensed(date(2025, 3, 1), status=RecordStatus.REVERSED)], Used(0, Decimal(0))),
        ([dispensed(date(2025, 3, 1), days_supply=None)], Used(0, Decimal(40))),
    ],
)
def test_dispensings_of_the_ingredient_draw_on_it(records: list[Record], drawn: Used) -> None:
    assert used(MARCH, records) == drawn


@pytest.mark.parametrize(
    ("on", "drawn", "stands"),
    [
        (date(2025, 3, 1), Used(10, Decimal(40)), Standing.ACTIVE),
        (date(2025, 3, 23), Used(10, Decimal(40)), Standing.ACTIVE),
        (date(2025, 3, 24), Used(10, Decimal(40)), Standing.IN_RENEWAL_WINDOW),
        (date(2025, 3, 24), Used(30, Decimal(40)), Standing.EXHAUSTED),
        (date(2025, 3, 2), Used(10, Decimal(120)), Standing.EXHAUSTED),
        (date(2025, 3, 31), Used(30, Decimal(120)), Standing.EXPIRED),
    ],
)
def test_how_it_stands(on: date, drawn: Used, stands: Standing) -> None:
    assert standing(MARCH, drawn, on=on) is stands


def test_a_short_one_can_be_renewed_in_its_second_half_only() -> None:
    short = Granted(rxcui="1", starts_on=date(2025, 3, 1), ends_on=date(2025, 3, 4), days=4, quantity=None)

    assert short.renewal_from == date(2025, 3, 3)


def test_a_reversed_fill_gives_back_what_it_drew(cast: Cast) -> None:
    stage.approved(cast)
    authorization = Authorization.objects.get()
    assert seen(authorization, on=stage.TODAY).used == Used(10, Decimal(40))

    fill = authorization.prior_auth.patient.fills.get()
    intake.reverse_fill(fill_id=fill.public_id, by=cast.stella, now=later(1))

    assert seen(authorization, on=stage.TODAY).used == Used(0, Decimal(0))


def test_a_voided_requests_authorization_is_revoked(cast: Cast) -> None:
    endings.void(prior_auth_id=key_of(stage.approved(cast)), reason="Wrong.", by=cast.nora, now=later(1))

    assert seen(Authorization.objects.get(), on=stage.TODAY).standing is Standing.REVOKED


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
