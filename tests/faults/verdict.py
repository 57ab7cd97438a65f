"""What must be so when everything is mended: looked at from outside, in the database, the inboxes and the mails."""

import time
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from uuid import UUID

from django.db.models import Count

from authz.notifications import selectors as notifications
from authz.notifications.channels.webhook import selectors as webhooks
from authz.notifications.matrix import ChannelName
from authz.notifications.models import NEEDLESS, Delivery, InboxEntry
from authz.notifications.subjects import ESCALATIONS
from authz.outbox import selectors as outbox
from authz.outbox.models import OutboxMessage
from authz.prescriptions.models import Fill
from authz.prior_auths import selectors
from authz.prior_auths.lifecycle import ACTIVE, TABLE, Step
from authz.prior_auths.models import Determination, Event, PriorAuth
from tests.faults.traffic import Ledger
from tests.post_office import PostOffice
from tests.receiver import Receiver


def is_drained() -> bool:
    """Say whether nothing is left to tell."""
    return not outbox.unsettled().exists() and not notifications.unsent().exists()


def wait_until_drained(*, patience: float) -> float | None:
    """Wait until everything is told; return the seconds it took, None when they were more than `patience`."""
    began = time.monotonic()
    while time.monotonic() - began < patience:
        if is_drained():
            return time.monotonic() - began
        time.sleep(0.2)
    return None


def broken_promises(ledger: Ledger, office: PostOffice, receiver: Receiver) -> Iterator[str]:
    """Yield a sentence for everything that is not as it must be."""
    yield from _of_the_clients(ledger)
    yield from _of_the_facts()
    yield from _of_the_notices(office)
    yield from _of_the_webhooks(receiver)
    yield from _of_the_requests()


def _of_the_clients(ledger: Ledger) -> Iterator[str]:
    yield from (f"a client was refused what it could rightly do: {said}" for said in ledger.refused[:5])
    events = Counter(Event.objects.values_list("prior_auth__public_id", "step", "sequence"))
    told = Counter((one.request, one.step, one.version) for one in ledger.accepted)
    there = Counter({(str(request), step, number): count for (request, step, number), count in events.items()})
    for one, count in told.items():
        if count != 1 or there[one] != 1:
            yield f"{one} was accepted {count} times and happened {there[one]} times"
    fills = Counter(Fill.objects.values_list("identifier", flat=True))
    yield from (f"fill {one} is there {fills[one]} times" for one in ledger.fills if fills[one] != 1)


def _of_the_facts() -> Iterator[str]:
    if lost := outbox.unsettled().count():
        yield f"{lost} facts were never told"
    if dead := outbox.dead().count():
        yield f"{dead} facts were given up"
    expected = Counter(
        (str(TABLE[Step(step)].says), key)
        for step, key in Event.objects.values_list("step", "prior_auth__public_id")
        if TABLE[Step(step)].says
    )
    told = Counter(OutboxMessage.objects.values_list("topic", "subject_id"))
    for fact in expected.keys() | {one for one in told if one[0] in {topic for topic, _ in expected}}:
        if told[fact] != expected[fact]:
            yield f"{fact} happened {expected[fact]} times and was written down {told[fact]} times"


def _of_the_notices(office: PostOffice) -> Iterator[str]:
    if left := notifications.unsent().count():
        yield f"{left} notices were never delivered"
    if dead := notifications.dead().count():
        yield f"{dead} notices were given up"
    # Who is reminded of what depends on what was done by then.
    dues: dict[tuple[str, UUID], Counter[tuple[int | None, str]]] = {}
    for message in OutboxMessage.objects.exclude(topic__in=ESCALATIONS).prefetch_related("deliveries"):
        fact = message.topic, message.subject_id  # the same again goes to the same people
        due, made = dues.setdefault(fact, dues.get(fact) or _due(message)), _made(message)
        if due != made:
            yield f"of {message.topic} {message.pk} {made.total()} notices were made, not {due.total()}"
    entries = Counter(InboxEntry.objects.values_list("delivery_id", flat=True))
    for key in Delivery.objects.filter(channel=ChannelName.INBOX.value).values_list("pk", flat=True):
        if entries[key] != 1:
            yield f"notice {key} is {entries[key]} times in the inbox"
    yield from _of_the_mails(office)


def _due(message: OutboxMessage) -> Counter[tuple[int | None, str]]:
    """Return the notices that the matrix demands, by whose they are and channel: nobody here wishes otherwise."""
    due = Counter[tuple[int | None, str]]()
    for recipient, notice in notifications.recipients(message).items():
        due[recipient.person_id, ChannelName.INBOX.value] += 1
        due[recipient.person_id, ChannelName.EMAIL.value] += notice.goes_out
    due.update((endpoint.pk, ChannelName.WEBHOOK.value) for endpoint in webhooks.listening(message))
    return +due


def _made(message: OutboxMessage) -> Counter[tuple[int | None, str]]:
    return Counter((row.recipient_id or row.endpoint_id, row.channel) for row in message.deliveries.all())


def _of_the_mails(office: PostOffice) -> Iterator[str]:
    received = mails(office)
    # A mail that would have come when its matter was over is not sent.
    sent_by_mail = Delivery.objects.filter(channel=ChannelName.EMAIL.value).exclude(last_error=NEEDLESS)
    for sent in sent_by_mail.values_list("public_id", flat=True):
        if not received[str(sent)]:
            yield f"mail {sent} never came"


def _of_the_webhooks(receiver: Receiver) -> Iterator[str]:
    first = {name: place for place, name in reversed(list(enumerate(receiver.ids)))}
    last: dict[tuple[int | None, UUID], int] = {}
    for row in Delivery.objects.filter(channel=ChannelName.WEBHOOK.value).order_by("message"):
        place = first.get(str(row.public_id))
        if place is None:
            yield f"webhook {row.public_id} never came"
            continue
        line = row.endpoint_id, row.subject_id
        if place < last.get(line, -1):
            yield f"webhook {row.public_id} came before one that happened earlier"
        last[line] = place


def mails(office: PostOffice) -> Counter[str]:
    """Return how often each mail came, by the id of its notice."""
    names = (message_from_bytes(bytes(one.content or b""), policy=default)["Message-ID"] for one in office.letters)
    return Counter(str(name).strip("<>").split("@")[0] for name in names)


def _of_the_requests() -> Iterator[str]:
    active = PriorAuth.objects.filter(state__in=sorted(ACTIVE)).values("patient", "coverage", "episode_anchor")
    if doubled := active.annotate(number=Count("pk")).filter(number__gt=1).count():
        yield f"{doubled} uses have more than one active request"
    for row in PriorAuth.objects.prefetch_related("events"):
        numbers = sorted(event.sequence for event in row.events.all())
        if len(set(numbers)) < len(numbers) or numbers[-1] > row.version:
            yield f"request {row.number} is at version {row.version}, and its steps made {numbers}"
        due = selectors.due(row)
        if row.due_at != (due.at if due else None):
            yield f"request {row.number} is due at {due}, and {row.due_at} is kept"
    if bare := PriorAuth.objects.filter(state="decided", determinations=None).count():
        yield f"{bare} decided requests have no determination"
    twice = Determination.objects.values("prior_auth").annotate(number=Count("pk")).filter(number__gt=1)
    if twice.exists():
        yield f"{twice.count()} requests were decided twice"
