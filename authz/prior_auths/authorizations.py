"""Authorizations as they are read: what was drawn on one, and how it stands."""

from dataclasses import dataclass
from datetime import datetime

from authz import clock
from authz.access.tenancy import across_tenants
from authz.formulary import selectors as formularies
from authz.policies.selectors import rules_of
from authz.prior_auths import needs
from authz.prior_auths.authorization import Granted, Standing, Used, standing, use_of, used
from authz.prior_auths.models import Authorization, PriorAuth
from authz.prior_auths.needs import PatientCase
from authz.prior_auths.product_names import product_name
from authz.rules.records import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An authorization on a day, as known then."""

    authorization: Authorization
    product: str
    granted: Granted
    used: Used
    standing: Standing

    @property
    def can_go_on(self) -> bool:
        """Whether it has neither ended nor been ended."""
        return self.standing not in {Standing.EXPIRED, Standing.REVOKED, Standing.SUPERSEDED}


def right_of(authorization: Authorization) -> Granted:
    """Return the right that an authorization gives."""
    return Granted(
        rxcui=authorization.rxcui,
        starts_on=authorization.starts_on,
        ends_on=authorization.ends_on,
        days=authorization.days_granted,
        quantity=authorization.quantity_granted,
    )


@across_tenants("what was dispensed draws on an authorization wherever it was recorded")
def seen(prior_auth: PriorAuth, *, now: datetime, known: PatientCase | None = None) -> list[Seen]:
    """Return how a request's authorizations stand today, by what is known of its patient, or by `known`."""
    rows = list(prior_auth.authorizations.select_related("determination__superseded_by").order_by("pk"))
    if not rows:
        return []
    patient, plan = prior_auth.patient, prior_auth.coverage.plan if prior_auth.coverage else None
    on, formulary = clock.day_in(prior_auth.time_zone, at=now), formularies.current()
    policy, records = rules_of(plan).on(on).parameters, (known or needs.case_of(patient)).records
    use = use_of(Case(id=str(patient.public_id), as_of=on, policy=policy, records=records), formulary)
    beside = [right_of(row) for row in needs.in_force(patient, plan.pk if plan else None)]
    found = []
    for row in rows:
        granted = right_of(row)
        drawn = used(granted, beside=beside, use=use, formulary=formulary)
        stands = standing(granted, drawn, on=on, ended=_ended(row))
        row.determination.prior_auth = prior_auth  # with the lines that it has at hand
        product = product_name(row.determination, row.rxcui)
        found.append(Seen(authorization=row, product=product, granted=granted, used=drawn, standing=stands))
    return found


def _ended(row: Authorization) -> Standing | None:
    if row.revoked_at is not None:
        return Standing.REVOKED
    return Standing.SUPERSEDED if hasattr(row.determination, "superseded_by") else None
