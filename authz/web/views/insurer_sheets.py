"""An insurer's own lists as files: its policies, its reasons, and the appeals of what it decided."""

from collections.abc import Iterator
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz.access.roles import Action, must_be_allowed
from authz.policies import selectors
from authz.policies.models import PayerPolicy
from authz.policies.reasons import LibraryReason, shipped
from authz.prior_auths import appeals
from authz.prior_auths.appeal_lifecycle import AppealState
from authz.prior_auths.models import Appeal
from authz.web import words
from authz.web.pages import Page
from authz.web.sheets import MOST, instant, sheet

_POLICIES: Final = (
    "code", "version", "title", "state", "in_force_from", "in_force_until", "retired_on", "author", "activated_by",
)  # fmt: skip
_REASONS: Final = ("code", "what_the_patient_reads", "criterion", "what_would_change_it", "words")
_APPEALS: Final = ("request", "state", "urgency", "filed_at", "due_at", "with", "decided_at")


class PoliciesSheet(Page):
    """The policies that the insurer holds itself."""

    def get(self, request: HttpRequest) -> HttpResponse:
        held = selectors.payer_policies(self.actor)
        return sheet(self, "policies", columns=_POLICIES, lines=(_policy(row) for row in held))


class ReasonsSheet(Page):
    """The library, in the insurer's own words where it has some."""

    def get(self, request: HttpRequest) -> HttpResponse:
        must_be_allowed(self.actor, Action.READ_POLICIES)
        library = selectors.reasons_of(self.actor.organization).values()
        return sheet(self, "reasons", columns=_REASONS, lines=(_reason(one) for one in library))


class AppealsSheet(Page):
    """All appeals of the insurer's requests, in the order of the desk."""

    def get(self, request: HttpRequest) -> HttpResponse:
        must_be_allowed(self.actor, Action.READ_QUEUE)
        own = appeals.appeals(self.actor).filter(prior_auth__insurer_id=self.actor.organization)
        found = list(own.prefetch_related(None)[: MOST + 1])
        if len(found) > MOST:
            messages.error(request, f"These are more than {MOST:,} appeals. Ask the API for them.")
            return redirect("desk")
        return sheet(self, "appeals", columns=_APPEALS, lines=(_appeal(one) for one in found))


def _policy(row: PayerPolicy) -> Iterator[str]:
    yield row.code
    yield row.version
    yield row.title
    yield row.state
    yield row.in_force_from.isoformat()
    yield row.in_force_until.isoformat() if row.in_force_until else ""
    yield row.retired_on.isoformat() if row.retired_on else ""
    yield row.author.full_name
    yield row.activated_by.full_name if row.activated_by else ""


def _reason(one: LibraryReason) -> Iterator[str]:
    yield one.code
    yield one.text
    yield one.criterion
    yield one.would_change
    yield "shipped" if shipped().get(one.code) == one else "own"


def _appeal(one: Appeal) -> Iterator[str]:
    decision = getattr(one, "decision", None)
    yield one.prior_auth.number
    yield words.APPEAL[AppealState(one.state)].words
    yield one.urgency
    yield instant(one.filed_at)
    yield instant(one.due_at)
    yield one.reviewer.full_name if one.reviewer else ""
    yield instant(decision.decided_at if decision else None)
