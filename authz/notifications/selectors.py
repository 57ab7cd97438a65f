"""Who is to be told, what is still to be delivered, and what is in an inbox."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Least

from authz import clock
from authz.access.models import Membership
from authz.access.roles import Actor, Role
from authz.access.tenancy import across_tenants
from authz.notifications.channels.webhook.models import EndpointState
from authz.notifications.decisions_told import DECISION_TOPICS, decisions_told
from authz.notifications.matrix import Audience, ChannelName, Notice, notices, together
from authz.notifications.matters.standing import standing
from authz.notifications.models import Delivery, InboxEntry
from authz.notifications.subjects import Subject, subject_of
from authz.outbox.models import OutboxMessage
from authz.pain.models import PainHint
from authz.policies.history import Happened, Kind, What
from authz.prescriptions.emergency.models import EmergencyAccess
from authz.prescriptions.emergency.selectors import concerned
from authz.prior_auths.appeal_lifecycle import UNDECIDED as UNDECIDED_APPEALS
from authz.prior_auths.forwarding import forward_by
from authz.prior_auths.lifecycle import ACTIVE, ASKED_OF_CLINIC, State
from authz.prior_auths.models import Breach, Determination, PriorAuth
from authz.prior_auths.review_queue import is_absent

# Whatever the regime, and however long its clock stood still, notice of a decision is due sooner after it than that.
_LONGEST = timedelta(days=180)
# Regimes count in hours at least: notice within the first is late only where the time to decide is over.
_SOON = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person, in the organization for which they are told. Keys are the rows' inside keys.

    `on_behalf_of_id` is the colleague for whom they are told; a person is told once, on whose behalf ever.
    """

    person_id: int
    organization_id: int
    on_behalf_of_id: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """Members of an organization in some roles; of them one person alone, or who is that prescriber. Inside keys."""

    organization_id: int
    roles: frozenset[Role]
    person_id: int | None = None
    prescriber_id: int | None = None


def members_of(group: Group) -> Sequence[int]:
    """Return the keys of the active people of a group, in their order."""
    roles = [role.value for role in group.roles]
    found = Membership.objects.filter(organization=group.organization_id, role__in=roles, person__is_active=True)
    if group.person_id is not None:
        found = found.filter(person=group.person_id)
    if group.prescriber_id is not None:
        found = found.filter(person__prescriber=group.prescriber_id)
    return sorted(set(found.values_list("person_id", flat=True)))


def recipients(
    message: OutboxMessage,
    subject: Subject | None = None,
    *,
    members: Callable[[Group], Sequence[int]] = members_of,
) -> Mapping[Recipient, Notice]:
    """Return whom to tell of a fact and how; a person in several groups is there once.

    `subject` is what the fact is about, looked up unless given, and `members` is who asks for the people of a group.
    Only members of a party to the request are told, and the insurer only of what was submitted to it. Of a patient's
    pain the clinic's own prescriber is told and nobody else, whatever the matrix says.

    :raises ObjectDoesNotExist: when the topic is told but is about nothing there is.
    """
    told = notices(message.topic)
    if not told:
        return {}
    subject = subject or subject_of(message)
    found: dict[Recipient, Notice] = {}
    for audience, notice in told.items():
        for recipient in _told(audience, subject, members, at=message.announced_at):
            found[recipient] = together(found[recipient], notice) if recipient in found else notice
    return found


def presses_at(prior_auth: PriorAuth, *, at_insurer: bool = False) -> datetime | None:
    """Return the first of the clocks and the run-out that stand behind an act on a request; None when nothing does.

    `at_insurer` adds its time to forward what became adverse by law, which presses nobody else.
    """
    if State(prior_auth.state) in ACTIVE:
        run_out = clock.end_of_day(prior_auth.clinic.time_zone, on=prior_auth.runs_out_on)
        found = [prior_auth.due_at, run_out, *_replies_wanted(prior_auth)]
    else:
        undecided = [state.value for state in UNDECIDED_APPEALS]
        found = list(prior_auth.appeals.filter(state__in=undecided).values_list("due_at", flat=True))
        found += [forward_by(prior_auth)] if at_insurer else []
    return min((instant for instant in found if instant is not None), default=None)


def _replies_wanted(prior_auth: PriorAuth) -> list[datetime | None]:
    """Return by when the insurer wants the answers it waits for; once it goes on without them it waits no more."""
    if State(prior_auth.state) not in ASKED_OF_CLINIC:
        return []
    open_ones = prior_auth.information_requests.filter(answered_at=None)
    return list(open_ones.values_list("reply_by", flat=True))


