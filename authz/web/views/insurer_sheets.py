"""An insurer's lists as files: policies, what one would have changed, legal clocks, reasons, and appeals."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz.access.roles import Action, must_be_allowed
from authz.ids import PayerPolicyId
from authz.policies import regimes, selectors
from authz.policies.models import PayerPolicy
from authz.policies.reasons import LibraryReason, shipped
from authz.policies.regime import Figure, Regime
from authz.prior_auths import appeals
from authz.prior_auths.appeal_lifecycle import AppealState
from authz.prior_auths.models import Appeal
from authz.simulations import selectors as simulations
from authz.web import words
from authz.web.pages import Page
from authz.web.sheets import MOST, instant, sheet

_POLICIES: Final = (
    "code", "version", "title", "state", "in_force_from", "in_force_until", "retired_on", "author", "activated_by",
)  # fmt: skip
_WEEKS: Final = ("week_of", "requests_in_force", "requests_under_this_one")
_REGIMES: Final = (
    "code", "version", "title", "in_force_from", "in_force_until", "for_drugs", "figure", "value", "rule", "read_in",
    "confirmed",
)  # fmt: skip
_REASONS: Final = ("code", "what_the_patient_reads", "criterion", "what_would_change_it", "words")
_APPEALS: Final = ("request", "state", "urgency", "filed_at", "due_at", "with", "decided_at")


class PoliciesSheet(Page):
    """The policies that the insurer holds itself."""

    def get(self, request: HttpRequest) -> HttpResponse:
        held = selectors.payer_policies(self.actor)
        return sheet(self, "policies", columns=_POLICIES, lines=(_policy(row) for row in held))


class SimulationSheet(Page):
    """Requests by week, under the policy in force and under the simulated one."""

    def get(self, request: HttpRequest, policy_id: PayerPolicyId, simulation_id: UUID) -> HttpResponse:
        report = simulations.simulation(self.actor, policy_id, simulation_id).report
        if not report:
            messages.error(request, "There is nothing to take out before the simulation has come to its end.")
            return redirect("simulation", policy_id=policy_id, simulation_id=simulation_id)
        return sheet(self, "simulation", columns=_WEEKS, lines=(_week(one) for one in report["by_week"]))


class RegimesSheet(Page):
    """Every figure of every version of the legal clocks, one a line."""

    def get(self, request: HttpRequest) -> HttpResponse:
        must_be_allowed(self.actor, Action.READ_POLICIES)
        lines = (_figure(regime, figure) for regime in regimes.every_version() for figure in regime.figures())
        return sheet(self, "legal clocks", columns=_REGIMES, lines=lines)


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


def _week(one: dict[str, Any]) -> Iterator[str]:
    yield one["week_of"]
    yield str(one["in_force"])
    yield str(one["draft"])


def _figure(regime: Regime, figure: Figure) -> Iterator[str]:
    yield regime.code
    yield regime.version
    yield regime.title
    yield regime.in_force_from.isoformat()
    yield regime.in_force_until.isoformat() if regime.in_force_until else ""
    yield "yes" if regime.covers_drugs else "no"
    yield figure.name
    yield figure.value
    yield figure.source.cites
    yield figure.source.basis
    yield "yes" if figure.confirmed else "no"


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
