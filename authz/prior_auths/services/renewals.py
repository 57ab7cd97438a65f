"""Before an authorization runs out: a request to go on, prefilled, opened exactly once."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from authz import clock
from authz.access.roles import SYSTEM
from authz.documentation.services import answers as documentation
from authz.prescriptions.models import FillVersion, Patient
from authz.prior_auths import needs as needs_of
from authz.prior_auths.authorizations import right_of, seen
from authz.prior_auths.lifecycle import ACTIVE, Step
from authz.prior_auths.models import Authorization, PriorAuth, RequestedLine
from authz.prior_auths.prefill import earlier_answers, prefill_of
from authz.prior_auths.services.detection import open_for

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
    return sum(_open_one(key, now) for key in waiting.order_by("ends_on", "pk").values_list("pk", flat=True))


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
    if not any(one.used.days for one in seen(before, now=now, known=known) if one.authorization == authorization):
        return 0
    need = needs_of.latest_use(known, needs_of.answers(known, as_of=on), on=on)
    if need is None or (need.coverage.pk if need.coverage else None) != before.coverage_id:
        return 0
    renewal = open_for(need=need, known=known, clinic=before.clinic, step=Step.RENEW, by=SYSTEM, on=on, now=now)
    renewal.renews = authorization
    renewal.pa_required_from = authorization.ends_on + timedelta(days=1)
    _ask_for_as_much_again(renewal, authorization)
    renewal.answers = documentation.start_sheet(
        prefill=prefill_of(renewal, on=on), earlier=earlier_answers(renewal), on=on, now=now
    )
    renewal.save(update_fields=["renews", "pa_required_from", "answers"])
    return 1


def _is_time(authorization: Authorization, on: date) -> bool:
    """Say whether it is time, and nobody has asked to go on by themselves."""
    granted, before = right_of(authorization), authorization.prior_auth
    if not granted.renewal_from <= on <= granted.ends_on or hasattr(authorization, "renewal"):
        return False
    active = PriorAuth.objects.filter(patient=before.patient_id, coverage=before.coverage_id)
    asked = active.filter(state__in=[state.value for state in ACTIVE], record_ids__overlap=before.record_ids)
    return not asked.exists()


def _ask_for_as_much_again(renewal: PriorAuth, authorization: Authorization) -> None:
    first = authorization.ends_on + timedelta(days=1)
    asked = authorization.prior_auth.lines.filter(rxcui=authorization.rxcui).first()
    renewal.lines.all().delete()
    RequestedLine.objects.create(
        prior_auth=renewal,
        line=1,
        rxcui=authorization.rxcui,
        product_name=asked.product_name if asked else authorization.rxcui,
        quantity=authorization.quantity_granted,
        days_supply=authorization.days_granted,
        daily_units=asked.daily_units if asked else None,
        refills=asked.refills if asked else None,
        starts_on=first,
        ends_on=first + timedelta(days=authorization.days_granted - 1),
    )
