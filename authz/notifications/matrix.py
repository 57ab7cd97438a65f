"""PURE: who hears what, how pressing it is, and whether it goes out. Data; who is not named here is not told."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from authz.access.roles import OrganizationKind


class Audience(StrEnum):
    """A group of people around one request, or around one patient of a clinic."""

    STAFF = "the clinic's staff"
    PRESCRIBER = "the prescriber"
    ASKED_PRESCRIBER = "the prescriber, when a question is theirs to answer"
    REVIEWERS = "the insurer's reviewers"
    REVIEWER = "the reviewer who has it, or all of them when nobody has it"
    PHYSICIANS = "the insurer's physicians"
    INTAKE = "the insurer's intake"
    APPEAL_REVIEWERS = "the insurer's appeal reviewers"
    ADMINISTRATORS = "the insurer's administrators"
    CONCERNED = "the administrators of every organization concerned"


SIDE: Mapping[Audience, OrganizationKind] = {
    Audience.STAFF: OrganizationKind.CLINIC,
    Audience.PRESCRIBER: OrganizationKind.CLINIC,
    Audience.ASKED_PRESCRIBER: OrganizationKind.CLINIC,
    Audience.REVIEWERS: OrganizationKind.INSURER,
    Audience.REVIEWER: OrganizationKind.INSURER,
    Audience.PHYSICIANS: OrganizationKind.INSURER,
    Audience.INTAKE: OrganizationKind.INSURER,
    Audience.APPEAL_REVIEWERS: OrganizationKind.INSURER,
    Audience.ADMINISTRATORS: OrganizationKind.INSURER,
    Audience.CONCERNED: OrganizationKind.CLINIC,  # and insurers; its only topic is personal, so no system asks
}


class ChannelName(StrEnum):
    """The ways to reach a person, and an organization's endpoints. Kept in the database as these strings."""

    INBOX = "inbox"
    EMAIL = "email"
    SMS = "sms"
    WEBHOOK = "webhook"


OUTSIDE = frozenset({ChannelName.EMAIL, ChannelName.SMS})
"""What a person can want or not; the inbox is always there."""


class Pace(StrEnum):
    """Whether a notice may wait for quiet hours to end and for the digest of the day."""

    PRESSING = "pressing"
    CAN_WAIT = "can_wait"


@dataclass(frozen=True, slots=True)
class Notice:
    """How a group hears. Everything is in the inbox; what goes out is also sent, by the channels a person wants.

    What needs an act stays open until somebody does it. `pace` is that of the topic itself: what can wait presses all
    the same once the request's own clock or run-out is near; see authz.notifications.waiting.
    """

    goes_out: bool = False
    needs_act: bool = False
    pace: Pace = Pace.CAN_WAIT


TO_KNOW = Notice()
TO_KNOW_NOW = Notice(goes_out=True)
TO_KNOW_AT_ONCE = Notice(goes_out=True, pace=Pace.PRESSING)
TO_ACT = Notice(needs_act=True)
TO_ACT_NOW = Notice(goes_out=True, needs_act=True)
TO_ACT_AT_ONCE = Notice(goes_out=True, needs_act=True, pace=Pace.PRESSING)

