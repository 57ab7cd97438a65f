"""Why a request needs authorization, by what it keeps of the rule's answer."""

from collections.abc import Mapping
from typing import Any

from authz.prior_auths import selectors
from authz.prior_auths.models import PriorAuth
from authz.web.why import Why, why

_NO_CLAUSE: Mapping[str, Any] = {"sentences": [], "settings": []}
_NO_TRACE: Mapping[str, Any] = {"records": [], "episodes": []}


def _trace(prior_auth: PriorAuth) -> Mapping[str, Any]:
    """Return the trace a request keeps; requests opened before traces were kept have none."""
    trace: Mapping[str, Any] = prior_auth.explanation.get("trace", _NO_TRACE)
    return trace


def why_of(prior_auth: PriorAuth) -> Why:
    """Return why a request was opened, by the clause and the trace that it keeps."""
    trace = _trace(prior_auth)
    return why(
        {**_NO_CLAUSE, "version": prior_auth.policy_version, **prior_auth.explanation["policy"]},
        trace,
        episode=0 if trace["episodes"] else None,
        ways_out=selectors.ways_out(prior_auth),
        is_payer_rule_unknown=prior_auth.is_payer_rule_unknown,
    )
