"""The clocks of one request as a file: what was due when, and whether it was kept."""

from collections.abc import Iterator
from typing import Final

from django.http import HttpRequest, HttpResponse

from authz.ids import PriorAuthId
from authz.prior_auths import selectors
from authz.web.clock_rows import ClockRow, clock_rows, clocks_told
from authz.web.pages import Page
from authz.web.sheets import instant, sheet

_COLUMNS: Final = (
    "request", "clock", "stands", "started_at", "due_at", "stopped_at", "who_waits", "why", "rule", "confirmed",
)  # fmt: skip


class ClocksSheet(Page):
    """All of them, in the order of the page; none before the request is submitted."""

    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId) -> HttpResponse:
        prior_auth = selectors.prior_auth(self.actor, prior_auth_id)
        told = clock_rows(clocks_told(prior_auth), now=self.now)
        return sheet(self, "clocks", columns=_COLUMNS, lines=(_cells(prior_auth.number, row) for row in told))


def _cells(number: str, row: ClockRow) -> Iterator[str]:
    yield number
    yield row.what
    yield row.stands
    yield instant(row.clock.started_at)
    yield instant(row.clock.due_at)
    yield instant(row.clock.stopped_at)
    yield row.awaited
    yield row.clock.why
    yield row.clock.citation
    yield "yes" if row.clock.confirmed else "no"
