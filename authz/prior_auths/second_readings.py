"""Approvals by rule that were chosen to be read by a person, as they are read."""

from django.db.models import QuerySet

from authz.access.roles import Action, Actor, must_be_allowed
from authz.documentation import catalog
from authz.prior_auths.models import Determination
from authz.prior_auths.outlook import Criterion, looked_at


def sampled(by: Actor) -> QuerySet[Determination]:
    """Return the approvals of the actor's insurer that were chosen to be read, the oldest first.

    :raises Forbidden: when the actor is of no insurer.
    """
    must_be_allowed(by, Action.READ_QUEUE)
    chosen = Determination.objects.filter(prior_auth__insurer_id=by.organization, is_sampled=True)
    return chosen.select_related("prior_auth", "second_reading__read_by").order_by("pk")


def unread(by: Actor) -> QuerySet[Determination]:
    """Return those of them that nobody has read yet, the oldest first.

    :raises Forbidden: when the actor is of no insurer.
    """
    return sampled(by).filter(second_reading=None)


def shown_to_rule(approval: Determination) -> list[Criterion]:
    """Return what the rule was shown, criterion by criterion, by the questions that were asked."""
    name = (approval.prior_auth.packet or {}).get("questionnaire")
    asked = catalog.questionnaire(name).questions if name else ()
    texts = {question.link_id: question.text for question in asked}
    return [looked_at(looked, texts) for looked in approval.trace or ()]
