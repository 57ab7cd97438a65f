"""The steps of a request's life as forms: what each one asks for, and which service takes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django import forms

from authz.access.roles import Role
from authz.documentation import catalog
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import ANSWERING
from authz.prior_auths.review_queue import reviewers
from authz.prior_auths.services import (
    assigning,
    deeming,
    determinations,
    endings,
    exempting,
    independent_review,
    questions,
    queue,
    reopening,
    timing,
)
from authz.prior_auths.services import request as clinic
from authz.prior_auths.services.questions import Item
from authz.prior_auths.worklist import colleagues, same_use
from authz.web import words
from authz.web.answer_fields import field_for, value_of
from authz.web.decision_forms import ApproveForm, ApproveInPartForm, DenyForm, IndependentReviewForm, StepForm
from authz.web.forms import local_instant, long_text

_QUESTIONS = 4
_LONGEST_QUESTION = 1000
_LONGEST_ANSWER = 4000


class NoteForm(StepForm):
    reason = long_text("Reason", hint="It is kept with the request, and both sides can read it.")

    def arguments(self) -> dict[str, Any]:
        return {"reason": self.cleaned_data["reason"]}


class SkipForm(NoteForm):
    reason = long_text("Reason", hint="It is kept with the request, and your colleagues can read it.")


class WithdrawForm(NoteForm):
    reason = long_text("Why is it withdrawn?", most=500)


class AskPrescriberForm(StepForm):
    question = long_text("What should the prescriber answer or attest?")

    def arguments(self) -> dict[str, Any]:
        return {"question": self.cleaned_data["question"]}


class AnswerPrescriberForm(StepForm):
    """The questions that only the prescriber may answer; every one is sent."""

    prefix_of_errors = "answers."

    def add_fields(self) -> None:
        sheet = self.prior_auth.answers
        asked = catalog.questionnaire(sheet.questionnaire).questions if sheet else ()
        self._questions = [question for question in asked if question.only_prescriber]
        for question in self._questions:
            self.fields[question.link_id] = field_for(question)

    def arguments(self) -> dict[str, Any]:
        said = {q.link_id: value_of(q, self.cleaned_data[q.link_id]) for q in self._questions}
        # Not ticked is an answer here, and is refused in words.
        return {"answers": {name: False if value is None else value for name, value in said.items()}}


class SubmitForm(StepForm):
    urgency = forms.ChoiceField(
        label="How urgent is it?",
        choices=[(urgency.value, words.URGENCY[urgency]) for urgency in Urgency],
        initial=Urgency.STANDARD.value,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one.", "invalid_choice": "Choose one of the two."},
    )
    is_checked = forms.BooleanField(
        label="I have checked the answers, and they are right",
        error_messages={"required": "Tick this before you submit."},
    )

    def add_fields(self) -> None:
        sheet = self.prior_auth.answers
        answered = sheet.answers.filter(question="req.urgency").first() if sheet else None
        if answered is not None:
            self.fields["urgency"].initial = answered.value

    def arguments(self) -> dict[str, Any]:
        return {"urgency": Urgency(self.cleaned_data["urgency"])}


class CodedForm(NoteForm):
    """A reason with its code."""

    codes: ClassVar[Mapping[Any, str]]

    def add_fields(self) -> None:
        choices = [(code.value, said) for code, said in self.codes.items()]
        self.fields["code"] = forms.ChoiceField(
            label="What is the reason?", choices=choices, error_messages={"required": "Choose one."}
        )

    def arguments(self) -> dict[str, Any]:
        codes = {code.value: code for code in self.codes}
        return {"code": codes[self.cleaned_data["code"]], **super().arguments()}


class DismissForm(CodedForm):
    codes: ClassVar[Mapping[Any, str]] = words.DISMISSAL


class ReopenForm(CodedForm):
    codes: ClassVar[Mapping[Any, str]] = words.REOPENING


class ReassignForm(NoteForm):
    """To whom, and why."""

    def add_fields(self) -> None:
        self.fields["person"] = forms.ChoiceField(
            label="To whom?",
            choices=[(str(key), name) for key, name in reviewers(self.prior_auth)],
            error_messages={"required": "Choose somebody."},
        )

    def arguments(self) -> dict[str, Any]:
        return {"person_id": UUID(self.cleaned_data["person"]), **super().arguments()}


class AssignForm(StepForm):
    """To whom of the clinic."""

    def add_fields(self) -> None:
        people = [(str(key), name) for key, name in colleagues(self.prior_auth.clinic_id)]
        chosen = str(self.prior_auth.assignee.public_id) if self.prior_auth.assignee else ""
        self.fields["person"] = forms.ChoiceField(
            label="Who works on it?", choices=[("", "Nobody"), *people], initial=chosen, required=False
        )

    def arguments(self) -> dict[str, Any]:
        return {"person_id": UUID(self.cleaned_data["person"]) if self.cleaned_data["person"] else None}


class LinkForm(StepForm):
    """The request that stands; empty for the one proposed."""

    def add_fields(self) -> None:
        others = [(str(key), f"{number}, {product}") for key, number, product in same_use(self.prior_auth)]
        self.fields["survivor"] = forms.ChoiceField(
            label="Which request stands?",
            choices=[("", "The one that was proposed"), *others],
            required=False,
            error_messages={"invalid_choice": "Choose another request for the same use."},
        )

    def arguments(self) -> dict[str, Any]:
        return {"survivor_id": UUID(self.cleaned_data["survivor"]) if self.cleaned_data["survivor"] else None}


class ReturnForm(StepForm):
    """A few things that are missing, each in its own field; empty ones are left out."""

    def add_fields(self) -> None:
        for number in range(1, _QUESTIONS + 1):
            self.fields[f"question-{number}"] = _question(number)

    def refuse(self, fields: Mapping[str, Any]) -> None:
        super().refuse({"question-1" if name == "missing" else name: said for name, said in fields.items()})

    def arguments(self) -> dict[str, Any]:
        return {"missing": [question for question in self.cleaned_data.values() if question]}


class AskForm(StepForm):
    """A few questions, each with whose it is to answer and by when; empty ones are left out."""

    def add_fields(self) -> None:
        for number in range(1, _QUESTIONS + 1):
            self.fields |= {
                f"question-{number}": _question(number),
                f"owner-{number}": forms.ChoiceField(
                    label=f"Who answers question {number}?",
                    choices=[(role.value, words.OWNER[role]) for role in ANSWERING],
                    required=False,
                ),
                f"reply_by-{number}": local_instant(
                    f"Question {number} is wanted by", is_required=False, hint="Left empty, as said above."
                ),
            }

    def questions(self) -> list[tuple[forms.BoundField, forms.BoundField, forms.BoundField]]:
        """Return each question with its owner and its time."""
        numbers = range(1, _QUESTIONS + 1)
        return [(self[f"question-{n}"], self[f"owner-{n}"], self[f"reply_by-{n}"]) for n in numbers]

    def refuse(self, fields: Mapping[str, Any]) -> None:
        places = {"questions": "question-1", "reply_by": f"reply_by-{(self._written() or [1])[0]}"}
        places |= {f"items[{n}].reply_by": f"reply_by-{number}" for n, number in enumerate(self._written())}
        super().refuse({places.get(name, name): said for name, said in fields.items()})

    def arguments(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {
            "questions": [
                Item(said[f"question-{n}"], Role(said[f"owner-{n}"] or Role.STAFF), said[f"reply_by-{n}"])
                for n in self._written()
            ]
        }

    def _written(self) -> list[int]:
        return [n for n in range(1, _QUESTIONS + 1) if self.cleaned_data.get(f"question-{n}")]


def _question(number: int) -> forms.CharField:
    field = long_text(f"Question {number}", most=_LONGEST_QUESTION, rows=2)
    field.required = False
    return field


class AnswerForm(StepForm):
    """An answer to each open question of the insurer; what is left empty is somebody else's to answer."""

    prefix_of_errors = "answers."

    def add_fields(self) -> None:
        for asked in self.prior_auth.information_requests.all():
            if asked.answered_at is None:
                hint = "Only the prescriber can answer this." if asked.owner == Role.PRESCRIBER.value else ""
                field = long_text(asked.question, most=_LONGEST_ANSWER, hint=hint)
                field.required = False
                self.fields[str(asked.public_id)] = field

    def arguments(self) -> dict[str, Any]:
        return {"answers": {UUID(name): said for name, said in self.cleaned_data.items() if said}}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPage:
    """How a step is offered: the service that takes it, its form, and what it does in a sentence."""

    take: Callable[..., object]
    form: type[StepForm] = StepForm
    says: str


