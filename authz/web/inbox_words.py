"""PURE: what a notice asks of its reader, said in the same sentence as what happened."""

from collections.abc import Mapping
from typing import Final

from authz.notifications.wording import sentence

TO_DO: Final[Mapping[str, str]] = {
    "prior-auth.opened": "take it up",
    "prior-auth.renewal-opened": "complete it before the authorization ends",
    "prior-auth.need-in-doubt": "check the records, and withdraw it if it is not needed",
    "prior-auth.prescriber-asked": "read it, then answer and sign it",
    "prior-auth.prescriber-answered": "check it, then submit it",
    "prior-auth.submitted": "claim it",
    "prior-auth.information-requested": "answer item by item before the time is over",
    "prior-auth.answered": "go on with the review",
    "prior-auth.unanswered": "go on with what there is",
    "prior-auth.expedited": "look at it before the others",
    "prior-auth.referred": "take it in hand and decide",
    "prior-auth.approved-in-part": "read what is granted and why, then accept it or appeal",
    "prior-auth.denied": "read why, then accept it, talk to the insurer's physician, or appeal",
    "prior-auth.deemed-adverse": "see that it goes on to the independent reviewer",
    "prior-auth.reassigned": "take it in hand",
    "prior-auth.running-out": "act on it today",
    "prior-auth.overdue": "see what kept it, and that it is decided, told or forwarded",
    "prior-auth.second-reading-disagreed": "read why, and reopen it if they are right",
    "pain-hint.found": "read it before the next prescription",
    "prior-auth.returned": "give what is missing: the clock waits for it",
    "prior-auth.completed": "claim it",
    "prior-auth.dismissed": "read why, and ask anew if it is needed",
    "prior-auth.duplicate-suspected": "link the two, or go on with both",
    "prior-auth.reopened": "look at it again",
    "appeal.filed": "acknowledge it and give it to an appeal reviewer",
    "appeal.received": "take it in hand",
    "appeal.upheld": "read why, and go on to whom can be asked next",
    "appeal.overturned-in-part": "read what is granted, and go on to whom can be asked next",
    "appeal.dismissed": "read why, and file it anew if there is time",
    "peer-to-peer.offered": "choose a time or propose others",
    "peer-to-peer.times-offered": "choose one",
    "peer-to-peer.times-proposed": "confirm one or offer others",
    "notice.reminder": "do it today, or acknowledge it",
    "notice.delegated": "act for them",
    "notice.to-team": "one of you, take it in hand",
    "notice.to-administrator": "give it to somebody",
}
"""By topic; what merely informs is not there. A test demands one for every notice that asks for an act."""


def told(topic: str, *, number: str, is_to_do: bool) -> str:
    """Return what happened and, while it is to do, what to do, in one sentence without patient data."""
    happened = sentence(topic, number=number)
    return f"{happened.removesuffix('.')}: {TO_DO[topic]}." if is_to_do and topic in TO_DO else happened
