"""An organization's accounting to a patient of who received what it holds of them: from the trail and the requests.

Nothing is recorded for it. What was sent is in the steps of requests and appeals; what was read is on the trail of
whoever read it. Webhooks and notices carry ids only, and are no disclosures.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Min, Q, QuerySet

from authz import clock
from authz.access import selectors as access
from authz.access.models import Organization
from authz.access.roles import Action, Actor, OrganizationKind, must_be_allowed
from authz.access.tenancy import across_tenants
from authz.audit.models import AuditEntry
from authz.errors import InvalidInput, NotFound
from authz.ids import PatientId
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.models import Exemption, FillVersion, Patient, PrescriptionVersion
from authz.prior_auths.appeal_lifecycle import AppealStep
from authz.prior_auths.lifecycle import ON_APPEAL, Step
from authz.prior_auths.models import Appeal, AppealEvent, Call, Determination, Event, PriorAuth
from authz.reporting.disclosures import (
    Disclosed,
    Disclosure,
    Held,
    Purpose,
    RequestKnown,
    Told,
    of_request,
    purpose_of,
    shown,
    told,
)
from authz.reporting.periods import Period

YEARS: Final = 6
"""45 CFR 164.528(a)(1)."""

REVIEW_ENTITY: Final = "Independent review entity"
_TO_INSURER: Final = frozenset(
    {
        Step.SUBMIT, Step.COMPLETE, Step.ANSWER, Step.ANSWER_IN_PART, Step.ANSWER_LATE, AppealStep.FILE,
        AppealStep.ADD_DOCUMENT,
    }
)  # fmt: skip
_TO_CLINIC: Final = frozenset(
    {
        Step.RETURN, Step.ASK, Step.EXTEND, Step.REFUSE_EXPEDITED, Step.DISMISS,
        Step.APPROVE, Step.APPROVE_IN_PART, Step.DENY, Step.APPROVE_BY_RULE, Step.DEEM_APPROVED, Step.DEEM_ADVERSE,
        Step.RECORD_INDEPENDENT_REVIEW,
        AppealStep.UPHOLD, AppealStep.OVERTURN, AppealStep.OVERTURN_IN_PART,
    }
)  # fmt: skip
_TO_REVIEW_ENTITY: Final = frozenset({Step.FORWARD, AppealStep.FORWARD})
"""45 CFR 164.512(a): Medicare's plans must forward."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """Who received what of a patient, in the days of `period` in the organization's calendar."""

    patient: Patient
    period: Period
    lines: list[Told]


@dataclass(frozen=True, slots=True)
class _Taken:
    """A step taken: on which request, and what it was."""

    request: int
    step: str
    at: datetime


def accounting(
    by: Actor, patient_id: PatientId, *, now: datetime, since: date | None = None, until: date | None = None
) -> Accounting:
    """Return to whom what the actor's organization holds of a patient was disclosed; the last six years unless said.

    :raises NotFound: when the organization knows no such patient.
    :raises Forbidden: when the actor does not administer it.
    :raises InvalidInput: when the days are more than six years ago, or run backwards.
    """
    patient = _patient(by, patient_id)
    must_be_allowed(by, Action.ACCOUNT_FOR_DISCLOSURES)
    own = access.organization(by)
    period = _period(since, until, today=clock.day_in(own.time_zone, at=now))
    starts_at = clock.end_of_day(own.time_zone, on=period.since - timedelta(days=1))
    ends_at = clock.end_of_day(own.time_zone, on=period.until)
    with across_tenants("an accounting names whoever received what the organization holds of the patient"):
        found = _disclosures(own, patient, starts_at, ends_at)
        return Accounting(patient=patient, period=period, lines=told(found))


def _patient(by: Actor, patient_id: PatientId) -> Patient:
    try:
        return prescriptions.patient(by, patient_id)
    except NotFound:
        with across_tenants("an insurer has requests of patients for whom it has no number"):
            asked = PriorAuth.objects.filter(insurer=by.organization, submitted_at__isnull=False)
            found = Patient.objects.filter(pk__in=asked.values("patient"), public_id=patient_id).first()
        if found is None:
            raise
        return found


def _period(since: date | None, until: date | None, *, today: date) -> Period:
    # A leap day has no namesake six years before it.
    earliest = (today + timedelta(days=1)).replace(day=1) if (today.month, today.day) == (2, 29) else today
    earliest = earliest.replace(year=earliest.year - YEARS)
    if since is not None and since < earliest:
        raise InvalidInput({"since": [f"An accounting reaches {YEARS} years back, to {earliest.isoformat()}."]})
    return Period(since or earliest, until or today)


def _disclosures(own: Organization, patient: Patient, starts_at: datetime, ends_at: datetime) -> Iterator[Disclosure]:
    keys, ids = _same(patient)
    steps = list(_steps(keys))
    requests = _requests(keys, steps)
    held = Held(
        holder=own.pk,
        patient_id=patient.public_id,
        requests=list(requests.values()),
        recorded_at=_first_recorded_at(own, keys),
    )
    organizations = Organization.objects.in_bulk()
    steps_then = [taken for taken in steps if starts_at <= taken.at < ends_at]
    yield from _sent(held, steps_then, requests, organizations)
    yield from _read(held, ids, organizations, starts_at, ends_at)


def _same(patient: Patient) -> tuple[list[int], list[UUID]]:
    """Return the keys and the ids under which the patient is and was known: those merged into them, too."""
    rows = Patient.objects.filter(Q(pk=patient.pk) | Q(merged_into=patient.pk)).values_list("pk", "public_id")
    return [key for key, _ in rows], [public_id for _, public_id in rows]


def _first_recorded_at(own: Organization, keys: list[int]) -> datetime | None:
    recorded: list[QuerySet[Any]] = [
        FillVersion.objects.filter(fill__organization=own, fill__patient__in=keys),
        PrescriptionVersion.objects.filter(prescription__organization=own, prescription__patient__in=keys),
        Exemption.objects.filter(organization=own, patient__in=keys),
    ]
    firsts: list[datetime | None] = [rows.aggregate(first=Min("recorded_at"))["first"] for rows in recorded]
    return min((first for first in firsts if first is not None), default=None)


def _requests(keys: list[int], steps: Iterable[_Taken]) -> Mapping[int, RequestKnown]:
    rows = PriorAuth.objects.filter(patient__in=keys)
    hanging: defaultdict[int, set[UUID]] = defaultdict(set)
    for model in (Appeal, Call, Determination):
        found = model._default_manager.filter(prior_auth__in=rows)
        for request, public_id in found.values_list("prior_auth", "public_id"):
            hanging[request].add(public_id)
    spoken: dict[int, datetime] = {}
    for taken in steps:
        if taken.step in _TO_CLINIC:
            spoken[taken.request] = min(taken.at, spoken.get(taken.request, taken.at))
    columns = ("pk", "public_id", "clinic", "insurer", "opened_at", "submitted_at")
    return {
        key: RequestKnown(
            id=public_id,
            clinic=clinic,
            insurer=insurer,
            opened_at=opened_at,
            submitted_at=submitted_at,
            spoken_at=spoken.get(key),
            ids=frozenset({public_id, *hanging[key]}),
        )
        for key, public_id, clinic, insurer, opened_at, submitted_at in rows.values_list(*columns)
    }


def _steps(keys: list[int]) -> Iterator[_Taken]:
    """Yield the steps taken on a patient's requests, and on appeals of what was decided of them."""
    # Deciding an appeal takes a step on both: it is told once.
    of_requests = Event.objects.filter(prior_auth__patient__in=keys).exclude(step__in=sorted(ON_APPEAL))
    for row in of_requests.values_list("prior_auth", "step", "at"):
        yield _Taken(*row)
    of_appeals = AppealEvent.objects.filter(appeal__prior_auth__patient__in=keys)
    for row in of_appeals.values_list("appeal__prior_auth", "step", "at"):
        yield _Taken(*row)


