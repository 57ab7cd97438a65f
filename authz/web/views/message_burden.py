"""How many messages the people of an organization get, as its administrator sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse

from authz.errors import InvalidInput
from authz.notifications.burden import selectors as burden
from authz.notifications.burden.figures import Burden, Load
from authz.notifications.matrix import ChannelName
from authz.web.pages import Page
from authz.web.sheets import sheet
from authz.web.worklist_filters import query

_LATELY: Final = timedelta(days=29)
_COLUMNS: Final = ("name", "notices", "asked_for_an_act", "mails", "of_them_digests", "texts", "most_on_one_day")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The figures of some days, both included; `wrong` says why it is not the days that were asked for."""

    since: date
    until: date
    wrong: str
    burden: Burden
    loads: list[PersonsLoad]


class MessageBurden(Page):
    """How many messages people get; thirty days unless others are asked for."""

    def get(self, request: HttpRequest) -> HttpResponse:
        told = self.told()
        days = query({"since": told.since.isoformat(), "until": told.until.isoformat()})
        return self.show("pages/message_burden.html", told=told, days=days)

    def told(self) -> Told:
        """Return the figures.

        :raises Forbidden: when the actor does not administer the organization.
        """
        until = _day(self.request.GET, "until") or self.today()
        since = _day(self.request.GET, "since") or until - _LATELY
        try:
            return self._of(since, until)
        except InvalidInput as refusal:
            wrong = " ".join(sentence for said in refusal.fields.values() for sentence in said)
            return self._of(self.today() - _LATELY, self.today(), wrong)

    def _of(self, since: date, until: date, wrong: str = "") -> Told:
        found = burden.burden_of(self.actor, since=since, until=until, now=self.now)
        people = sorted(found.people.values(), key=lambda person: (person.full_name, person.pk))
        loads = [PersonsLoad(name=person.full_name, load=found.burden.loads[person.pk]) for person in people]
        return Told(since=since, until=until, wrong=wrong, burden=found.burden, loads=loads)


class MessageBurdenSheet(MessageBurden):
    """The same, person by person, as CSV."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return sheet(self, "messages", columns=_COLUMNS, lines=(_cells(one) for one in self.told().loads))


def _cells(one: PersonsLoad) -> list[str]:
    load = one.load
    return [one.name, *map(str, (load.notices, load.acts, one.mails, load.digests, one.texts, load.busiest_day))]


def _day(sent: Mapping[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(sent.get(name, ""))
    except ValueError:
        return None