@across_tenants("the insurer's clocks run from when the clinic was told")
def decision_notices(prior_auth: PriorAuth) -> list[Happened]:
    """Return when notice of each determination first reached the clinic; what is still on its way is not there."""
    told = decisions_told(prior_auth.public_id, prior_auth.clinic_id)
    first = told.order_by().values("message").annotate(at=Min("sent_at")).values_list("at", flat=True)
    return [Happened(What.NOTICE_DELIVERED, at) for at in sorted(first)]


def perhaps_told_late(*, now: datetime) -> QuerySet[Determination]:
    """Return the first determinations of which the clinic did not hear soon, and no late notice is noted.

    Whether it was late, the clocks say. Nearly all are told in the second in which they are made.
    """
    soon = Least(OuterRef("due_at"), OuterRef("decided_at") + _SOON)
    told = decisions_told(OuterRef("prior_auth__public_id"), OuterRef("prior_auth__clinic_id")).filter(
        sent_at__lte=soon
    )
    noted = Breach.objects.filter(prior_auth=OuterRef("prior_auth"), appeal=None, kind=Kind.NOTIFY_BY.value)
    first = Determination.objects.filter(supersedes=None, decided_at__gt=now - _LONGEST)
    return first.filter(~Exists(told), ~Exists(noted), prior_auth__state=State.DECIDED.value)


def _told(
    audience: Audience, subject: Subject, members: Callable[[Group], Sequence[int]], *, at: datetime
) -> Iterator[Recipient]:
    if isinstance(subject, EmergencyAccess):
        there = _concerned(subject) if audience is Audience.CONCERNED else Membership.objects.none()
        yield from (Recipient(row.person_id, row.organization_id) for row in there.order_by("person_id"))
        return
    for group in _groups(audience, subject):
        # A reviewer by themselves, who is away, is nobody to tell: the next group is.
        if group.person_id and is_absent(group.person_id, organization_id=group.organization_id, now=at):
            continue
        if people := members(group):
            yield from (Recipient(person, group.organization_id) for person in people)
            return


def _groups(audience: Audience, subject: PriorAuth | PainHint) -> Sequence[Group]:
    """Return the groups of which the first that has anybody is told."""
    if isinstance(subject, PriorAuth):
        return PEOPLE[audience](subject)
    return _prescriber(subject) if audience is Audience.PRESCRIBER else []


def _concerned(access: EmergencyAccess) -> QuerySet[Membership]:
    administrators = [Role.CLINIC_ADMIN.value, Role.INSURER_ADMIN.value]
    there = Membership.objects.filter(organization__in=concerned(access), person__is_active=True)
    return there.filter(role__in=administrators).exclude(person=access.person_id)


def _staff(prior_auth: PriorAuth) -> Sequence[Group]:
    return [Group(prior_auth.clinic_id, frozenset({Role.STAFF}))]


def _prescriber(subject: PriorAuth | PainHint) -> Sequence[Group]:
    # A prescriber may work for several clinics; only as a member of this one do they hear of its patients.
    if subject.prescriber_id is None:
        return []
    return [Group(subject.clinic_id, frozenset({Role.PRESCRIBER}), prescriber_id=subject.prescriber_id)]


def _asked_prescriber(prior_auth: PriorAuth) -> Sequence[Group]:
    theirs = prior_auth.information_requests.filter(answered_at=None, owner=Role.PRESCRIBER.value)
    return _prescriber(prior_auth) if theirs.exists() else []


def _at_insurer(*roles: Role) -> Callable[[PriorAuth], Sequence[Group]]:
    def there(prior_auth: PriorAuth) -> Sequence[Group]:
        insurer = insurer_of(prior_auth)
        return [] if insurer is None else [Group(insurer, frozenset(roles))]

    return there


def _reviewer(prior_auth: PriorAuth) -> Sequence[Group]:
    everybody = _at_insurer(Role.REVIEWER)(prior_auth)
    having = [
        Group(group.organization_id, frozenset({Role.REVIEWER, Role.PHYSICIAN}), person_id=prior_auth.reviewer_id)
        for group in everybody
        if prior_auth.reviewer_id is not None
    ]
    return [*having, *everybody]


def insurer_of(prior_auth: PriorAuth) -> int | None:
    """Return the insurer that has received the request. Before submission it must not learn of it."""
    return prior_auth.insurer_id if prior_auth.submitted_at is not None else None


PEOPLE: Mapping[Audience, Callable[[PriorAuth], Sequence[Group]]] = {
    Audience.STAFF: _staff,
    Audience.PRESCRIBER: _prescriber,
    Audience.ASKED_PRESCRIBER: _asked_prescriber,
    Audience.REVIEWERS: _at_insurer(Role.REVIEWER),
    Audience.REVIEWER: _reviewer,
    Audience.PHYSICIANS: _at_insurer(Role.PHYSICIAN),
    Audience.INTAKE: _at_insurer(Role.INTAKE),
    Audience.APPEAL_REVIEWERS: _at_insurer(Role.APPEAL_REVIEWER),
    Audience.ADMINISTRATORS: _at_insurer(Role.INSURER_ADMIN),
    Audience.CONCERNED: lambda _prior_auth: [],
}


