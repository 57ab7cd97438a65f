"""Put a request under a legal clock; the caller saves it."""

from datetime import datetime

from authz import clock
from authz.policies.models import Plan
from authz.policies.selectors import regime_for
from authz.prior_auths.models import PriorAuth


def put_under_regime(*, prior_auth: PriorAuth, plan: Plan | None, now: datetime) -> None:
    """Note the version of the plan's regime that is in force now, who may deny, and where its days begin and end.

    Once submitted a request keeps them. Without a plan its clinic's time zone stands in.
    """
    prior_auth.time_zone = plan.time_zone if plan else prior_auth.clinic.time_zone
    regime = regime_for(plan, clock.day_in(prior_auth.time_zone, at=now))
    prior_auth.regime, prior_auth.regime_version = regime.code, regime.version
    prior_auth.denied_by = regime.denied_by.value
