"""Of which specialties a licence must be to decide against a request: its policy may name them."""

from authz.access.selectors import has_specialty
from authz.access.specialties import in_words
from authz.prior_auths.models import PriorAuth


def lacks_specialty(prior_auth: PriorAuth, person_id: int | None) -> bool:
    """Say whether a request's policy names specialties, and no licence of the person's is of one of them."""
    named = prior_auth.decider_specialties
    return bool(named) and not has_specialty(person_id, named)


def who_decides_against(prior_auth: PriorAuth) -> str:
    """Return in a sentence which specialties decide against a request whose policy names some."""
    return (
        f"Under its policy, {prior_auth.policy} version {prior_auth.policy_version}, only these specialties decide "
        f"against this request: {in_words(prior_auth.decider_specialties)}."
    )
