"""Notices as the inbox shows them: what happened, what to do, by when, and what can be done on the spot."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Prefetch, prefetch_related_objects

from authz.access.roles import Actor
from authz.notifications.models import InboxEntry
from authz.notifications.selectors import waiting
from authz.prior_auths import selectors
from authz.prior_auths.deadlines import Clock
from authz.prior_auths.determination import Outcome
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import Determination, PriorAuth
from authz.prior_auths.run_out import RunOut
from authz.prior_auths.services.run_outs import RUNNING_OUT
from authz.web.clock_rows import clocks_told, to_appeal
from authz.web.inbox_words import told
from authz.web.step_forms import AnswerPrescriberForm

_DECIDED = frozenset(
    {
        "prior-auth.approved", "prior-auth.approved-in-part", "prior-auth.denied", "prior-auth.deemed-approved",
        "prior-auth.deemed-adverse",
    }
)  # fmt: skip
_AGAINST = frozenset({Outcome.PARTIALLY_APPROVED.value, Outcome.DENIED.value, Outcome.DEEMED_ADVERSE.value})
_ASKED = "prior-auth.prescriber-asked"
_SHOWN = _DECIDED | {_ASKED, RUNNING_OUT}
"""Of these, the request itself is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notice. `letter` is the decision that has a letter; `appeal_by` is told while there is time; `run_out` is of an
    open request; `to_sign` is the form that attests, and `question` what the prescriber was asked with it."""

    entry: InboxEntry
    sentence: str
    letter: Determination | None = None
    appeal_by: Clock | None = None
    run_out: RunOut | None = None
    to_sign: AnswerPrescriberForm | None = None
    question: str = ""


def notices_told(entries: Iterable[InboxEntry], by: Actor) -> list[Told]:
    """Return the notices in their order."""
    listed = list(entries)
    requests = [entry.prior_auth for entry in listed if entry.prior_auth and entry.topic in _SHOWN]
    newest = Determination.objects.order_by("-pk")
    prefetch_related_objects(requests, "events", "clinic", Prefetch("determinations", queryset=newest))
    return [_told(entry, by) for entry in listed]


def waits_told(request: PriorAuth, by: Actor) -> list[str]:
    """Return what the reader's inbox still asks of them about a request, each said once, the newest first."""
    topics = waiting(by).filter(prior_auth=request).values_list("topic", flat=True)
    return [told(topic, number=request.number, is_to_do=True) for topic in dict.fromkeys(topics)]


def _told(entry: InboxEntry, by: Actor) -> Told:
    # Who is only told need not act; of a patient's pain one is told to look.
    is_to_do = entry.pain_hint_id is not None or _is_open(entry)
    request, said = entry.prior_auth, told(entry.topic, number=entry.number, is_to_do=is_to_do)
    if request is not None and entry.topic in _DECIDED:
        decided = next(iter(request.determinations.all()), None)
        return Told(entry=entry, sentence=said, letter=decided, appeal_by=_appeal_by(entry, request, decided))
    if request is not None and entry.topic == RUNNING_OUT:
        return Told(entry=entry, sentence=said, run_out=selectors.run_out_beside(request, request.due_at))
    if request is not None and entry.topic == _ASKED and _may_sign(request, by):
        form = AnswerPrescriberForm(request, Step.ANSWER_PRESCRIBER)
        form.auto_id = f"sign-{entry.public_id}-%s"
        asked = [event.note for event in request.events.all() if event.step == Step.ASK_PRESCRIBER.value]
        return Told(entry=entry, sentence=said, to_sign=form, question=asked[-1] if asked else "")
    return Told(entry=entry, sentence=said)


def _is_open(entry: InboxEntry) -> bool:
    is_open: bool = entry.is_open  # type: ignore[attr-defined]  # `inbox` annotates it
    return entry.needs_act and is_open


def _may_sign(request: PriorAuth, by: Actor) -> bool:
    return Step.ANSWER_PRESCRIBER in selectors.open_steps(request, by)


def _appeal_by(entry: InboxEntry, request: PriorAuth, decided: Determination | None) -> Clock | None:
    """Return until when to appeal, of what is not done with yet."""
    if entry.acknowledged_at or decided is None or decided.outcome not in _AGAINST:
        return None
    return to_appeal(clocks_told(request))
