"""The steps of a request's life: one address each, all of one shape, from one table."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.etags import etag, expected_version
from authz.api.fields import In
from authz.api.prior_auth_in import (
    AnswersIn,
    ApproveInPartIn,
    AssignIn,
    DenyIn,
    DismissIn,
    IndependentReviewIn,
    InsurerAnswersIn,
    LinkIn,
    MissingIn,
    NoteIn,
    NothingIn,
    PrescriberQuestionIn,
    QuestionsIn,
    ReassignIn,
    ReopenIn,
    SubmitIn,
)
from authz.api.prior_auth_out import PriorAuthDetailOut
from authz.api.views import IDEMPOTENCY_KEY, Door
from authz.errors import InvalidInput
from authz.ids import PriorAuthId
from authz.prior_auths import selectors
from authz.prior_auths.lifecycle import Step
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

IF_MATCH = OpenApiParameter(
    "If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="Act only on the version of this ETag."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDoor:
    """How a step is asked for: the service that takes it, the body it takes, and the headers it never goes without."""

    take: Callable[..., object]
    expects: type[In] = NothingIn
    says: str
    address: str
    needs_version: bool = False
    needs_key: bool = False


DOORS: dict[Step, StepDoor] = {
    Step.TAKE_UP: StepDoor(take=clinic.take_up, says="Start to complete a detected request.", address="take-up"),
    Step.ASSIGN: StepDoor(
        take=assigning.assign, expects=AssignIn, says="Say who of the clinic works on it.", address="assign"
    ),
    Step.ASK_PRESCRIBER: StepDoor(
        take=clinic.ask_prescriber,
        expects=PrescriberQuestionIn,
        says="Ask the prescriber for the answers only they may give.",
        address="ask-prescriber",
    ),
    Step.ANSWER_PRESCRIBER: StepDoor(
        take=clinic.answer_prescriber,
        expects=AnswersIn,
        says="Give the prescriber's answers and hand the request back to the staff.",
        address="answer-prescriber",
    ),
    Step.RECORD_EXEMPTION: StepDoor(
        take=exempting.record_exemption,
        says="Record the exemption that the answers name; the request lapses when nothing else needs authorization.",
        address="record-exemption",
    ),
    Step.TAKE_BACK: StepDoor(
        take=clinic.take_back, says="Take a request back from the prescriber.", address="take-back"
    ),
    Step.SUBMIT: StepDoor(
        take=clinic.submit,
        expects=SubmitIn,
        says="Send the request to the insurer; its clock starts.",
        address="submit",
        needs_key=True,
    ),
    Step.RETURN: StepDoor(
        take=questions.return_incomplete,
        expects=MissingIn,
        says="Say what is missing before the clock may start.",
        address="return",
    ),
    Step.COMPLETE: StepDoor(
        take=questions.complete,
        expects=InsurerAnswersIn,
        says="Give everything that was missing.",
        address="complete",
    ),
    Step.CLAIM: StepDoor(take=queue.claim, says="Take a queued request into review.", address="claim"),
    Step.RELEASE: StepDoor(
        take=queue.release, expects=NoteIn, says="Put a request back into the queue.", address="release"
    ),
    Step.TAKE_IN_HAND: StepDoor(
        take=queue.take_in_hand, says="Lease a request that was referred to a physician.", address="take-in-hand"
    ),
    Step.GIVE_BACK: StepDoor(
        take=queue.give_back,
        expects=NoteIn,
        says="Give a referred request back to the physicians.",
        address="give-back",
    ),
    Step.REASSIGN: StepDoor(
        take=queue.reassign, expects=ReassignIn, says="Hand a request to a colleague.", address="reassign"
    ),
    Step.ASK: StepDoor(take=questions.ask, expects=QuestionsIn, says="Ask the clinic, item by item.", address="ask"),
    Step.ANSWER: StepDoor(
        take=questions.answer,
        expects=InsurerAnswersIn,
        says="Answer the insurer's open questions, all that are yours; with the last one the review goes on.",
        address="answer",
    ),
    Step.ANSWER_IN_PART: StepDoor(
        take=questions.answer_in_part,
        expects=InsurerAnswersIn,
        says="Answer some of the insurer's open questions; with the last one the review goes on all the same.",
        address="answer-in-part",
    ),
    Step.ANSWER_LATE: StepDoor(
        take=questions.answer_late,
        expects=InsurerAnswersIn,
        says="Answer after the time for it, while the request is undecided.",
        address="answer-late",
    ),
    Step.EXPEDITE: StepDoor(
        take=timing.expedite, expects=NoteIn, says="Ask for a decision within the expedited time.", address="expedite"
    ),
    Step.REFUSE_EXPEDITED: StepDoor(
        take=timing.refuse_expedited,
        expects=NoteIn,
        says="Decide within the standard time instead, where the regime lets the insurer say so.",
        address="refuse-expedited",
    ),
    Step.EXTEND: StepDoor(
        take=timing.extend,
        expects=NoteIn,
        says="Give notice of all the time more that the regime allows, once; the reason is told to the clinic.",
        address="extend",
    ),
    Step.REFER: StepDoor(
        take=determinations.refer,
        expects=NoteIn,
        says="Hand a request that cannot be approved in full to a physician.",
        address="refer",
    ),
    Step.APPROVE: StepDoor(
        take=determinations.approve, says="Approve everything as asked.", address="approve", needs_version=True
    ),
    Step.APPROVE_IN_PART: StepDoor(
        take=determinations.approve_in_part,
        expects=ApproveInPartIn,
        says="Approve less than was asked. Needs a licence.",
        address="approve-in-part",
        needs_version=True,
    ),
    Step.DENY: StepDoor(
        take=determinations.deny,
        expects=DenyIn,
        says="Deny the request. Needs a licence.",
        address="deny",
        needs_version=True,
    ),
    Step.WITHDRAW: StepDoor(
        take=clinic.withdraw, expects=NoteIn, says="End the request without a decision.", address="withdraw"
    ),
    Step.FORWARD: StepDoor(
        take=deeming.forward,
        expects=NoteIn,
        says="Note that what became adverse by law is with the independent reviewer; the reason holds the reference.",
        address="forward",
    ),
    Step.RECORD_INDEPENDENT_REVIEW: StepDoor(
        take=independent_review.record_independent_review,
        expects=IndependentReviewIn,
        says="Record what the independent reviewer decided; overturned, wholly or in part, authorizations open.",
        address="record-independent-review",
        needs_version=True,
    ),
    Step.DISMISS: StepDoor(
        take=endings.dismiss, expects=DismissIn, says="End what is no valid request.", address="dismiss"
    ),
    Step.LINK_DUPLICATE: StepDoor(
        take=endings.link_duplicate,
        expects=LinkIn,
        says="End a request because another one asks for the same.",
        address="link-duplicate",
    ),
    Step.PROPOSE_VOID: StepDoor(
        take=endings.propose_void,
        expects=NoteIn,
        says="Propose to void a request created in error; a colleague has to do it.",
        address="propose-void",
    ),
    Step.VOID: StepDoor(
        take=endings.void,
        expects=NoteIn,
        says="Void a request created in error. Takes two of the clinic's staff, or an insurer's administrator.",
        address="void",
    ),
    Step.REOPEN: StepDoor(
        take=reopening.reopen,
        expects=ReopenIn,
        says="Look again at what was decided.",
        address="reopen",
        needs_version=True,
    ),
}
"""Every step that people take on a request. A row in the lifecycle's table needs one here, or a test says so."""