def unsent() -> QuerySet[Delivery]:
    """Return the deliveries that have not been made, dead ones left out."""
    return Delivery.objects.filter(sent_at=None, dead_at=None)


def next_by(channel: ChannelName) -> QuerySet[Delivery]:
    """Return the oldest unmade delivery of each request and person: they hear of events in the order of events."""
    same = unsent().filter(subject_id=OuterRef("subject_id"), recipient=OuterRef("recipient"), channel=channel.value)
    # As a value, not as NOT EXISTS: PostgreSQL would join the whole backlog with itself for each single lease.
    first = Subquery(same.order_by("message").values("pk")[:1])
    return unsent().filter(pk=first, channel=channel.value)


def dead() -> QuerySet[Delivery]:
    """Return the deliveries that were given up, waiting for a person to replay them."""
    return Delivery.objects.filter(dead_at__isnull=False).order_by("dead_at", "pk")


@dataclass(frozen=True, slots=True)
class Traffic:
    """The notices of one channel: due and not made (a paused endpoint's left out), the oldest's due instant, settled
    in the last hour (sent, or needless by then), and given up."""

    due: int
    oldest: datetime | None
    made: int
    dead: int


def by_channel(*, now: datetime) -> Mapping[ChannelName, Traffic]:
    """Return how every channel stands."""
    waiting = unsent().filter(due_at__lte=now).exclude(endpoint__state=EndpointState.PAUSED.value)
    counted = waiting.order_by().values("channel").annotate(number=Count("pk"), oldest=Min("due_at"))
    due = {row["channel"]: (row["number"], row["oldest"]) for row in counted}
    made = Delivery.objects.filter(sent_at__gt=now - timedelta(hours=1)).values("channel").annotate(number=Count("pk"))
    given_up = dead().order_by().values("channel").annotate(number=Count("pk"))
    made_of, dead_of = ({row["channel"]: row["number"] for row in rows} for rows in (made, given_up))
    return {
        channel: Traffic(
            *due.get(channel.value, (0, None)),
            made=made_of.get(channel.value, 0),
            dead=dead_of.get(channel.value, 0),
        )
        for channel in ChannelName
    }


def prunable(before: datetime) -> QuerySet[Delivery]:
    """Return the deliveries made before an instant, but for those that are still needed.

    Inbox entries refer to theirs; and of a decision it is asked for ever when its notice first reached the clinic.
    """
    made = Delivery.objects.filter(sent_at__lt=before).exclude(channel=ChannelName.INBOX.value)
    return made.exclude(message__topic__in=DECISION_TOPICS, endpoint=None)


def prunable_facts(before: datetime) -> QuerySet[OutboxMessage]:
    """Return the facts told before an instant to which no delivery and no matter refers any longer."""
    return OutboxMessage.objects.filter(settled_at__lt=before, deliveries=None, matters=None)


def inbox(by: Actor) -> QuerySet[InboxEntry]:
    """Return the actor's own entries for the organization they act for, newest first. A machine has no inbox.

    Each says in `is_open` whether it still waits for an act: nobody has acknowledged it or done what it asks for.
    """
    mine = InboxEntry.objects.filter(person=by.person_id, organization=by.organization_id)
    waits = standing().filter(pk=OuterRef("delivery__matter"))
    found = mine.annotate(is_open=Exists(waits)).select_related("prior_auth", "pain_hint__patient", "emergency_access")
    entries = found.select_related("delivery__on_behalf_of", "delivery__matter").order_by("-arrived_at", "-pk")
    return entries if by.person_id is not None else entries.none()


def waiting(by: Actor) -> QuerySet[InboxEntry]:
    """Return those of the actor's entries that still wait for an act, newest first."""
    return inbox(by).filter(delivery__matter__in=standing())


@dataclass(frozen=True, slots=True)
class InboxState:
    """What an inbox looks like: while it is equal, nothing in it has changed. `open_ids` are the keys of what waits."""

    entries: int
    unread: int
    unacknowledged: int
    open_ids: tuple[int, ...]


def inbox_state(by: Actor) -> InboxState:
    """Return how the actor's inbox stands. Entries only come, and are read and acknowledged once."""
    counts = inbox(by).aggregate(
        entries=Count("pk"),
        unread=Count("pk", filter=Q(read_at=None)),
        unacknowledged=Count("pk", filter=Q(acknowledged_at=None)),
    )
    return InboxState(**counts, open_ids=tuple(waiting(by).values_list("pk", flat=True)))
