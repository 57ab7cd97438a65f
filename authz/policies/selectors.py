"""Plans, as everyone may know them: a clinic needs to name the plan that covers its patient."""

from django.db.models import QuerySet

from authz.policies.models import Plan


def plans() -> QuerySet[Plan]:
    """Return every insurer's plans, by insurer and name."""
    return Plan.objects.select_related("insurer").order_by("insurer__name", "name")
