"""By which ways a fact reaches whom: who covers for whom, what each wants, and what is left when one way is barred."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from uuid import UUID

from django.db import transaction

from authz.access.models import Membership
from authz.access.roles import SYSTEM
from authz.audit import services as audit
from authz.notifications import selectors
from authz.notifications.channels.contract import Unreachable
from authz.notifications.digests import services as digests
from authz.notifications.matrix import SILENT, TO_KNOW_AT_ONCE, ChannelName, Notice, Pace
from authz.notifications.matters import services as matters
from authz.notifications.matters.models import Matter
from authz.notifications.matters.selectors import recipients as recipients_of_rung
from authz.notifications.matters.selectors import with_open_matters
from authz.notifications.models import Delivery
from authz.notifications.selectors import Recipient
from authz.notifications.subjects import ESCALATIONS, Subject
from authz.notifications.waiting import when_to_send
from authz.notifications.wishes import services as wishes
from authz.notifications.wishes.models import Cover, NotificationSettings
from authz.notifications.wishes.selectors import covers_today, settings_of, with_covers
from authz.outbox import leases
from authz.outbox.models import OutboxMessage
from authz.outbox.nudge import Waiting, nudge_on_commit
from authz.prior_auths.models import PriorAuth


def prepare(*, messages: Sequence[OutboxMessage], subjects: Mapping[int, Subject], now: datetime) -> list[Delivery]:
    """Return one delivery for each person told of a fact and each way it goes to them, to be written by the caller.

    `subjects` is what the facts are about, by their keys. Call it in the transaction that settles the facts and writes
    the deliveries. What is told to somebody on a colleague's behalf is on the trail.
    """
    codes = [code for one in messages if one.topic == wishes.PHONE_GIVEN for code in _code_to_phone(one, now)]
    facts = _facts(messages, subjects, now)
    covers = covers_today({recipient.person_id for fact in facts for recipient in fact.told}, now=now) if facts else []
    told = [(recipient, notice, fact) for fact in facts for recipient, notice in fact.with_covers(covers).items()]
    # By person, so that two of these never wait for each other's digests crosswise.
    told.sort(key=lambda one: one[0].person_id)
    goes_out = {recipient.person_id for recipient, notice, _ in told if notice.goes_out}
    wanted = settings_of(goes_out) if goes_out else {}
    ways = [way for to, notice, fact in told for way in fact.ways(to, notice, wanted.get(to.person_id))]
    for way in ways:
        if way.channel == ChannelName.INBOX.value:
            _note_behalf(way, now)
        else:
            _let_pass(way, now)
    return [*codes, *ways]


@transaction.atomic
def fall_through(delivery: Delivery, *, refusal: Unreachable, now: datetime) -> None:
    """Give up a leased delivery whose way is barred for good, and have the notice go by the person's next channel.

    The address is marked, so that later notices go by the next one at once. Without another, the inbox has it.

    :raises LeaseLost: when the lease ran out meanwhile and another worker has the delivery.
    """
    leases.give_up(delivery, error=refusal.code, now=now)
    if refusal.marks_address:
        wishes.note_refused(channel=refusal.channel, person_id=delivery.person.pk, code=refusal.code, now=now)
    _go_on(delivery, now)


@transaction.atomic
def bounce(*, delivery_id: UUID, code: str, now: datetime) -> None:
    """Note that a mail which its server took did not arrive, and have its notice go by the person's next channel.

    Said again, or of what is no mail of ours, it changes nothing.
    """
    mail = Delivery.objects.select_for_update(of=("self",)).filter(
        public_id=delivery_id, channel=ChannelName.EMAIL.value, sent_at__isnull=False
    )
    delivery = mail.exclude(last_error=code).select_related("message").first()
    if delivery is None:
        return
    delivery.last_error = code
    delivery.save(update_fields=["last_error"])
    wishes.note_refused(channel=ChannelName.EMAIL, person_id=delivery.person.pk, code=code, now=now)
    _go_on(delivery, now)


def _go_on(delivery: Delivery, now: datetime) -> None:
    person = delivery.person
    wanted = settings_of([person.pk])[person.pk]
    same = Delivery.objects.filter(message=delivery.message_id, recipient=person)
    tried = set(same.values_list("channel", flat=True))
    left = [channel for channel in wanted.channels(Pace(delivery.pace)) if channel.value not in tried]
    if left and delivery.message.topic not in SILENT:
        Delivery.objects.create(
            message_id=delivery.message_id,
            subject_id=delivery.subject_id,
            recipient=person,
            organization_id=delivery.organization_id,
            on_behalf_of_id=delivery.on_behalf_of_id,
            channel=left[0].value,
            needs_act=delivery.needs_act,
            matter_id=delivery.matter_id,
            pace=delivery.pace,
            due_at=now,
        )
        nudge_on_commit(Waiting.DELIVERIES)


def _facts(messages: Sequence[OutboxMessage], subjects: Mapping[int, Subject], now: datetime) -> list["_Fact"]:
    """Return the facts that anybody is told of, with who that is and what they are asked to do."""
    members = cache(selectors.members_of)
    with_open = with_open_matters([one.pk for one in subjects.values() if isinstance(one, PriorAuth)])
    facts = []
    for message in messages:
        subject = subjects.get(message.pk)
        if message.topic in ESCALATIONS:
            told = recipients_of_rung(message)
        else:
            told = selectors.recipients(message, subject, members=members)
        if not told:
            continue
        open_ones = dict[int, Matter]()
        if isinstance(subject, PriorAuth):
            has_open = subject.pk in with_open
            open_ones = matters.matters_of(message=message, prior_auth=subject, told=told, has_open=has_open, now=now)
        facts.append(_Fact(message, subject, now, told, open_ones))
    return facts


@dataclass(frozen=True)
class _Fact:
    message: OutboxMessage
    subject: Subject | None
    now: datetime
    told: Mapping[Recipient, Notice] = field(default_factory=dict)
    matters: Mapping[int, Matter] = field(default_factory=dict)

    def with_covers(self, covers: Sequence[Cover]) -> Mapping[Recipient, Notice]:
        """Return whom to tell. Of a patient's pain the prescriber hears and nobody else, whoever covers for them."""
        return with_covers(self.told, covers) if isinstance(self.subject, PriorAuth) else self.told

    @cached_property
    def presses_at(self) -> datetime | None:
        return selectors.presses_at(self.subject) if isinstance(self.subject, PriorAuth) else None

    def ways(self, recipient: Recipient, notice: Notice, wanted: NotificationSettings | None) -> Iterator[Delivery]:
        """Yield the delivery into the inbox, and the one that goes out, unless it waits for a digest.

        What the person wants need only be known of a notice that goes out.
        """
        in_inbox = self.delivery(recipient, notice, ChannelName.INBOX, due_at=self.now)
        in_inbox.sent_at = self.now
        channels = wanted.channels(notice.pace) if wanted and notice.goes_out else []
        if wanted and channels:
            wishes = wanted.wishes(channels[0])
            presses_at = self.presses_at if wishes.waits and notice.needs_act else None
            sending = when_to_send(notice, wishes, now=self.now, presses_at=presses_at)
            if sending.by_digest:
                in_inbox.digest = digests.join(
                    person_id=recipient.person_id,
                    organization_id=recipient.organization_id,
                    wanted=wishes,
                    at=sending.at,
                )
            else:
                yield self.delivery(recipient, notice, channels[0], due_at=sending.at)
        yield in_inbox

    def delivery(self, recipient: Recipient, notice: Notice, channel: ChannelName, *, due_at: datetime) -> Delivery:
        return Delivery(
            message=self.message,
            subject_id=self.message.subject_id,
            recipient_id=recipient.person_id,
            organization_id=recipient.organization_id,
            on_behalf_of_id=recipient.on_behalf_of_id,
            channel=channel.value,
            needs_act=notice.needs_act,
            matter=self.matters.get(recipient.organization_id) if notice.needs_act else None,
            pace=notice.pace.value,
            due_at=due_at,
        )


def _code_to_phone(message: OutboxMessage, now: datetime) -> Iterator[Delivery]:
    """Yield the text to the phone that a person gave, through whichever organization they belong to first."""
    member = Membership.objects.filter(person__public_id=message.subject_id).order_by("pk").first()
    if member is not None:
        yield _Fact(message, None, now).delivery(
            Recipient(member.person_id, member.organization_id), TO_KNOW_AT_ONCE, ChannelName.SMS, due_at=now
        )


def _note_behalf(way: Delivery, now: datetime) -> None:
    if way.on_behalf_of_id is not None:
        audit.record(
            by=SYSTEM,
            action="tell on behalf",
            subject_kind="delivery",
            subject_id=way.public_id,
            now=now,
            on_behalf_of=way.on_behalf_of_id,
        )


def _let_pass(way: Delivery, now: datetime) -> None:
    """Send at once, too, what of the same request waits before what goes at once: events are told in their order."""
    if way.due_at <= now:
        before = selectors.unsent().filter(subject_id=way.subject_id, recipient=way.recipient_id, channel=way.channel)
        before.filter(attempts=0, due_at__gt=now).update(due_at=now)
