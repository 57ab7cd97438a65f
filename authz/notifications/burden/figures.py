"""PURE: how many messages people get, a person and a decision. Data in, figures out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from statistics import median_high, median_low

from authz.notifications.matrix import ChannelName


@dataclass(frozen=True, slots=True)
class Message:
    """One message that reached a person: on which day of the organization's calendar, and by which channel.

    `is_digest` is of the one mail that counts many; the notices in it are messages of the inbox.
    """

    person_id: int
    on: date
    channel: ChannelName
    needs_act: bool = False
    is_digest: bool = False

    @property
    def interrupts(self) -> bool:
        """Say whether it went out of the house to the person, rather than waiting in the inbox."""
        return self.channel is not ChannelName.INBOX


@dataclass(frozen=True, slots=True)
class Load:
    """What one person got: notices in the inbox, how many of them needed an act, what went out by channel, digests
    among it, and how much went out on their busiest day."""

    notices: int
    acts: int
    sent: Mapping[ChannelName, int]
    digests: int
    busiest_day: int


@dataclass(frozen=True, slots=True)
class Burden:
    """What all people of an organization got, person by person by key, and how many decisions they heard of."""

    loads: Mapping[int, Load]
    decisions: int

    @property
    def notices(self) -> int:
        return sum(load.notices for load in self.loads.values())

    @property
    def acts(self) -> int:
        return sum(load.acts for load in self.loads.values())

    @property
    def sent(self) -> Mapping[ChannelName, int]:
        """By channel, over all people."""
        total = Counter[ChannelName]()
        for load in self.loads.values():
            total.update(load.sent)
        return total

    @property
    def notices_per_decision(self) -> Fraction | None:
        """None without any decision."""
        return Fraction(self.notices, self.decisions) if self.decisions else None

    @property
    def sent_per_decision(self) -> Fraction | None:
        """None without any decision."""
        return Fraction(sum(self.sent.values()), self.decisions) if self.decisions else None

    @property
    def median_sent_per_person(self) -> Fraction | None:
        """Of the people who got anything at all; None of none."""
        counts = [sum(load.sent.values()) for load in self.loads.values()]
        return Fraction(median_low(counts) + median_high(counts), 2) if counts else None

    @property
    def busiest_day(self) -> int:
        """The most that went out to one person on one day."""
        return max((load.busiest_day for load in self.loads.values()), default=0)


def burden(messages: Iterable[Message], *, decisions: int) -> Burden:
    """Add messages up."""
    by_person: dict[int, list[Message]] = {}
    for message in messages:
        by_person.setdefault(message.person_id, []).append(message)
    return Burden({person: _load(of_person) for person, of_person in by_person.items()}, decisions)


def _load(messages: list[Message]) -> Load:
    notices = [message for message in messages if not message.interrupts]
    sent = [message for message in messages if message.interrupts]
    days = Counter(message.on for message in sent)
    return Load(
        notices=len(notices),
        acts=sum(message.needs_act for message in notices),
        sent=Counter(message.channel for message in sent),
        digests=sum(message.is_digest for message in sent),
        busiest_day=max(days.values(), default=0),
    )
