"""The steps of an appeal's life: one address each, all of one shape, from one table."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.appeal_out import AppealDetailOut
from authz.api.appeals import whole
from authz.api.etags import etag, expected_version
from authz.api.fields import In, OneOf, Text
from authz.api.prior_auth_in import ApproveInPartIn, NoteIn, NothingIn, UpholdIn
from authz.api.prior_auth_steps import IF_MATCH, StepDoor, header, lines_named_by_place
from authz.api.views import IDEMPOTENCY_KEY, Door
from authz.ids import AppealId
from authz.prior_auths.appeal_lifecycle import AppealDismissal, AppealStep
from authz.prior_auths.services import appeal_decisions, appealing


class DismissAppealIn(In):
    """Why it is no valid appeal."""

    code = OneOf(AppealDismissal)
    reason = Text(max_length=2000)

    def validate_code(self, code: str) -> AppealDismissal:
        return AppealDismissal(code)


APPEAL_DOORS: dict[AppealStep, StepDoor] = {
    AppealStep.RECEIVE: StepDoor(
        take=appealing.receive, says="Acknowledge an appeal, and offer it to the appeal reviewers.", address="receive"
    ),
    AppealStep.TAKE_IN_HAND: StepDoor(
        take=appealing.take_in_hand, says="Lease an appeal for half an hour, or for another.", address="take-in-hand"
    ),
    AppealStep.RELEASE: StepDoor(
        take=appealing.release, expects=NoteIn, says="Put an appeal back for another reviewer.", address="release"
    ),
    AppealStep.UPHOLD: StepDoor(
        take=appeal_decisions.uphold,
        expects=UpholdIn,
        says="Let the decision stand. Needs a physician's licence.",
        address="uphold",
        needs_version=True,
    ),
    AppealStep.OVERTURN: StepDoor(
        take=appeal_decisions.overturn,
        expects=NoteIn,
        says="Approve everything that was asked.",
        address="overturn",
        needs_version=True,
    ),
    AppealStep.OVERTURN_IN_PART: StepDoor(
        take=appeal_decisions.overturn_in_part,
        expects=ApproveInPartIn,
        says="Approve more than before and less than was asked. Needs a physician's licence.",
        address="overturn-in-part",
        needs_version=True,
    ),
    AppealStep.DISMISS: StepDoor(
        take=appealing.dismiss, expects=DismissAppealIn, says="End what is no valid appeal.", address="dismiss"
    ),
    AppealStep.WITHDRAW: StepDoor(
        take=appealing.withdraw, expects=NoteIn, says="End an appeal that is no longer pursued.", address="withdraw"
    ),
    AppealStep.FORWARD: StepDoor(
        take=appealing.forward,
        expects=NoteIn,
        says="Note that the file is with the independent reviewer; the reason holds the reference.",
        address="forward",
    ),
}
"""Every step that people take on an appeal. A row in the appeals' table needs one here, or a test says so."""


class AppealStepView(Door):
    """Take one step; the answer is the appeal as it is then, with its ETag."""

    door: ClassVar[StepDoor]

    def post(self, request: Request, appeal_id: AppealId) -> Response:
        values = self.read(self.door.expects)
        version = expected_version(request, is_required=self.door.needs_version)
        answer = self.once(lambda: self._take(appeal_id, values, version))
        answer["ETag"] = etag(answer.data["version"])
        return answer

    def _take(self, appeal_id: AppealId, values: dict[str, Any], version: int | None) -> Response:
        with lines_named_by_place(self.request.data):
            self.door.take(appeal_id=appeal_id, by=self.actor, now=self.now, expected_version=version, **values)
        return whole(appeal_id, self.actor)


def appeal_step_view(step: AppealStep) -> type[AppealStepView]:
    """Return the view of one step, with its own entry in the OpenAPI document."""
    door = APPEAL_DOORS[step]
    document = extend_schema(
        operation_id=f"{step.value}_appeal",
        tags=["appeals"],
        description=door.says,
        parameters=[header(IF_MATCH, required=door.needs_version), IDEMPOTENCY_KEY],
        request=None if door.expects is NothingIn else door.expects,
        responses=AppealDetailOut,
    )
    statuses = (409, 412, 428) if door.needs_version else (409, 412)
    name = f"Appeal{step.value.title().replace('_', '')}View"
    own = {"door": door, "problem_statuses": statuses, "__doc__": door.says}
    view: type[AppealStepView] = type(name, (AppealStepView,), own)
    return extend_schema_view(post=document)(view)
