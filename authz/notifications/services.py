"""Telling people: every write. Workers call `fan_out_next` and `send_next` until nothing is left to do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet, Value

from authz.access.roles import Actor
from authz.administration.selectors import unsent as unsent_invitations
from authz.audit import services as audit
from authz.errors import NotFound
from authz.ids import NoticeId
from authz.notifications import selectors
from authz.notifications.channels.contract import Channel, NotDelivered, Unreachable
from authz.notifications.channels.inbox import services as inbox
from authz.notifications.channels.registry import CHANNELS, PATIENCE
from authz.notifications.channels.webhook import selectors as webhooks
from authz.notifications.channels.webhook import services as webhook
from authz.notifications.digests import services as digests
from authz.notifications.digests.selectors import unsent as unsent_digests
from authz.notifications.invitations import services as invitations
from authz.notifications.matrix import OUTSIDE, ChannelName
from authz.notifications.matters import services as matters
from authz.notifications.matters.standing import is_over
from authz.notifications.models import NEEDLESS, Delivery, InboxEntry
from authz.notifications.routing import services as routing
from authz.notifications.subjects import Subject, subjects_of
from authz.outbox import leases
from authz.outbox import services as outbox
from authz.outbox.backoff import Patience
from authz.outbox.models import OutboxMessage
from authz.outbox.nudge import Waiting, nudge_on_commit
from authz.policies.history import Kind
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.selectors import clocks_of
from authz.prior_auths.services import rechecking
from authz.prior_auths.services.breaches import OVERDUE, note_breach
from authz.prior_auths.services.sweeping import sweep

FACTS_AT_ONCE = 20
"""Told together they cost a fraction; few enough that one transaction is over in well under a second."""

# Over a weekend, or as long as workers may be down.
_TELLS_OF = timedelta(days=3)

_MAILS: Mapping[str, tuple[Callable[[], QuerySet[Any]], Callable[..., bool]]] = {
    "digest": (unsent_digests, digests.send_next),
    "invitation": (unsent_invitations, invitations.send_next),
}
# A receiver that needs longer gets its notices side by side, from several workers, and not one after the other.
_QUICK_SECONDS = 1.0


def send_next(*, now: datetime) -> bool:
    """Send one delivery, digest or invitation that is due; return whether there was any."""
    due = _kinds_due(now)
    return any(deliver_next(now=now, channel=name) for name in CHANNELS if name in due) or any(
        send(now=now) for name, (_, send) in _MAILS.items() if name in due
    )


def _kinds_due(now: datetime) -> set[str]:
    """Return by which channels something should be on its way, and which of the other mails: one question for all."""
    channels = leases.due(selectors.unsent(), now=now).order_by().values_list("channel")
    mails = (
        leases.due(unsent(), now=now).order_by().annotate(channel=Value(name)).values_list("channel")
        for name, (unsent, _) in _MAILS.items()
    )
    return {name for (name,) in channels.union(*mails)}


def fan_out_next(*, now: datetime) -> int:
    """Lease the next facts and write down whom to tell; return how many there were.

    :raises LeaseLost: when a lease ran out meanwhile and another worker has the fact.
    """
    messages = outbox.lease(at_most=FACTS_AT_ONCE, now=now)
    try:
        if messages:
            fan_out(messages, now=now)
    except Exception:
        if len(messages) == 1:
            raise
        # One of them cannot be told; the others do not wait for it.
        _fan_out_each(messages, now=now)
    return len(messages)


def _fan_out_each(messages: Sequence[OutboxMessage], *, now: datetime) -> None:
    if messages:
        try:
            fan_out(messages[:1], now=now)
        finally:  # whatever became of it, the others have their turn
            _fan_out_each(messages[1:], now=now)


def fan_out(messages: Sequence[OutboxMessage], *, now: datetime) -> list[Delivery]:
    """Write one delivery for each recipient and channel and for each endpoint, and settle the facts: one transaction.

    No two of them may be about one subject. What goes into inboxes is there with it; what leaves the house waits for
    `send_next`. A fact that concerns patients is passed on to be rechecked for, in the same transaction.

    :raises LeaseLost: when a lease ran out meanwhile and another worker has the fact.
    """
    with transaction.atomic(durable=True):
        outbox.settle(messages, now=now)
        for message in messages:
            rechecking.ask_after(message=message, now=now)
        subjects = subjects_of(messages)
        to_people = routing.prepare(messages=messages, subjects=subjects, now=now)
        written = Delivery.objects.bulk_create([*to_people, *_to_endpoints(messages, subjects, now=now)])
        inbox.enter(written, subjects=subjects, now=now)
        if any(delivery.sent_at is None and delivery.due_at <= now for delivery in written):
            nudge_on_commit(Waiting.DELIVERIES)
        return written


def _to_endpoints(
    messages: Sequence[OutboxMessage], subjects: Mapping[int, Subject], *, now: datetime
) -> Iterator[Delivery]:
    endpoints = cache(webhooks.heeding)
    for message in messages:
        for endpoint in webhooks.listening(message, subjects.get(message.pk), of=endpoints):
            yield Delivery(
                message=message,
                subject_id=message.subject_id,
                endpoint=endpoint,
                organization_id=endpoint.organization_id,
                channel=ChannelName.WEBHOOK.value,
                needs_act=False,
                due_at=now,
            )


def deliver_next(*, now: datetime, channel: ChannelName, channels: Mapping[ChannelName, Channel] = CHANNELS) -> bool:
    """Lease the next deliveries of a channel, hand them over, and return whether there were any.

    What could not be handed over is postponed, or given up where that is final. Runs outside any transaction, as the
    channel may take its time; should it do so, others get what else was leased.

    :raises LeaseLost: when a lease ran out meanwhile and another worker has the delivery.
    """
    deliveries = _lease(channel, now=now)
    slow_after = monotonic() + _QUICK_SECONDS
    for number, delivery in enumerate(deliveries, start=1):
        goes_on = False
        try:
            goes_on = _deliver(delivery, channels[channel], channel, now=now) and monotonic() <= slow_after
        finally:  # should this one end in an error of ours, the others wait for no lease to run out
            if not goes_on:
                leases.hand_back(deliveries[number:], now=now)
        if not goes_on:
            break
    return bool(deliveries)


def _deliver(delivery: Delivery, way: Channel, channel: ChannelName, *, now: datetime) -> bool:
    """Hand one over, or put it back; return whether the channel took it, or need not."""
    if channel in OUTSIDE and is_over(delivery):
        leases.settle(delivery, now=now, last_error=NEEDLESS)
        return True
    try:
        way.deliver(delivery, now=now)
    except Unreachable as refusal:
        routing.fall_through(delivery, refusal=refusal, now=now)
    except NotDelivered as refusal:
        _put_back(delivery, refusal, patience=PATIENCE.get(channel), now=now)
    else:
        return True
    return False


def _lease(channel: ChannelName, *, now: datetime) -> list[Delivery]:
    if channel is ChannelName.WEBHOOK:
        return webhook.lease(now=now)
    return leases.lease(selectors.next_by(channel), at_most=1, now=now)


def _put_back(delivery: Delivery, refusal: NotDelivered, *, patience: Patience | None, now: datetime) -> None:
    if refusal.is_final:
        leases.give_up(delivery, error=refusal.code, now=now, **refusal.result)
    else:
        leases.postpone(
            delivery,
            error=refusal.code,
            now=now,
            patience=patience,
            not_before=refusal.not_before,
            **refusal.result,
        )


def bounce(*, delivery_id: UUID, code: str, now: datetime) -> None:
    """Note that a mail did not arrive after all; its notice goes by the person's next channel, as later ones do."""
    routing.bounce(delivery_id=delivery_id, code=code, now=now)


