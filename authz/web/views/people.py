"""The people of an organization as its administrator sees them: their roles, who stands in, how much they are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse

from authz.access import selectors as access
from authz.access.models import Person
from authz.errors import InvalidInput
from authz.notifications.burden import selectors as burden
from authz.notifications.burden.figures import Load
from authz.notifications.matrix import ChannelName
from authz.notifications.wishes import selectors as wishes
from authz.web.pages import Page

_LATELY = timedelta(days=29)


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """One person: their roles here, and who is asked when they do not answer; empty for nobody."""

    person: Person
    roles: list[str]
    delegate: str


class People(Page):
    """Who works here."""

    def get(self, request: HttpRequest) -> HttpResponse:
        members = access.members(self.actor)
        named = wishes.delegates_named(self.actor)
        people = [
            Colleague(person=person, roles=roles, delegate=named.get(person.pk, ""))
            for person, roles in members.items()
        ]
        return self.show("pages/people.html", people=people)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonsLoad:
    """How much one person got."""

    name: str
    load: Load

    @property
    def mails(self) -> int:
        """Mails, digests among them."""
        return self.load.sent.get(ChannelName.EMAIL, 0)

    @property
    def texts(self) -> int:
        """Texts to their phone."""
        return self.load.sent.get(ChannelName.SMS, 0)


class MessageBurden(Page):
    """How many messages people get; thirty days unless others are asked for."""

    def get(self, request: HttpRequest) -> HttpResponse:
        until = _day(request.GET, "until") or self.today()
        since = _day(request.GET, "since") or until - _LATELY
        wrong = ""
        try:
            found = burden.burden_of(self.actor, since=since, until=until, now=self.now)
        except InvalidInput as refusal:
            wrong = " ".join(sentence for said in refusal.fields.values() for sentence in said)
            since, until = self.today() - _LATELY, self.today()
            found = burden.burden_of(self.actor, since=since, until=until, now=self.now)
        people = sorted(found.people.values(), key=lambda person: (person.full_name, person.pk))
        return self.show(
            "pages/message_burden.html",
            since=since,
            until=until,
            wrong=wrong,
            burden=found.burden,
            loads=[PersonsLoad(name=person.full_name, load=found.burden.loads[person.pk]) for person in people],
        )


def _day(sent: Mapping[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(sent.get(name, ""))
    except ValueError:
        return None
