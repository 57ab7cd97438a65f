"""The first page: a clinic's worklist, an insurer's review queue."""

from typing import Any, Final

from django.core.paginator import Page as ListPage
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse

from authz.web import rows
from authz.web.pages import Page

PER_PAGE: Final = 50


class Worklist(Page):
    """Open requests, the most pressing first; with `show=ended`, those that have come to an end."""

    def get(self, request: HttpRequest) -> HttpResponse:
        is_ended = request.GET.get("show") == "ended"
        page = self._page(is_ended, request.GET.get("page", "1"))
        listed = rows.rows(list(page.object_list), self.actor, today=self.today())
        return self.show("pages/worklist.html", rows=listed, page=page, is_ended=is_ended)

    def _page(self, is_ended: bool, number: str) -> ListPage[Any]:
        found: Any = rows.open_for_clinic(self.actor) if self.is_clinic else rows.open_for_insurer(self.actor)
        return Paginator(rows.ended(self.actor) if is_ended else found, PER_PAGE).get_page(number)