def replay(*, delivery_id: int, now: datetime) -> None:
    """Bring a dead delivery back to life.

    :raises NotFound: when there is no such dead delivery.
    """
    leases.replay(Delivery.objects.all(), pk=delivery_id, now=now)


def note_late_notices(*, now: datetime) -> int:
    """Note a breach for each decision of which the clinic did not hear when notice was due; return how many are new.

    What the clinic has heard of by now waits for nobody any more. Of a notice that was due longer ago than
    `_TELLS_OF` only the figures tell: it was missed before anybody looked, as before an upgrade.
    """
    matters.close_done(topic=OVERDUE, now=now)
    found = selectors.perhaps_told_late(now=now).values_list("prior_auth_id", flat=True)
    return sweep(found, work=_note_if_late, now=now)


@transaction.atomic
def _note_if_late(key: int, now: datetime) -> int:
    prior_auth = PriorAuth.objects.select_for_update().get(pk=key)
    clock = clocks_of(prior_auth, notices=selectors.decision_notices(prior_auth)).get(Kind.NOTIFY_BY)
    if clock is None or clock.due_at is None or not clock.is_missed(by=now):
        return 0
    was_late = prior_auth.determinations.filter(supersedes=None, was_late=True).exists()
    is_silent = was_late or clock.due_at < now - _TELLS_OF
    return int(note_breach(prior_auth=prior_auth, kind=clock.kind, due_at=clock.due_at, now=now, is_silent=is_silent))


