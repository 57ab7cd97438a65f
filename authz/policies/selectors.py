"""Plans, as everyone may know them, the policies an insurer holds, and which version holds for a plan on a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from authz.access.roles import Action, Actor, must_be_allowed
from authz.access.tenancy import across_tenants
from authz.errors import NotFound
from authz.ids import PayerPolicyId
from authz.policies import catalog, regimes
from authz.policies.automation import Automation
from authz.policies.models import PayerPolicy, PayerReason, Plan, PolicyState
from authz.policies.reasons import LibraryReason, shipped
from authz.policies.regime import Regime
from authz.policies.schema import read_policy
from authz.policies.version import PolicyVersion
from authz.rules.policy import Basis

_A_LIFETIME = 36_525


def plans() -> QuerySet[Plan]:
    """Return every insurer's plans, by insurer and name: a clinic needs to name the plan that covers its patient."""
    return Plan.objects.select_related("insurer").order_by("insurer__name", "name")


def payer_policies(by: Actor) -> QuerySet[PayerPolicy]:
    """Return the policies the insurer holds itself, drafts and retired ones included, oldest first for each code."""
    must_be_allowed(by, Action.READ_POLICIES)
    own = PayerPolicy.objects.filter(insurer_id=by.organization)
    return own.select_related("author", "activated_by", "retired_by").order_by("code", "in_force_from", "pk")


def payer_policy(by: Actor, policy_id: PayerPolicyId) -> PayerPolicy:
    """Return one policy the insurer holds.

    :raises NotFound: when it holds no such policy.
    """
    found = payer_policies(by).filter(public_id=policy_id).first()
    if found is None:
        raise NotFound("There is no such policy.")
    return found


def version_of(row: PayerPolicy) -> PolicyVersion:
    """Return what a policy held by an insurer says, in force no longer than until it was retired."""
    return read_policy(document_of(row) | {"in_force_until": last_day_of(row)})


def document_of(row: PayerPolicy) -> dict[str, Any]:
    """Return a policy held by an insurer as the document it was drafted from."""
    terms: Mapping[str, Any] = row.terms
    return {
        "code": row.code,
        "version": row.version,
        "title": row.title,
        "in_force_from": row.in_force_from,
        "in_force_until": row.in_force_until,
        **terms,
    }


def last_day_of(row: PayerPolicy) -> date | None:
    """Return the last day on which a policy holds; None while its end is open."""
    ends = [row.in_force_until, row.retired_on - timedelta(days=1) if row.retired_on else None]
    return min((day for day in ends if day is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRules:
    """The policy a plan names, in all versions: what its insurer holds of it goes before the catalog's."""

    code: str
    own: tuple[PolicyVersion, ...] = ()

    def on(self, day: date) -> PolicyVersion:
        """Return the version in force on a day; where none is, the default policy's: the payer's rule is unknown."""
        of_catalog = catalog.policies().get(self.code, ())
        in_force = (version for version in (*self.own, *of_catalog) if version.is_in_force(day))
        return next(in_force, None) or catalog.policy(catalog.DEFAULT, day)


def rules_of(plan: Plan | None) -> PlanRules:
    """Return the policies that hold for a plan's members; without a plan, the default's."""
    if plan is None:
        return PlanRules(code=catalog.DEFAULT)
    ever_held = Q(retired_on=None) | Q(retired_on__gt=F("in_force_from"))
    rows = _ever_active().filter(ever_held, insurer_id=plan.insurer_id, code=plan.policy)
    held = rows.order_by("in_force_from", "pk")
    with across_tenants("a payer's policy holds for the patients of any clinic"):
        return PlanRules(code=plan.policy, own=tuple(version_of(row) for row in held))


def plans_that_count_days_as_they_pass() -> QuerySet[Plan]:
    """Return the plans of which any version of the policy counts supply in hand only as its days pass."""
    shipped = [
        code
        for code, versions in catalog.policies().items()
        if any(version.parameters.basis is Basis.ELAPSED for version in versions)
    ]
    own = _ever_active().filter(
        insurer=OuterRef("insurer"), code=OuterRef("policy"), terms__parameters__basis__value=Basis.ELAPSED.value
    )
    return Plan.objects.filter(Q(policy__in=shipped) | Exists(own))


def written_expiries() -> set[int]:
    """Return after how many days an unfilled order counts no more, under any policy; a lifetime is for ever."""
    shipped = {
        version.parameters.written_expiry_days for versions in catalog.policies().values() for version in versions
    }
    path = "terms__parameters__written_expiry_days__value"
    own = _ever_active().filter(**{f"{path}__isnull": False}).values_list(path, flat=True).distinct()
    return {days for days in shipped.union(own) if days < _A_LIFETIME}


def _ever_active() -> QuerySet[PayerPolicy]:
    return PayerPolicy.objects.exclude(state=PolicyState.DRAFT.value)


def regime_for(plan: Plan | None, on: date) -> Regime:
    """Return the legal clock that decisions on a plan's members run on, on a day; without a plan, the generic one."""
    return regimes.in_force(plan.regime if plan else regimes.GENERIC, on)


def policy_for(plan: Plan | None, on: date) -> PolicyVersion:
    """Return the policy version that holds for a plan's members on a day; without a plan, the default's."""
    return rules_of(plan).on(on)


def reasons_of(insurer_id: int) -> dict[str, LibraryReason]:
    """Return the reasons an insurer decides by, by code: its own words go before the shipped ones."""
    own = PayerReason.objects.filter(insurer_id=insurer_id).order_by("code")
    said = {
        row.code: LibraryReason(code=row.code, text=row.text, criterion=row.criterion, would_change=row.would_change)
        for row in own
    }
    return {**shipped(), **said}


def automation_of(insurer_id: int | None, code: str, version: str) -> Automation | None:
    """Return when a policy's version lets the software approve; None where it never does."""
    found = version_named(insurer_id, code, version)
    return found.automation if found else None


@across_tenants("what a payer's policy says of a request is told to the clinics that ask it")
def version_named(insurer_id: int | None, code: str, version: str) -> PolicyVersion | None:
    """Return a policy's version by its name, the insurer's own or else the catalog's; None where there is none."""
    row = PayerPolicy.objects.filter(insurer_id=insurer_id, code=code, version=version).first()
    own = version_of(row) if row and row.state != PolicyState.DRAFT.value else None
    shipped_ones = (known for known in catalog.policies().get(code, ()) if known.version == version)
    return own or next(shipped_ones, None)
