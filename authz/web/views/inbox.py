"""The reader's own notices."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz.ids import NoticeId
from authz.notifications import selectors, services
from authz.notifications.models import InboxEntry
from authz.notifications.subjects import sayable
from authz.notifications.wording import sentence
from authz.web.pages import Page

MOST = 100
"""Notices of a kind shown. Older ones lie in the requests' own history."""


@dataclass(frozen=True, slots=True)
class Told:
    """A notice with its sentence, which is made when it is read."""

    entry: InboxEntry
    sentence: str


class Inbox(Page):
    """What waits for the reader first, then what is new, then the rest."""

    def get(self, request: HttpRequest) -> HttpResponse:
        entries = selectors.inbox(self.actor)
        waiting = selectors.waiting(self.actor)
        others = entries.exclude(pk__in=waiting.values("pk"))
        return self.show(
            "pages/inbox.html",
            waiting=_told(waiting[:MOST]),
            fresh=_told(others.filter(read_at=None)[:MOST]),
            old=_told(others.exclude(read_at=None)[:MOST]),
        )


class OpenNotice(Page):
    """Marks a notice read and leads to its request, or to its patient."""

    def get(self, request: HttpRequest, notice_id: NoticeId) -> HttpResponse:
        return redirect("inbox")

    def post(self, request: HttpRequest, notice_id: NoticeId) -> HttpResponse:
        entry = services.mark_read(notice_id=notice_id, by=self.actor, now=self.now)
        return redirect(sayable(entry.delivery).path)


class Acknowledgement(Page):
    """Notes that the reader has taken a notice in hand."""

    def get(self, request: HttpRequest, notice_id: NoticeId) -> HttpResponse:
        return redirect("inbox")

    def post(self, request: HttpRequest, notice_id: NoticeId) -> HttpResponse:
        entry = services.acknowledge(notice_id=notice_id, by=self.actor, now=self.now)
        messages.success(request, f"Acknowledged: the notice on {entry.number or 'a patient'}.")
        return redirect("inbox")


def _told(entries: Iterable[InboxEntry]) -> list[Told]:
    return [Told(entry, sentence(entry.topic, number=entry.number)) for entry in entries]