# What merely informs stays in the inbox. Out goes what somebody would otherwise not look for: to prescribers and
# physicians, and to the clinic when a clock runs on it. At once goes what is itself about a clock, an agreed time, or a
# patient who runs out.
MATRIX: Mapping[str, Mapping[Audience, Notice]] = {
    "prior-auth.opened": {Audience.STAFF: TO_ACT, Audience.PRESCRIBER: TO_KNOW_NOW},
    "prior-auth.renewal-opened": {Audience.STAFF: TO_ACT, Audience.PRESCRIBER: TO_KNOW_NOW},
    "prior-auth.lapsed": {Audience.STAFF: TO_KNOW, Audience.PRESCRIBER: TO_KNOW},
    "prior-auth.need-in-doubt": {Audience.STAFF: TO_ACT},
    "prior-auth.prescriber-asked": {Audience.PRESCRIBER: TO_ACT_NOW},
    "prior-auth.prescriber-answered": {Audience.STAFF: TO_ACT},
    "prior-auth.submitted": {Audience.REVIEWERS: TO_ACT},
    "prior-auth.information-requested": {
        Audience.STAFF: TO_ACT_AT_ONCE,
        Audience.PRESCRIBER: TO_KNOW,
        Audience.ASKED_PRESCRIBER: TO_ACT_AT_ONCE,
    },
    "prior-auth.answered": {Audience.REVIEWER: TO_ACT},
    "prior-auth.answered-in-part": {Audience.REVIEWER: TO_KNOW},
    "prior-auth.answered-late": {Audience.REVIEWER: TO_KNOW},
    "prior-auth.unanswered": {Audience.REVIEWER: TO_ACT, Audience.STAFF: TO_KNOW},
    "prior-auth.expedited": {Audience.REVIEWER: TO_ACT, Audience.STAFF: TO_KNOW},
    "prior-auth.expedited-refused": {Audience.STAFF: TO_KNOW, Audience.PRESCRIBER: TO_KNOW_NOW},
    "prior-auth.extended": {Audience.STAFF: TO_KNOW, Audience.PRESCRIBER: TO_KNOW_NOW},
    "prior-auth.referred": {Audience.PHYSICIANS: TO_ACT_AT_ONCE},
    "prior-auth.approved": {Audience.STAFF: TO_KNOW, Audience.PRESCRIBER: TO_KNOW_NOW},
    "prior-auth.approved-in-part": {Audience.STAFF: TO_ACT, Audience.PRESCRIBER: TO_ACT_NOW},
    "prior-auth.denied": {Audience.STAFF: TO_ACT, Audience.PRESCRIBER: TO_ACT_NOW},
    "prior-auth.deemed-approved": {
        Audience.STAFF: TO_KNOW,
        Audience.PRESCRIBER: TO_KNOW_NOW,
        Audience.REVIEWERS: TO_KNOW,
    },
    "prior-auth.deemed-adverse": {
        Audience.STAFF: TO_ACT,
        Audience.PRESCRIBER: TO_ACT_NOW,
        Audience.INTAKE: TO_ACT_AT_ONCE,
    },
    "prior-auth.forwarded": {Audience.STAFF: TO_KNOW, Audience.PRESCRIBER: TO_KNOW},
    "prior-auth.independently-reviewed": {Audience.STAFF: TO_KNOW, Audience.PRESCRIBER: TO_KNOW_NOW},
    "prior-auth.reassigned": {Audience.REVIEWER: TO_ACT},
    "prior-auth.running-out": {
        Audience.STAFF: TO_ACT,
        Audience.PRESCRIBER: TO_KNOW_AT_ONCE,
        Audience.REVIEWER: TO_ACT,
    },
    "prior-auth.overdue": {Audience.ADMINISTRATORS: TO_ACT_AT_ONCE},
    "prior-auth.second-reading-disagreed": {Audience.ADMINISTRATORS: TO_ACT},
    "prior-auth.withdrawn": {Audience.REVIEWER: TO_KNOW},
    "pain-hint.found": {Audience.PRESCRIBER: TO_KNOW_NOW},
    "emergency-access.opened": {Audience.CONCERNED: TO_KNOW_AT_ONCE},
    "prior-auth.returned": {Audience.STAFF: TO_ACT_AT_ONCE, Audience.PRESCRIBER: TO_KNOW},
    "prior-auth.completed": {Audience.REVIEWERS: TO_ACT},
    "prior-auth.dismissed": {Audience.STAFF: TO_ACT, Audience.PRESCRIBER: TO_KNOW_NOW},
    "prior-auth.duplicate-suspected": {Audience.STAFF: TO_ACT, Audience.INTAKE: TO_KNOW},
    "prior-auth.linked-as-duplicate": {Audience.STAFF: TO_KNOW, Audience.REVIEWER: TO_KNOW},
    "prior-auth.voided": {Audience.STAFF: TO_KNOW, Audience.PRESCRIBER: TO_KNOW_NOW, Audience.REVIEWER: TO_KNOW},
    "prior-auth.reopened": {Audience.STAFF: TO_KNOW, Audience.PRESCRIBER: TO_KNOW_NOW, Audience.REVIEWER: TO_ACT},
    "appeal.filed": {Audience.INTAKE: TO_ACT_AT_ONCE, Audience.APPEAL_REVIEWERS: TO_ACT},
    "appeal.received": {Audience.STAFF: TO_KNOW, Audience.PRESCRIBER: TO_KNOW, Audience.APPEAL_REVIEWERS: TO_ACT},
    "appeal.document-added": {Audience.INTAKE: TO_KNOW, Audience.APPEAL_REVIEWERS: TO_KNOW},
    "appeal.upheld": {Audience.STAFF: TO_ACT, Audience.PRESCRIBER: TO_ACT_NOW, Audience.INTAKE: TO_KNOW},
    "appeal.overturned": {Audience.STAFF: TO_KNOW, Audience.PRESCRIBER: TO_KNOW_NOW},
    "appeal.overturned-in-part": {Audience.STAFF: TO_ACT, Audience.PRESCRIBER: TO_ACT_NOW, Audience.INTAKE: TO_KNOW},
    "appeal.dismissed": {Audience.STAFF: TO_ACT, Audience.PRESCRIBER: TO_KNOW_NOW, Audience.APPEAL_REVIEWERS: TO_KNOW},
    "appeal.withdrawn": {Audience.INTAKE: TO_KNOW, Audience.APPEAL_REVIEWERS: TO_KNOW},
    "appeal.forwarded": {Audience.STAFF: TO_KNOW, Audience.PRESCRIBER: TO_KNOW},
    "peer-to-peer.offered": {Audience.STAFF: TO_ACT, Audience.PRESCRIBER: TO_ACT_NOW, Audience.REVIEWER: TO_KNOW},
    "peer-to-peer.times-offered": {Audience.STAFF: TO_ACT, Audience.PRESCRIBER: TO_ACT_AT_ONCE},
    "peer-to-peer.times-proposed": {Audience.REVIEWER: TO_ACT},
    "peer-to-peer.agreed": {
        Audience.STAFF: TO_KNOW,
        Audience.PRESCRIBER: TO_KNOW_AT_ONCE,
        Audience.REVIEWER: TO_KNOW_AT_ONCE,
    },
    "peer-to-peer.declined": {Audience.REVIEWER: TO_KNOW},
    "peer-to-peer.cancelled": {
        Audience.STAFF: TO_KNOW,
        Audience.PRESCRIBER: TO_KNOW_AT_ONCE,
        Audience.REVIEWER: TO_KNOW_AT_ONCE,
    },
    "peer-to-peer.concluded": {Audience.STAFF: TO_KNOW, Audience.PRESCRIBER: TO_KNOW, Audience.REVIEWER: TO_KNOW},
}


