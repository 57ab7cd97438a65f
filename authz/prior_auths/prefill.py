"""What a request's questions are prefilled with. Computed, so each counts only once a person has confirmed it."""

from authz.documentation.questionnaire import JsonValue
from authz.prior_auths.models import PriorAuth


def prefill_of(prior_auth: PriorAuth) -> dict[str, JsonValue]:
    """Return the computed answers, by question id."""
    return {"use.days": " ".join(prior_auth.explanation["sentences"])}