STEPS: dict[Step, StepPage] = {
    Step.TAKE_UP: StepPage(take=clinic.take_up, says="Start to complete it. What is known is filled in for you."),
    Step.ASSIGN: StepPage(take=assigning.assign, form=AssignForm, says="Say who of the clinic works on it."),
    Step.ASK_PRESCRIBER: StepPage(
        take=clinic.ask_prescriber, form=AskPrescriberForm, says="The prescriber is told at once."
    ),
    Step.ANSWER_PRESCRIBER: StepPage(
        take=clinic.answer_prescriber, form=AnswerPrescriberForm, says="Only the prescriber can answer this."
    ),
    Step.RECORD_EXEMPTION: StepPage(
        take=exempting.record_exemption,
        says="For one that the answers name, with its evidence and first day. "
        "The request closes where nothing else needs authorization.",
    ),
    Step.TAKE_BACK: StepPage(
        take=clinic.take_back, says="You can change the answers again; what only the prescriber may answer stays open."
    ),
    Step.SUBMIT: StepPage(
        take=clinic.submit, form=SubmitForm, says="The answers are frozen then, and the insurer's clock starts."
    ),
    Step.RETURN: StepPage(
        take=questions.return_incomplete, form=ReturnForm, says="Say what is missing before the clock may start."
    ),
    Step.COMPLETE: StepPage(
        take=questions.complete, form=AnswerForm, says="Give every item; then it goes back to the insurer's queue."
    ),
    Step.CLAIM: StepPage(take=queue.claim, says="Take it into review; it is yours for half an hour."),
    Step.RELEASE: StepPage(take=queue.release, form=NoteForm, says="Let another reviewer take it."),
    Step.TAKE_IN_HAND: StepPage(take=queue.take_in_hand, says="It is yours for half an hour."),
    Step.GIVE_BACK: StepPage(take=queue.give_back, form=NoteForm, says="Let another physician take it."),
    Step.REASSIGN: StepPage(take=queue.reassign, form=ReassignForm, says="A colleague has it in hand from then on."),
    Step.ASK: StepPage(
        take=questions.ask,
        form=AskForm,
        says="The clinic answers item by item.",
    ),
    Step.ANSWER: StepPage(
        take=questions.answer,
        form=AnswerForm,
        says="Give every answer that is yours; with the last one it goes back to the reviewer.",
    ),
    Step.ANSWER_IN_PART: StepPage(
        take=questions.answer_in_part,
        form=AnswerForm,
        says="Give the answers that are there; the insurer waits for the others.",
    ),
    Step.ANSWER_LATE: StepPage(
        take=questions.answer_late,
        form=AnswerForm,
        says="The time for it is over, but nothing is decided: the reviewer is told.",
    ),
    Step.EXPEDITE: StepPage(
        take=timing.expedite, form=NoteForm, says="For a request that cannot wait: the expedited time counts from now."
    ),
    Step.REFUSE_EXPEDITED: StepPage(
        take=timing.refuse_expedited, form=NoteForm, says="The standard time holds then. The clinic is told why."
    ),
    Step.EXTEND: StepPage(
        take=timing.extend,
        form=NoteForm,
        says="All the time more that the plan's regime allows, once. The clinic is told why.",
    ),
    Step.REFER: StepPage(
        take=determinations.refer,
        form=NoteForm,
        says="For a request that cannot be approved in full: a physician decides.",
    ),
    Step.APPROVE: StepPage(
        take=determinations.approve, form=ApproveForm, says="Every line as asked; an authorization opens for each."
    ),
    Step.APPROVE_IN_PART: StepPage(
        take=determinations.approve_in_part, form=ApproveInPartForm, says="Less than was asked. Needs a valid licence."
    ),
    Step.DENY: StepPage(
        take=determinations.deny, form=DenyForm, says="Needs a valid licence. The clinic is told at once."
    ),
    Step.WITHDRAW: StepPage(
        take=clinic.withdraw, form=WithdrawForm, says="End the request without a decision. It cannot be taken back."
    ),
    Step.FORWARD: StepPage(
        take=deeming.forward,
        form=NoteForm,
        says="For what became adverse by law. Give the independent reviewer's reference.",
    ),
    Step.RECORD_INDEPENDENT_REVIEW: StepPage(
        take=independent_review.record_independent_review,
        form=IndependentReviewForm,
        says="For what was forwarded. Overturned, wholly or in part, it is approved, and authorizations open.",
    ),
    Step.DISMISS: StepPage(
        take=endings.dismiss, form=DismissForm, says="For what is no valid request. Nothing is decided by that."
    ),
    Step.LINK_DUPLICATE: StepPage(
        take=endings.link_duplicate, form=LinkForm, says="For a request that asks for what another one asks for."
    ),
    Step.PROPOSE_VOID: StepPage(
        take=endings.propose_void, form=NoteForm, says="For a request created in error. A colleague has to void it."
    ),
    Step.VOID: StepPage(
        take=endings.void, form=NoteForm, says="It is kept, hidden, and gives no right. A colleague has proposed it."
    ),
    Step.REOPEN: StepPage(
        take=reopening.reopen, form=ReopenForm, says="Look again. The decision stands until another supersedes it."
    ),
}
"""Every step but the system's own. A row in the lifecycle's table needs one here, or a test says so."""
