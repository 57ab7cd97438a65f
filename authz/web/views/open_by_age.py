"""How old open requests are, and how much time the law leaves: as tables that lead to the requests, and as CSV."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from authz.prior_auths.lifecycle import ACTIVE, State
from authz.reporting import selectors
from authz.reporting.aging import Aging
from authz.reporting.sheet import AGING_COLUMNS, aging_cells
from authz.web import figure_words, words
from authz.web.matrix import Matrix, MatrixRow, counted
from authz.web.pages import Page
from authz.web.sheets import sheet
from authz.web.worklist_filters import query

Bracket = TypeVar("Bracket", bound=StrEnum)
_STATES = [state for state in State if state in ACTIVE]


class OpenByAge(Page):
    """A clinic's open requests, an insurer's of those submitted to it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        found = selectors.open_requests(self.actor, now=self.now)
        return self.show("pages/open_by_age.html", found=found, tables=[_by_age(found), _by_time_left(found)])


class OpenByAgeSheet(Page):
    """The same as CSV, a line for each status."""

    def get(self, request: HttpRequest) -> HttpResponse:
        found = selectors.open_requests(self.actor, now=self.now)
        return sheet(self, "open requests by age", columns=AGING_COLUMNS, lines=aging_cells(found, now=self.now))


def _by_age(found: Aging) -> Matrix:
    caption = "How old they are: since receipt, before that since they were opened. A day is 24 hours"
    return _matrix("age", caption, figure_words.AGE, {state: found.of_state(state) for state in _STATES})


def _by_time_left(found: Aging) -> Matrix:
    caption = "Time left until they must be decided"
    return _matrix("left", caption, figure_words.LEFT, {state: found.left_of(state) for state in _STATES})


def _matrix(
    name: str, caption: str, brackets: Mapping[Bracket, str], counts: Mapping[State, Counter[Bracket]]
) -> Matrix:
    """Return a line for each state and one for all; `name` is what an address calls the brackets."""

    def row(said: str, state: str, many: Counter[Bracket]) -> MatrixRow:
        address = reverse("aged-requests")
        cells = [counted(many[one], address + query({"state": state, name: one.value})) for one in brackets]
        return MatrixRow(said, [counted(many.total(), address + query({"state": state})), *cells])

    rows = [row(words.STATUS[state].words, state.value, many) for state, many in counts.items()]
    rows.append(row("All", "", sum(counts.values(), Counter[Bracket]())))
    return Matrix(id=name, caption=caption, corner="Status", columns=["All", *brackets.values()], groups=[("", rows)])
