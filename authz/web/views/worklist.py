"""The first page: a clinic's worklist; and an insurer's list of all requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page as ListPage
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from authz.access.roles import Action, Role, may
from authz.errors import AuthzError
from authz.ids import PersonId, PriorAuthId
from authz.prior_auths import worklist
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import assigning
from authz.prior_auths.services.steps import IllegalStep
from authz.prior_auths.wanted import Show
from authz.prior_auths.worklist import Choices, Reading
from authz.web import formats, rows, words
from authz.web.forms import Fault
from authz.web.pages import Page
from authz.web.rows import Row
from authz.web.sealed_words import sealed
from authz.web.worklist_filters import SEARCH, FiltersForm, SearchForm, kept, query

PER_PAGE: Final = 50
_CARDS: Final = (Show.OPEN, Show.NEEDS_ANSWER, Show.DUE_TODAY, Show.WITH_INSURER, Show.DECIDED)
_NEXT: Final = "next"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A part of the worklist that is looked at often, with how many stand on it."""

    label: str
    count: int
    address: str
    is_shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One page of a list, and the addresses of the pages beside it; empty where there is none."""

    rows: list[Row]
    count: int
    number: int
    pages: int
    before: str
    after: str


class Worklist(Page):
    """Open requests, the most pressing first; and whatever part of the clinic's requests is wanted."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.is_clinic:
            return self._of_clinic(request)
        # An insurer's first page is the desk; the whole list is asked for by name.
        return self._of_insurer(request) if request.GET else redirect("desk")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Search: what was typed comes back sealed in the address; going back works, and no log names anybody."""
        form = SearchForm(request.POST)
        if not self.is_clinic or not form.is_valid():
            return redirect("worklist")
        found = {"show": Show.ALL.value, SEARCH: sealed(form.cleaned_data["words"])}
        return redirect(reverse("worklist") + (query(found) if found[SEARCH] else ""))

    @property
    def reading(self) -> Reading:
        return Reading(by=self.actor, now=self.now, zone=self.organization.time_zone)

    def form(self, sent: QueryDict, choices: Choices) -> FiltersForm:
        """Return the filters that an address holds."""
        return FiltersForm(sent, choices, me=self.person.public_id)

    def _of_clinic(self, request: HttpRequest) -> HttpResponse:
        choices = worklist.choices(self.actor)
        form = self.form(request.GET, choices)
        wanted, said = form.wanted(), kept(request.GET)
        found = worklist.worklist(self.reading, wanted)
        counted, count = worklist.counts(self.reading, wanted, found)
        cards = [
            Card(label=words.SHOW[show], count=counted[show], address=_address(show), is_shown=show is wanted.show)
            for show in _CARDS
        ]
        return self.show(
            "pages/worklist.html",
            cards=cards,
            form=form,
            search=SearchForm(initial={"words": wanted.search}, auto_id="search-%s", label_suffix=""),
            wanted=wanted,
            part=words.SHOW[wanted.show],
            is_lapsed=bool(said.get(SEARCH)) and not wanted.search,
            listed=self._listed(found, count, request.GET),
            colleagues=choices.colleagues if self.may_assign else [],
            may_open_in_emergency=may(self.actor, Action.OPEN_IN_EMERGENCY),
            kept=said,
            here=query(said),
            filter_faults=[Fault(fault.sentence, "") for fault in form.faults()],
        )

    @property
    def may_assign(self) -> bool:
        return not self.actor.roles.isdisjoint({Role.STAFF, Role.PRESCRIBER})

    def _listed(self, found: QuerySet[PriorAuth], count: int, sent: QueryDict) -> Listed:
        pages = max(1, -(-count // PER_PAGE))
        number = min(_number(sent.get("page", "1")), pages)
        page = found[(number - 1) * PER_PAGE : number * PER_PAGE]
        return Listed(
            rows=rows.rows(page, self.actor, today=self.today()),
            count=count,
            number=number,
            pages=pages,
            before=query(kept(sent), page=str(number - 1)) if number > 1 else "",
            after=query(kept(sent), page=str(number + 1)) if number < pages else "",
        )

    def _of_insurer(self, request: HttpRequest) -> HttpResponse:
        is_ended = request.GET.get("show") == "ended"
        page = self._page(is_ended, request.GET.get("page", "1"))
        found: Any = page.object_list
        listed = rows.rows(found, self.actor, today=self.today())
        return self.show("pages/review_queue.html", rows=listed, page=page, is_ended=is_ended)

    def _page(self, is_ended: bool, number: str) -> ListPage[Any]:
        return Paginator(self.listed_to_insurer(is_ended=is_ended), PER_PAGE).get_page(number)

    def listed_to_insurer(self, *, is_ended: bool) -> Any:
        """Return the insurer's requests that are open, or those that have ended."""
        return rows.ended(self.actor) if is_ended else rows.open_for_insurer(self.actor)


class Assignment(Page):
    """Gives the requests that were ticked to a colleague: all of them, or none when one cannot be."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect("worklist")

    def post(self, request: HttpRequest) -> HttpResponse:
        back = reverse("worklist") + query(kept(QueryDict(request.POST.get(_NEXT, "").removeprefix("?"))))
        ticked, to = _ids(request.POST.getlist("request")), _ids([request.POST.get("person", "")])
        if not ticked:
            messages.error(request, "Nothing was assigned: tick the requests first.")
            return redirect(back)
        try:
            assigning.assign_all(
                prior_auth_ids=[PriorAuthId(key) for key in ticked],
                person_id=PersonId(to[0]) if to else None,
                by=self.actor,
                now=self.now,
            )
        except AuthzError as error:
            messages.error(request, f"Nothing was assigned. {_sentence(error)}")
            return redirect(back)
        messages.success(request, f"{formats.counted(len(ticked), 'request')} assigned.")
        return redirect(back)


def _address(show: Show) -> str:
    return reverse("worklist") + ("" if show is Show.OPEN else query({"show": show.value}))


def _number(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1


def _ids(texts: Sequence[str]) -> list[UUID]:
    """Return what can be read as ids; the page offers no others."""
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def _sentence(error: AuthzError) -> str:
    if isinstance(error, IllegalStep):
        return "One of the requests no longer waits for the clinic."
    fields: dict[str, list[str]] = getattr(error, "fields", {})
    return " ".join(said for sentences in fields.values() for said in sentences) or error.detail
