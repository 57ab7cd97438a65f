"""What waits for an act: opened with its notice, closed by fact or by who takes it in hand, escalated meanwhile."""

from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import transaction

from authz.access.roles import SYSTEM
from authz.audit import services as audit
from authz.ids import PriorAuthId
from authz.notifications.matrix import Notice
from authz.notifications.matters import selectors
from authz.notifications.matters.ladder import LADDER, Next, Rung, next_rung, rungs_left
from authz.notifications.matters.models import Closing, Escalation, Matter
from authz.notifications.matters.standing import standing, stands
from authz.notifications.selectors import Recipient, presses_at
from authz.notifications.subjects import ESCALATIONS
from authz.outbox.models import OutboxMessage
from authz.outbox.services import announce
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import steps
from authz.prior_auths.services.sweeping import sweep


def matters_of(
    *,
    message: OutboxMessage,
    prior_auth: PriorAuth,
    told: Mapping[Recipient, Notice],
    has_open: bool,
    now: datetime,
) -> dict[int, Matter]:
    """Return the open matters of a fact by the key of the organization of which it asks an act, or asked it before.

    A fact about the request opens one; the same asked before of the same organization is closed by it, and so is what
    the request needs no longer. What it no longer needs by now is not opened. `has_open` is whether the request has
    open ones. Call it in the transaction that settles the fact.
    """
    if message.topic in ESCALATIONS:
        matter = Matter.objects.get(escalations__public_id=message.subject_id)
        return {matter.organization_id: matter}
    opened = _opened(message, prior_auth, told, now)
    if opened or has_open:  # most facts come when nothing is open, and this is a long question
        _look_again(prior_auth, now)
    return opened


def _opened(
    message: OutboxMessage, prior_auth: PriorAuth, told: Mapping[Recipient, Notice], now: datetime
) -> dict[int, Matter]:
    asked = sorted((to.organization_id, notice.goes_out) for to, notice in told.items() if notice.needs_act)
    opened = {}
    for organization_id, ways in groupby(asked, key=lambda one: one[0]):
        same = Matter.objects.filter(prior_auth=prior_auth, organization=organization_id, topic=message.topic)
        same.filter(closed_at=None).update(closed_at=now, closing=Closing.ASKED_ANEW.value)
        matter = Matter.objects.create(
            message=message,
            organization_id=organization_id,
            prior_auth=prior_auth,
            topic=message.topic,
            goes_out=any(goes_out for _, goes_out in ways),
            opened_at=now,
            since=now,
        )
        if stands(matter):
            opened[organization_id] = matter
        else:
            matter.delete()
    return opened


def _look_again(prior_auth: PriorAuth, now: datetime) -> None:
    """Close what a request needs no longer, and find anew when to look at what it still needs."""
    mine = Matter.objects.filter(prior_auth=prior_auth, closed_at=None)
    mine.exclude(pk__in=standing().filter(prior_auth=prior_auth)).update(closed_at=now, closing=Closing.RESOLVED.value)
    for matter in mine:
        _set_next(matter, _presses_on(matter, prior_auth))


def close_done(*, topic: str, now: datetime) -> int:
    """Close what a topic asked for and is done, where no step of the request says so; return how many there were."""
    waiting = Matter.objects.filter(topic=topic, closed_at=None)
    done = waiting.exclude(pk__in=standing().filter(topic=topic))
    return done.update(closed_at=now, closing=Closing.RESOLVED.value)


def take_in_hand(*, matter: Matter, now: datetime) -> None:
    """Close a matter that somebody has acknowledged; the first time is kept."""
    Matter.objects.filter(pk=matter.pk, closed_at=None).update(closed_at=now, closing=Closing.ACKNOWLEDGED.value)


def escalate_due(*, now: datetime) -> int:
    """Take the next rung of every open matter whose time has come; return how many were taken."""
    found = selectors.due(now=now).values_list("pk", "prior_auth__public_id")
    return sweep(found, work=_escalate_one, now=now)


@transaction.atomic
def _escalate_one(found: tuple[int, UUID], now: datetime) -> int:
    """Take a rung, or close the matter. With the request locked first, no step resolves it at the same time."""
    key, public_id = found
    prior_auth = steps.lock(prior_auth_id=PriorAuthId(public_id), by=SYSTEM)
    matter = selectors.due(now=now).select_for_update(skip_locked=True, of=("self",)).filter(pk=key).first()
    if matter is None:
        return 0
    if not stands(matter):
        matter.closed_at, matter.closing = now, Closing.RESOLVED.value
        matter.save(update_fields=["closed_at", "closing"])
        return 0
    presses = _presses_on(matter, prior_auth)
    following = _next_of(matter, presses)
    if following is None or following.at > now:
        _set_next(matter, presses)
        return 0
    rung = next((rung for rung in rungs_left(selectors.taken(matter)) if selectors.told_on(matter, rung)), None)
    matter.since = now
    matter.save(update_fields=["since"])
    if rung is not None:
        _take(matter, rung, now)
    _set_next(matter, presses)
    return int(rung is not None)


def _presses_on(matter: Matter, prior_auth: PriorAuth) -> datetime | None:
    return presses_at(prior_auth, at_insurer=matter.organization_id == prior_auth.insurer_id)


def _take(matter: Matter, rung: Rung, now: datetime) -> None:
    taken = Escalation.objects.create(matter=matter, rung=rung.value, at=now)
    audit.record(by=SYSTEM, action=rung.value, subject_kind="escalation", subject_id=taken.public_id, now=now)
    announce(topic=LADDER[rung].says, subject_id=taken.public_id, now=now)


def _set_next(matter: Matter, presses: datetime | None) -> None:
    following = _next_of(matter, presses)
    matter.next_at = None if following is None else following.at
    matter.save(update_fields=["next_at"])


def _next_of(matter: Matter, presses: datetime | None) -> Next | None:
    done = selectors.taken(matter)
    return next_rung(done, since=matter.since, goes_out=matter.goes_out, presses_at=presses)
