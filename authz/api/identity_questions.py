"""Whether two patients are one: the service asks, a person answers."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Action, must_be_allowed
from authz.api.fields import In, Truth
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import IdentityQuestionId
from authz.prescriptions import selectors
from authz.prescriptions.models import IdentityQuestion
from authz.prior_auths.services import intake


class IdentityAnswerIn(In):
    """A person's answer."""

    is_same = Truth(help_text="True joins the records of the two; that cannot be undone.")


class OpenQuestionOut(serializers.Serializer[IdentityQuestion]):
    id = serializers.UUIDField(source="public_id")
    reason = serializers.CharField()
    asked_at = serializers.DateTimeField()
    patients = serializers.SerializerMethodField(help_text="The two; one of them may be known to others only.")

    def get_patients(self, question: IdentityQuestion) -> list[str]:
        return [str(patient.public_id) for patient in question.patients.all()]


class AnsweredQuestionOut(serializers.Serializer[IdentityQuestion]):
    id = serializers.UUIDField()
    is_same = serializers.BooleanField()


class IdentityQuestionsView(Listing):
    queryset = IdentityQuestion.objects.none()
    serializer_class = OpenQuestionOut

    @extend_schema(operation_id="list_identity_questions", tags=["patients"], responses=OpenQuestionOut(many=True))
    def get(self, request: Request) -> Response:
        """List your organization's open questions."""
        return self.listed(selectors.identity_questions(self.actor).prefetch_related("patients"))


class IdentityAnswerView(Door):
    problem_statuses = (409,)

    @extend_schema(
        operation_id="answer_identity_question",
        tags=["patients"],
        parameters=[IDEMPOTENCY_KEY],
        request=IdentityAnswerIn,
        responses=AnsweredQuestionOut,
    )
    def post(self, request: Request, question_id: IdentityQuestionId) -> Response:
        """Say whether the two patients are one."""
        must_be_allowed(self.actor, Action.RECORD_PATIENT)
        is_same = self.read(IdentityAnswerIn)["is_same"]
        return self.once(lambda: self._answer(question_id, is_same))

    def _answer(self, question_id: IdentityQuestionId, is_same: bool) -> Response:
        intake.answer_identity_question(question_id=question_id, is_same=is_same, by=self.actor, now=self.now)
        return Response({"id": str(question_id), "is_same": is_same})
