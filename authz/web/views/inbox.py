"""The reader's own notices."""

from collections.abc import Iterator
from hashlib import sha256
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from authz.access.roles import Actor
from authz.ids import NoticeId
from authz.notifications import selectors, services
from authz.notifications.models import InboxEntry
from authz.notifications.subjects import sayable
from authz.web.inbox_words import told
from authz.web.notices import notices_told
from authz.web.pages import Page
from authz.web.sheets import MOST as MOST_TAKEN_OUT
from authz.web.sheets import instant, sheet

MOST = 100
"""Notices of a kind shown. Older ones lie in the requests' own history."""
_COLUMNS = ("arrived_at", "request", "what_happened", "asks_for_an_act", "read_at", "acknowledged_at", "on_behalf_of")


class Inbox(Page):
    """What waits for the reader first, then what is new, then the rest."""

    def get(self, request: HttpRequest) -> HttpResponse:
        entries = selectors.inbox(self.actor)
        waiting = selectors.waiting(self.actor)
        others = entries.exclude(pk__in=waiting.values("pk"))
        return self.show(
            "pages/inbox.html",
            waiting=notices_told(waiting[:MOST], self.actor),
            fresh=notices_told(others.filter(read_at=None)[:MOST], self.actor),
            old=notices_told(others.exclude(read_at=None)[:MOST], self.actor),
            state=_state(self.actor),
        )


class InboxSheet(Page):
    """The reader's own notices as CSV, the newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        found = list(selectors.inbox(self.actor)[: MOST_TAKEN_OUT + 1])
        if len(found) > MOST_TAKEN_OUT:
            messages.error(request, f"These are more than {MOST_TAKEN_OUT:,} notices. Ask the API for them.")
            return redirect("inbox")
        return sheet(self, "inbox", columns=_COLUMNS, lines=(_cells(entry) for entry in found))


class InboxNews(Page):
    """Tells whether the inbox has changed since it was shown: 204 while it has not. Asked every half minute."""

    def get(self, request: HttpRequest) -> HttpResponse:
        state, had = _state(self.actor), request.headers.get("If-None-Match", "")
        if state in {request.GET.get("seen", ""), had.removeprefix("W/").strip('"')}:
            answer = HttpResponse(status=HTTPStatus.NO_CONTENT)
        else:
            unread = selectors.inbox(self.actor).filter(read_at=None).count()
            answer = render(request, "parts/inbox_news.html", {"unread": unread})
        answer.headers["ETag"] = f'W/"{state}"'
        return answer


def _cells(entry: InboxEntry) -> Iterator[str]:
    yield instant(entry.arrived_at)
    yield entry.number
    yield told(entry.topic, number=entry.number, is_to_do=False)
    yield "yes" if entry.needs_act else "no"
    yield instant(entry.read_at)
    yield instant(entry.acknowledged_at)
    yield entry.delivery.on_behalf_of.full_name if entry.delivery.on_behalf_of else ""


def _state(by: Actor) -> str:
    """Return how the inbox stands, in short: while it is equal, nothing in it has changed."""
    return sha256(repr(selectors.inbox_state(by)).encode()).hexdigest()[:32]


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
