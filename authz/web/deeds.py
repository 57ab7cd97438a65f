"""What a reader can do with a case at the desk: the steps of the request, of its appeals and of its calls, alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.urls import reverse

from authz.access.roles import Actor
from authz.prior_auths.appeal_lifecycle import UPHOLDING, AppealStep
from authz.prior_auths.call_lifecycle import CallStep
from authz.prior_auths.lifecycle import AGAINST, Step
from authz.prior_auths.models import Appeal, Call, PriorAuth
from authz.prior_auths.services import appeal_decisions, appealing, calling, queue
from authz.web import words
from authz.web.decision_forms import ApproveInPartForm, ReasonForm, StepForm
from authz.web.insurer_follow_up_forms import ConcludeForm, ConfirmTimeForm, DismissAppealForm, ReferenceForm, TimesForm
from authz.web.step_forms import STEPS, NoteForm, SkipForm, StepPage


class DeskStep(StrEnum):
    """What is done at the desk beside the steps of the tables."""

    SKIP = "skip"
    OFFER_CALL = "call-offer"


SHORTCUTS: Final[Mapping[str, str]] = {
    Step.APPROVE.value: "A",
    Step.APPROVE_IN_PART.value: "P",
    Step.ASK.value: "I",
    Step.DENY.value: "D",
}

APPEAL_STEPS: Final[Mapping[AppealStep, StepPage]] = {
    AppealStep.RECEIVE: StepPage(take=appealing.receive, says="The clinic is told that it has arrived."),
    AppealStep.TAKE_IN_HAND: StepPage(take=appealing.take_in_hand, says="It is yours for half an hour."),
    AppealStep.OVERTURN: StepPage(
        take=appeal_decisions.overturn, form=NoteForm, says="Everything that was asked for is approved."
    ),
    AppealStep.OVERTURN_IN_PART: StepPage(
        take=appeal_decisions.overturn_in_part,
        form=ApproveInPartForm,
        says="More than before, and less than was asked. Needs a physician's licence.",
    ),
    AppealStep.UPHOLD: StepPage(
        take=appeal_decisions.uphold, form=ReasonForm, says="The decision stands. Needs a physician's licence."
    ),
    AppealStep.RELEASE: StepPage(take=appealing.release, form=NoteForm, says="Let another appeal reviewer take it."),
    AppealStep.DISMISS: StepPage(
        take=appealing.dismiss, form=DismissAppealForm, says="For what is no valid appeal. Nothing is decided by that."
    ),
    AppealStep.FORWARD: StepPage(
        take=appealing.forward, form=ReferenceForm, says="For what was upheld, or not decided in time."
    ),
}
CALL_STEPS: Final[Mapping[CallStep, StepPage]] = {
    CallStep.OFFER_TIMES: StepPage(
        take=calling.offer_times, form=TimesForm, says="They take the place of the times there are. In your own zone."
    ),
    CallStep.CONFIRM: StepPage(take=calling.confirm, form=ConfirmTimeForm, says="The clinic is told at once."),
    CallStep.CONCLUDE: StepPage(
        take=calling.conclude, form=ConcludeForm, says="Nothing is decided by it: reopen the request, or let it stand."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing to do. `key` is its place on the page, `subject` what the service is told it is about.

    `version` is the one that the page shows, None where the service asks for none. `has_notice`: its letter is read
    before it is done.
    """

    key: str
    label: str
    says: str
    done: str
    address: str
    form: StepForm
    take: Callable[..., Any]
    subject: Mapping[str, Any]
    version: int | None
    has_notice: bool = False

    @property
    def shortcut(self) -> str:
        """The key that opens it, empty without one."""
        return SHORTCUTS.get(self.key, "")

    def arguments(self, *, by: Actor, now: datetime, version: int) -> dict[str, Any]:
        """Return all that its service is called with; `version` is the one the reader saw."""
        seen = {} if self.version is None else {"expected_version": version}
        return {**self.subject, "by": by, "now": now, **seen, **self.form.arguments()}


Posted = Mapping[str, Any] | None


def of_request(prior_auth: PriorAuth, step: Step, posted: Posted = None) -> Deed:
    """Return a step of the request."""
    page = STEPS[step]
    return Deed(
        key=step.value,
        label=words.ACTION[step],
        says=page.says,
        done=words.DONE[step],
        address=reverse("desk-step", args=[prior_auth.public_id, step.value.replace("_", "-")]),
        form=page.form(prior_auth, step, posted),
        take=page.take,
        subject={"prior_auth_id": prior_auth.public_id},
        version=prior_auth.version,
        has_notice=step in AGAINST,
    )


def to_skip(prior_auth: PriorAuth, posted: Posted = None) -> Deed:
    """Return how a request is passed over."""
    return Deed(
        key=DeskStep.SKIP.value,
        label="Skip",
        says="For a day you are not offered it, or only when it is at risk and nothing else waits; colleagues are.",
        done="Skipped",
        address=reverse("desk-skip", args=[prior_auth.public_id]),
        form=SkipForm(prior_auth, DeskStep.SKIP, posted),
        take=queue.skip,
        subject={"prior_auth_id": prior_auth.public_id},
        version=None,
    )


def of_appeal(appeal: Appeal, step: AppealStep, posted: Posted = None) -> Deed:
    """Return a step of an appeal."""
    page, key = APPEAL_STEPS[step], f"appeal-{step.value}-{appeal.pk}"
    form = page.form(appeal.prior_auth, step, posted)
    form.auto_id = f"{key}-%s"
    return Deed(
        key=key,
        label=words.APPEAL_ACTION[step],
        says=page.says,
        done=words.APPEAL_DONE[step],
        address=reverse(
            "desk-appeal", args=[appeal.prior_auth.public_id, appeal.public_id, step.value.replace("_", "-")]
        ),
        form=form,
        take=page.take,
        subject={"appeal_id": appeal.public_id},
        version=appeal.version,
        has_notice=step in UPHOLDING,
    )


def of_call(call: Call, step: CallStep, posted: Posted = None) -> Deed:
    """Return a step of a peer-to-peer call."""
    page, key = CALL_STEPS[step], f"call-{step.value}-{call.pk}"
    form = page.form(call.prior_auth, step, posted)
    form.auto_id = f"{key}-%s"
    return Deed(
        key=key,
        label=words.CALL_ACTION[step],
        says=page.says,
        done="Kept",
        address=reverse("desk-call", args=[call.prior_auth.public_id, call.public_id, step.value.replace("_", "-")]),
        form=form,
        take=page.take,
        subject={"call_id": call.public_id},
        version=call.version,
    )


def to_offer_call(prior_auth: PriorAuth, posted: Posted = None) -> Deed:
    """Return how a peer-to-peer call is offered."""
    return Deed(
        key=DeskStep.OFFER_CALL.value,
        label=words.CALL_ACTION[CallStep.OFFER],
        says="At these times in your own zone, or at none yet.",
        done="A peer-to-peer call is offered",
        address=reverse("desk-offer-call", args=[prior_auth.public_id]),
        form=TimesForm(prior_auth, DeskStep.OFFER_CALL, posted),
        take=calling.offer,
        subject={"prior_auth_id": prior_auth.public_id},
        version=None,
    )