PERSONAL = frozenset({"pain-hint.found", "emergency-access.opened"})
"""Told to those people and to nobody else in the house, so to no system of it either."""
SILENT: Mapping[str, str] = {
    "policy.activated": "the insurer's own act; patients are rechecked for it, and of what that opens is told",
    "policy.retired": "the insurer's own act; patients are rechecked for it, and of what that opens is told",
    "phone.given": "the person's own act; a code is texted to that phone alone, to see that it is theirs",
    "webhook.test": "an administrator's own act; it goes to the endpoint that is tried",
    "formulary.in-use": "the operator's own act; every patient is rechecked for it",
}
"""Facts that are announced for work to follow, not for people to hear of, and why."""


def notices(topic: str) -> Mapping[Audience, Notice]:
    """Return who hears of the topic and how; empty when nobody does."""
    return MATRIX.get(topic, {})


def sides_told(topic: str) -> frozenset[OrganizationKind]:
    """Return which side's own systems may hear of the topic: those whose people do, and none of what is personal."""
    return frozenset() if topic in PERSONAL else frozenset(SIDE[audience] for audience in notices(topic))


def topics_of(kind: OrganizationKind) -> list[str]:
    """Return every topic that systems of such an organization may hear of."""
    return sorted(topic for topic in MATRIX if kind in sides_told(topic))


def together(first: Notice, second: Notice) -> Notice:
    """Return the one notice for a person who is in two groups: the more pressing of both in every way."""
    return Notice(
        goes_out=first.goes_out or second.goes_out,
        needs_act=first.needs_act or second.needs_act,
        pace=Pace.PRESSING if Pace.PRESSING in {first.pace, second.pace} else Pace.CAN_WAIT,
    )