def _sent(
    held: Held,
    steps: Iterable[_Taken],
    requests: Mapping[int, RequestKnown],
    organizations: Mapping[int, Organization],
) -> Iterator[Disclosure]:
    """Yield what was sent by a step, whether or not anybody looked at it then."""
    for taken in steps:
        request = requests[taken.request]
        if held.holder == request.insurer and taken.step in _TO_REVIEW_ENTITY:
            yield _of(taken, Disclosed.REQUEST, request.id, REVIEW_ENTITY, Purpose.LAW)
        elif held.holder == request.insurer and taken.step in _TO_CLINIC:
            yield _of(taken, Disclosed.REQUEST, request.id, organizations[request.clinic].name)
        elif held.holder != request.insurer and request.insurer and taken.step in _TO_INSURER:
            what = of_request(request, held, at=taken.at)
            if what:
                yield _of(taken, *what, organizations[request.insurer].name)


def _of(taken: _Taken, what: Disclosed, record: UUID, recipient: str, why: Purpose = Purpose.PAYMENT) -> Disclosure:
    return Disclosure(at=taken.at, recipient=recipient, what=what, record_id=record, purpose=why)


def _read(
    held: Held,
    ids: Iterable[UUID],
    organizations: Mapping[int, Organization],
    starts_at: datetime,
    ends_at: datetime,
) -> Iterator[Disclosure]:
    """Yield what others were answered, as their own trails have it."""
    others = AuditEntry.objects.filter(patients__overlap=list(ids), at__gte=starts_at, at__lt=ends_at)
    others = others.exclude(organization=None).exclude(organization=held.holder).exclude(address="")
    columns = ("at", "organization", "address", "purpose", "emergency")
    for at, reader, address, purpose, emergency in others.order_by("pk").values_list(*columns).iterator():
        organization = organizations[reader]
        is_insurer = organization.kind == OrganizationKind.INSURER.value
        why = purpose_of(purpose, is_emergency=emergency is not None, is_insurer=is_insurer)
        for what, record_id in shown(address, held, to=reader, at=at):
            yield Disclosure(at=at, recipient=organization.name, what=what, record_id=record_id, purpose=why)