def escalate_due(*, now: datetime) -> int:
    """Tell the next ones of every notice that nobody acted on in time; return how many rungs were taken."""
    return matters.escalate_due(now=now)


def replay_all(*, now: datetime) -> int:
    """Bring every dead fact and delivery back to life; return how many there were."""
    return outbox.replay_all(now=now) + leases.replay_all(Delivery.objects.all(), now=now)


def prune(*, before: datetime, limit: int = 1000) -> int:
    """Delete at most that many of the deliveries made before an instant, and as many facts no delivery refers to.

    Return how many were deleted; 0 when none is left. What stays is told in selectors.prunable.
    """
    deleted = 0
    for rows in (selectors.prunable(before), selectors.prunable_facts(before)):
        batch = list(rows.order_by("pk").values_list("pk", flat=True)[:limit])
        with transaction.atomic():
            deleted += rows.filter(pk__in=batch).delete()[0]
    return deleted


def mark_read(*, notice_id: NoticeId, by: Actor, now: datetime) -> InboxEntry:
    """Note when the actor first read an entry of their inbox.

    :raises NotFound: when the actor has no such entry.
    """
    with transaction.atomic():
        entry = _own(notice_id, by)
        if entry.read_at is None:
            entry.read_at = now
            entry.save(update_fields=["read_at"])
    return entry


def acknowledge(*, notice_id: NoticeId, by: Actor, now: datetime) -> InboxEntry:
    """Note that the actor has taken an entry in hand; it is read then, too. Doing it again changes nothing.

    What it asks for is then asked of nobody else in the organization.

    :raises NotFound: when the actor has no such entry.
    """
    with transaction.atomic():
        entry = _own(notice_id, by)
        if entry.acknowledged_at is None:
            entry.read_at = entry.read_at or now
            entry.acknowledged_at = now
            entry.save(update_fields=["read_at", "acknowledged_at"])
            if entry.delivery.matter is not None:
                matters.take_in_hand(matter=entry.delivery.matter, now=now)
            audit.record(
                by=by,
                action="acknowledge",
                subject_kind="notice",
                subject_id=entry.public_id,
                now=now,
                on_behalf_of=entry.delivery.on_behalf_of_id,
            )
    return selectors.inbox(by).get(pk=entry.pk)


def _own(notice_id: NoticeId, by: Actor) -> InboxEntry:
    entry = selectors.inbox(by).select_for_update(of=("self",)).filter(public_id=notice_id).first()
    if entry is None:
        raise NotFound("There is no such notice.")
    return entry
