"""An insurer's policies: what ships and what it holds itself, what each says, drafts, two persons, simulations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz.access.roles import Action, may, must_be_allowed
from authz.errors import AuthzError, InvalidInput, NotFound, StaleVersion
from authz.ids import PayerPolicyId
from authz.policies import catalog, regimes, selectors, services
from authz.policies.clause import Setting, clause_sentences, settings_of
from authz.policies.examples import disagreements
from authz.policies.models import Plan, PolicyState
from authz.policies.reasons import shipped
from authz.policies.version import PolicyVersion
from authz.simulations import selectors as simulations
from authz.simulations import services as simulating
from authz.simulations.models import Simulation
from authz.web import words
from authz.web.bars import bars
from authz.web.forms import Fault, PlainForm
from authz.web.pages import Page
from authz.web.policy_forms import DraftForm, ReasonForm, RetireForm, SimulationForm
from authz.web.words import Status, Tone

_HALF_A_YEAR = timedelta(days=182)
_STANDING: Mapping[PolicyState, Status] = {
    PolicyState.DRAFT: Status("Draft", Tone.WAITS),
    PolicyState.ACTIVE: Status("Active", Tone.GOOD),
    PolicyState.RETIRED: Status("Retired", Tone.OVER),
}


@dataclass(frozen=True, slots=True)
class RunExample:
    """An example of a policy's own, run just now; without a sentence the policy agrees."""

    name: str
    needs_authorization: bool
    disagreements: list[str]


class PolicyPage(Page):
    """What the pages of policies share: who may decide, and refusals that keep what was typed."""

    @property
    def decides(self) -> bool:
        return may(self.actor, Action.DECIDE_POLICIES)

    def must_read(self) -> None:
        """Refuse whoever may not read policies.

        :raises Forbidden: for everybody but an insurer's people.
        """
        must_be_allowed(self.actor, Action.READ_POLICIES)

    def refused(self, form: PlainForm, error: AuthzError) -> list[Fault]:
        """Return what is to be told of a refusal; what is about a field stands there as well.

        :raises NotFound: when it is another insurer's.
        """
        if isinstance(error, NotFound):
            raise error
        if isinstance(error, InvalidInput):
            form.refuse(error.fields)
            return list(form.faults())
        if isinstance(error, StaleVersion):
            return [Fault("Somebody changed this policy after you opened it. Read it as it is now.", "")]
        return [Fault(error.detail, "")]


