"""What each step of a request takes. A validated body is the step's own arguments."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from authz.api.fields import Amount, Day, Days, In, OneOf, PublicId, Text, WholeNumber
from authz.documentation.questionnaire import Source
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.determination import Grant, Reason


class NothingIn(In):
    """The step says everything; the body is empty or an empty object."""


class SubmitIn(In):
    """How soon a decision is needed; expedited when waiting could do serious harm.

    Left out, the answer to req.urgency holds, and without one the request is standard.
    """

    urgency = OneOf(Urgency, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"urgency": Urgency(attrs["urgency"])} if "urgency" in attrs else {}


class NoteIn(In):
    """Why, in a sentence; kept with the event."""

    reason = Text(max_length=2000)


class PrescriberQuestionIn(In):
    """What the staff asks the prescriber."""

    question = Text(max_length=2000)


class QuestionsIn(In):
    """What the insurer still needs to know, item by item."""

    questions = serializers.ListField(child=Text(max_length=1000), min_length=1, max_length=20)


class AnyValue(serializers.JSONField):
    """Any JSON value: each question says for itself what answers it."""

    def to_internal_value(self, data: Any) -> Any:
        return data


class AnswersIn(In):
    """Answers to the questionnaire, by question id. null takes an answer back."""

    answers = serializers.DictField(child=AnyValue(allow_null=True), allow_empty=False)


class SourcedAnswersIn(AnswersIn):
    """Answers, and where they were taken from; left out, they are the person's own."""

    source = OneOf([Source.CHART, Source.PAYER], required=False)  # type: ignore[assignment]  # as in AnswerOut

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {**attrs, "source": Source(attrs["source"])} if "source" in attrs else attrs


class InsurerAnswersIn(In):
    """Answers to the insurer's questions, by the id of each."""

    answers = serializers.DictField(child=Text(max_length=4000), allow_empty=False)

    def validate_answers(self, answers: dict[str, str]) -> dict[UUID, str]:
        found: dict[UUID, str] = {}
        faults: dict[str, Any] = {}
        for key, text in answers.items():
            try:
                found[PublicId().to_internal_value(key)] = text
            except serializers.ValidationError:
                faults[key[:100]] = [ErrorDetail("This is no question's id.", code="invalid")]
        if faults:
            raise serializers.ValidationError(faults)
        return found


class ReasonIn(In):
    """Why it was decided so: a code, a plain sentence the patient can read, and the clause of the criterion."""

    code = Text(max_length=40)
    text = Text(max_length=2000)
    criterion = Text(max_length=500)

    def validate(self, attrs: dict[str, Any]) -> Any:
        return Reason(**attrs)


class DenyIn(In):
    """A denial says why, in whole."""

    reason = ReasonIn()


class GrantIn(In):
    """What is granted on one line; both days are included. `line` is the number of a line asked for."""

    line = WholeNumber(min_value=1, max_value=999)
    days = Days()
    quantity = Amount(required=False, allow_null=True, default=None)
    starts_on = Day()
    ends_on = Day()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["ends_on"] < attrs["starts_on"]:
            backwards = ErrorDetail("The grant ends before it starts.", code="runs-backwards")
            raise serializers.ValidationError({"ends_on": [backwards]})
        return attrs


class ApproveInPartIn(In):
    """Lines that are not named are not granted."""

    grants: Any = serializers.ListSerializer(child=GrantIn(), min_length=1, max_length=50)
    reason = ReasonIn()

    def validate_grants(self, grants: list[dict[str, Any]]) -> dict[int, Grant]:
        found: dict[int, Grant] = {}
        for grant in grants:
            line = grant.pop("line")
            if line in found:
                raise serializers.ValidationError(f"Line {line} is granted twice.", code="repeated-line")
            found[line] = Grant(**grant)
        return found