class StepView(Door):
    """Take one step; the answer is the request as it is then, with its ETag."""

    door: ClassVar[StepDoor]

    def post(self, request: Request, prior_auth_id: PriorAuthId) -> Response:
        values = self.read(self.door.expects)
        version = expected_version(request, is_required=self.door.needs_version)
        answer = self.once(lambda: self._take(prior_auth_id, values, version), is_required=self.door.needs_key)
        answer["ETag"] = etag(answer.data["version"])
        return answer

    def _take(self, prior_auth_id: PriorAuthId, values: dict[str, Any], version: int | None) -> Response:
        with lines_named_by_place(self.request.data):
            self.door.take(prior_auth_id=prior_auth_id, by=self.actor, now=self.now, expected_version=version, **values)
        row = selectors.prior_auth(self.actor, prior_auth_id)
        return Response(PriorAuthDetailOut(row, context={"by": self.actor}).data)


def step_view(step: Step) -> type[StepView]:
    """Return the view of one step, with its own entry in the OpenAPI document."""
    door = DOORS[step]
    document = extend_schema(
        operation_id=f"{step.value}_prior_authorization",
        tags=["prior authorizations"],
        description=door.says,
        parameters=[header(IF_MATCH, required=door.needs_version), header(IDEMPOTENCY_KEY, required=door.needs_key)],
        request=None if door.expects is NothingIn else door.expects,
        responses=PriorAuthDetailOut,
    )
    statuses = (409, 412, 428) if door.needs_version else (409, 412)
    name = f"{step.value.title().replace('_', '')}View"
    view: type[StepView] = type(name, (StepView,), {"door": door, "problem_statuses": statuses, "__doc__": door.says})
    return extend_schema_view(post=document)(view)


def header(told: OpenApiParameter, *, required: bool) -> OpenApiParameter:
    """Return a header as an operation tells it that cannot go without, or can."""
    return OpenApiParameter(
        told.name, OpenApiTypes.STR, OpenApiParameter.HEADER, description=told.description, required=required
    )


@contextmanager
def lines_named_by_place(body: Any) -> Iterator[None]:
    """Name a refused grant or reason by its place in the body; the service knows only the number of its line."""
    try:
        yield
    except InvalidInput as error:
        places = {
            f"{kind}.{one['line']}": f"{kind}[{place}]"
            for kind in ("grants", "reasons")
            for place, one in enumerate(body.get(kind, []))
        }
        raise InvalidInput({_by_place(name, places): found for name, found in error.fields.items()}) from error


def _by_place(name: str, places: Mapping[str, str]) -> str:
    """Return the name of a field with the place of its line, such as `reasons[0].code` for `reasons.2.code`."""
    line = ".".join(name.split(".")[:2])
    return name.replace(line, places.get(line, line), 1)