class Policies(PolicyPage):
    """The policies that the insurer holds, and those that ship. A draft begins here."""

    def get(self, request: HttpRequest) -> HttpResponse:
        self.must_read()
        return self._page(DraftForm(initial={"document": self._beginning(request.GET.get("from", ""))}))

    def post(self, request: HttpRequest) -> HttpResponse:
        self.must_read()
        form = DraftForm(request.POST)
        if not form.is_valid():
            return self._page(form, list(form.faults()), status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            row = services.draft_policy(document=form.cleaned_data["document"], by=self.actor, now=self.now)
        except InvalidInput as error:
            return self._page(form, self.refused(form, error), status=HTTPStatus.UNPROCESSABLE_ENTITY)
        messages.success(request, "The draft is kept. Somebody else has to activate it.")
        return redirect("policy", policy_id=row.public_id)

    def _page(self, form: DraftForm, faults: list[Fault] | None = None, *, status: int = 200) -> HttpResponse:
        return self.show(
            "pages/policies.html",
            status=status,
            own=[(row, _STANDING[PolicyState(row.state)]) for row in selectors.payer_policies(self.actor)],
            shipped=[version for _, versions in sorted(catalog.policies().items()) for version in versions],
            form=form if self.decides else None,
            is_begun=form.is_bound or bool(form.initial.get("document")),
            faults=faults or [],
        )

    def _beginning(self, name: str) -> str:
        """Return the file of a version of the catalog to begin with; empty when none is named."""
        code, _, version = name.rpartition("/")
        return catalog.text_of(catalog.version_named(code, version)) if code else ""


class CatalogPolicy(PolicyPage):
    """A version that ships."""

    def get(self, request: HttpRequest, code: str, version: str) -> HttpResponse:
        self.must_read()
        return self.show("pages/policy.html", **_said(catalog.version_named(code, version)), decides=self.decides)


class OwnPolicy(PolicyPage):
    """A version that the insurer holds, and what can be done with it."""

    def get(self, request: HttpRequest, policy_id: PayerPolicyId) -> HttpResponse:
        return self.policy(policy_id)

    def policy(
        self,
        policy_id: PayerPolicyId,
        refused: PlainForm | None = None,
        faults: list[Fault] | None = None,
        *,
        status: int = 200,
    ) -> HttpResponse:
        """Return the page; a form that was refused stands in it as it was filled in."""
        row = selectors.payer_policy(self.actor, policy_id)
        today = self.today()
        forms: dict[str, PlainForm] = {
            "retire": RetireForm(initial={"retired_on": (today + timedelta(days=1)).isoformat()}),
            "simulate": self.simulation_form(row.code),
            "rewrite": DraftForm(),
        }
        if refused is not None:
            forms[_NAMES[type(refused)]] = refused
        return self.show(
            "pages/policy.html",
            status=status,
            row=row,
            standing=_STANDING[PolicyState(row.state)],
            decides=self.decides,
            is_author=row.author_id == self.actor.person_id,
            simulations=list(simulations.simulations(self.actor, policy_id)[:20]),
            forms=forms,
            refused_form=_NAMES[type(refused)] if refused is not None else "",
            faults=faults or [],
            **_said(selectors.version_of(row)),
        )

    def simulation_form(self, code: str) -> SimulationForm:
        """Return the form, with the plans of the policy's code ticked; where none has it, all."""
        own, today = self.own_plans(), self.today()
        ticked = [plan for plan in own if plan.policy == code] or own
        return SimulationForm(
            own,
            initial={
                "plans": [str(plan.public_id) for plan in ticked],
                "since": (today - _HALF_A_YEAR).isoformat(),
                "until": today.isoformat(),
            },
        )

    def own_plans(self) -> list[Plan]:
        """Return the insurer's plans, by name."""
        return list(selectors.plans().filter(insurer_id=self.actor.organization_id))

    def act(self, policy_id: PayerPolicyId, form: PlainForm, **arguments: Any) -> HttpResponse:
        """Call what this page does with the policy, or show why not."""
        if form.is_bound and not form.is_valid():
            return self.policy(policy_id, form, list(form.faults()), status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            return self.do(policy_id, form, **arguments)
        except AuthzError as error:
            faults = self.refused(form, error)
            status = HTTPStatus.UNPROCESSABLE_ENTITY if isinstance(error, InvalidInput) else HTTPStatus.CONFLICT
            return self.policy(policy_id, form if form.is_bound else None, faults, status=status)

    def do(self, policy_id: PayerPolicyId, form: PlainForm) -> HttpResponse:
        """Do it, and say where to go then."""
        raise NotImplementedError

    def edition(self) -> int:
        """Return the edition the reader saw; without one, nothing matches."""
        sent = self.request.POST.get("edition", "")
        return int(sent) if sent.isdecimal() and len(sent) < 10 else -1


class Activation(OwnPolicy):
    """Brings a draft in force, as somebody other than its author."""

    def get(self, request: HttpRequest, policy_id: PayerPolicyId) -> HttpResponse:
        return redirect("policy", policy_id=policy_id)

    def post(self, request: HttpRequest, policy_id: PayerPolicyId) -> HttpResponse:
        return self.act(policy_id, PlainForm())

    def do(self, policy_id: PayerPolicyId, form: PlainForm) -> HttpResponse:
        services.activate_policy(policy_id=policy_id, by=self.actor, now=self.now, expected_edition=self.edition())
        messages.success(self.request, "The policy is active.")
        return redirect("policy", policy_id=policy_id)


class Rewriting(Activation):
    """Puts another document in place of a draft's."""

    def post(self, request: HttpRequest, policy_id: PayerPolicyId) -> HttpResponse:
        return self.act(policy_id, DraftForm(request.POST))

    def do(self, policy_id: PayerPolicyId, form: PlainForm) -> HttpResponse:
        services.rewrite_policy(
            policy_id=policy_id,
            document=form.cleaned_data["document"],
            by=self.actor,
            now=self.now,
            expected_edition=self.edition(),
        )
        messages.success(self.request, "The draft is written anew.")
        return redirect("policy", policy_id=policy_id)


class Retirement(Activation):
    """Ends an active policy."""

    def post(self, request: HttpRequest, policy_id: PayerPolicyId) -> HttpResponse:
        return self.act(policy_id, RetireForm(request.POST))

    def do(self, policy_id: PayerPolicyId, form: PlainForm) -> HttpResponse:
        services.retire_policy(
            policy_id=policy_id, **form.cleaned_data, by=self.actor, now=self.now, expected_edition=self.edition()
        )
        messages.success(self.request, "The policy is retired.")
        return redirect("policy", policy_id=policy_id)


class SimulationAsked(Activation):
    """Asks what the policy would have changed."""

    def post(self, request: HttpRequest, policy_id: PayerPolicyId) -> HttpResponse:
        return self.act(policy_id, SimulationForm(self.own_plans(), request.POST))

    def do(self, policy_id: PayerPolicyId, form: PlainForm) -> HttpResponse:
        asked = simulating.ask(policy_id=policy_id, **form.cleaned_data, by=self.actor, now=self.now)
        return redirect("simulation", policy_id=policy_id, simulation_id=asked.public_id)


class SimulationPage(PolicyPage):
    """What a policy would have changed, as a picture and as a table; while it runs, how far it is."""

    def get(self, request: HttpRequest, policy_id: PayerPolicyId, simulation_id: UUID) -> HttpResponse:
        found = simulations.simulation(self.actor, policy_id, simulation_id)
        return self.show(
            "pages/simulation.html",
            simulation=found,
            report=found.report,
            weeks=_weeks(found),
            chart=_chart(found),
        )


class Regimes(PolicyPage):
    """The legal clocks that plans can be under, with where each figure was read."""

    def get(self, request: HttpRequest) -> HttpResponse:
        self.must_read()
        return self.show("pages/regimes.html", regimes=list(regimes.every_version()))


class Reasons(PolicyPage):
    """The library of reasons, the insurer's own words first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        self.must_read()
        library = selectors.reasons_of(self.actor.organization)
        chosen = library.get(request.GET.get("say", ""))
        initial = {name: getattr(chosen, name) for name in ReasonForm.base_fields} if chosen else {}
        return self._page(ReasonForm(initial=initial))

    def post(self, request: HttpRequest) -> HttpResponse:
        self.must_read()
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        services.record_reason(reason=form.reason(), by=self.actor, now=self.now)
        messages.success(request, f"The reason {form.reason().code} is kept.")
        return redirect("reasons")

    def _page(self, form: ReasonForm, *, status: int = 200) -> HttpResponse:
        library = selectors.reasons_of(self.actor.organization)
        return self.show(
            "pages/reasons.html",
            status=status,
            reasons=[(reason, shipped().get(reason.code) != reason) for reason in library.values()],
            form=form if self.decides else None,
            is_begun=form.is_bound or bool(form.initial),
            faults=list(form.faults()),
        )


_NAMES: Mapping[type[PlainForm], str] = {RetireForm: "retire", SimulationForm: "simulate", DraftForm: "rewrite"}


def _said(version: PolicyVersion) -> dict[str, Any]:
    """Return all that a version says, with its examples run."""
    settings: list[Setting] = list(settings_of(version))
    return {
        "version": version,
        "sentences": clause_sentences(version),
        "settings": [(setting, words.SETTING[setting.standing]) for setting in settings],
        "examples": [
            RunExample(example.name, example.needs_authorization, list(disagreements(version, example)))
            for example in version.examples
        ],
    }


def _weeks(found: Simulation) -> list[dict[str, Any]]:
    return found.report["by_week"] if found.report else []


def _chart(found: Simulation) -> Any:
    groups = [(week["week_of"][5:], [week["in_force"], week["draft"]]) for week in _weeks(found)]
    if not groups:
        return None
    return bars("Requests by week", ["policy in force", "this policy"], groups)
