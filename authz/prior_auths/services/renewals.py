"""Before an authorization runs out: a request to go on, prefilled, opened exactly once.

One determination may have granted several products. What of it is to end soon is asked for together.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from authz import clock
from authz.access.roles import SYSTEM
from authz.documentation.services import answers as documentation
from authz.formulary import selectors as formularies
from authz.prescriptions.models import FillVersion, Patient
from authz.prior_auths import needs as needs_of
from authz.prior_auths.authorizations import right_of, seen
from authz.prior_auths.lifecycle import ACTIVE, Step
from authz.prior_auths.models import Authorization, DeterminationLine, PriorAuth, RequestedLine
from authz.prior_auths.needs import Need, PatientCase
from authz.prior_auths.prefill import earlier_answers, prefill_of
from authz.prior_auths.services.detection import open_for
from authz.prior_auths.services.sweeping import sweep

_LONGEST_WINDOW = timedelta(days=8)
# A glance that spares most of them: which of these fills draw on the authorization is looked up one by one.
_HAS_FILLS = Exists(
    FillVersion.objects.filter(
        fill__patient=OuterRef("prior_auth__patient"),
        starts_on__range=(OuterRef("starts_on"), OuterRef("ends_on")),
    )
)


def open_renewals(*, now: datetime) -> int:
    """Open a renewal for every authorization in its renewal window that is in use; return how many there were."""
    ahead = (now + _LONGEST_WINDOW).date()
    near = Authorization.objects.filter(ends_on__lte=ahead, ends_on__gte=now.date() - timedelta(days=1))
    waiting = near.filter(_HAS_FILLS, revoked_at=None, renewal=None, determination__superseded_by=None)
    return sweep(waiting.order_by("ends_on", "pk").values_list("pk", flat=True), work=_open_one, now=now)


@transaction.atomic
def _open_one(key: int, now: datetime) -> int:
    long = [f"prior_auth__{name}" for name in PriorAuth.LONG]
    authorization = Authorization.objects.select_related("prior_auth").defer(*long).get(pk=key)
    before = authorization.prior_auth
    patient = Patient.objects.select_for_update(no_key=True).get(pk=before.patient_id)
    on = clock.day_in(before.time_zone, at=now)
    if not _is_time(authorization, on):
        return 0
    known = needs_of.case_of(patient)
    ending = _ending_soon(authorization, known, on=on, now=now)
    if authorization not in ending:
        return 0
    need = needs_of.latest_use(known, needs_of.answers(known, as_of=on), on=on)
    if need is None or (need.coverage.pk if need.coverage else None) != before.coverage_id:
        return 0
    if _is_asked_for(before, need):
        return 0
    renewal = open_for(need=need, known=known, clinic=before.clinic, step=Step.RENEW, by=SYSTEM, on=on, now=now)
    renewal.renews = authorization
    renewal.pa_required_from = authorization.ends_on + timedelta(days=1)
    _ask_for_as_much_again(renewal, ending)
    renewal.answers = documentation.start_sheet(
        prefill=prefill_of(renewal, on=on), earlier=earlier_answers(renewal), on=on, now=now
    )
    renewal.save(update_fields=["renews", "pa_required_from", "answers"])
    return 1


def _is_time(authorization: Authorization, on: date) -> bool:
    """Say whether it is time, and no renewal was prepared yet: of it, or of what else was granted with it."""
    granted, before = right_of(authorization), authorization.prior_auth
    if not granted.renewal_from <= on <= granted.ends_on:
        return False
    renewals = PriorAuth.objects.filter(renews__determination=authorization.determination_id)
    opened = renewals.values_list("opened_at", flat=True)
    return all(clock.day_in(before.time_zone, at=at) < granted.renewal_from for at in opened)


def _is_asked_for(before: PriorAuth, need: Need) -> bool:
    """Say whether an active request is about the use, by the records of then or, once these were exchanged, of now."""
    active = PriorAuth.objects.filter(patient=before.patient_id, coverage=before.coverage_id)
    records = [*before.record_ids, *need.record_ids]
    return active.filter(state__in=[state.value for state in ACTIVE], record_ids__overlap=records).exists()


def _ending_soon(authorization: Authorization, known: PatientCase, *, on: date, now: datetime) -> list[Authorization]:
    """Return what was granted together with it, itself included, that is in use and in its renewal window."""
    together = [
        one
        for one in seen(authorization.prior_auth, now=now, known=known)
        if one.authorization.determination_id == authorization.determination_id and one.used.days
    ]
    return [
        one.authorization
        for one in together
        if one.authorization.revoked_at is None and one.granted.renewal_from <= on <= one.granted.ends_on
    ]


def _ask_for_as_much_again(renewal: PriorAuth, ending: Sequence[Authorization]) -> None:
    renewal.lines.all().delete()
    for number, authorization in enumerate(ending, start=1):
        granted, product = _line_of(authorization), formularies.current().product(authorization.rxcui)
        first = authorization.ends_on + timedelta(days=1)
        RequestedLine.objects.create(
            prior_auth=renewal,
            line=number,
            rxcui=authorization.rxcui,
            product_name=product.name if product else authorization.rxcui,
            quantity=authorization.quantity_granted,
            days_supply=authorization.days_granted,
            daily_units=granted.granted_daily_units,
            refills=granted.granted_refills,
            starts_on=first,
            ends_on=first + timedelta(days=authorization.days_granted - 1),
        )


def _line_of(authorization: Authorization) -> DeterminationLine:
    """Return the line that granted it; of two that granted the very same, either."""
    lines = authorization.determination.lines.filter(
        granted_rxcui=authorization.rxcui,
        granted_days=authorization.days_granted,
        granted_quantity=authorization.quantity_granted,
        starts_on=authorization.starts_on,
        ends_on=authorization.ends_on,
    )
    return lines.order_by("line")[0]
