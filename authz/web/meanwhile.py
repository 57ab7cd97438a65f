"""What became of a request since somebody was shown it, for whom comes too late with what they wrote."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from authz.documentation import catalog
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import PriorAuth
from authz.web import formats, words


def changed_since(prior_auth: PriorAuth, seen_at: datetime) -> Iterator[str]:
    """Yield, in words, the steps taken since and the questions that were answered or confirmed since."""
    for event in prior_auth.events.all():
        if event.at > seen_at:
            when = formats.moment(timezone.localtime(event.at))
            yield f"{words.DONE[Step(event.step)]} by {event.actor_name}, {when}"
    if prior_auth.answers is None:
        return
    texts = {one.link_id: one.text for one in catalog.questionnaire(prior_auth.answers.questionnaire).questions}
    for row in prior_auth.answers.answers.select_related("confirmed_by").order_by("pk"):
        if max(row.answered_at, row.confirmed_at or row.answered_at) > seen_at:
            who = f" by {row.confirmed_by}" if row.confirmed_by else ""
            yield f"Answered{who}: {texts.get(row.question, row.question)}"
