"""What each step of a request takes. A validated body is the step's own arguments."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from authz.access.roles import Role
from authz.api.fields import Amount, Day, Days, In, Instant, OneOf, PublicId, Text, WholeNumber
from authz.documentation.questionnaire import Source
from authz.prior_auths.appeal_lifecycle import AppealOutcome
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.determination import Grant, Reason
from authz.prior_auths.lifecycle import DismissalReason, ReopeningReason
from authz.prior_auths.models import ANSWERING
from authz.prior_auths.new_fact import NewFact, StatedFact
from authz.prior_auths.services.questions import Item


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


class ItemIn(In):
    """One question; what is not said of it is as for all of them."""

    question = Text(max_length=1000)
    owner = OneOf(ANSWERING, required=False)
    reply_by = Instant(required=False, allow_null=True)


class QuestionsIn(In):
    """What the insurer still needs to know, item by item: whose it is to answer, and by when it is wanted.

    `questions` are texts alone, `items` say that one by one; `owner` and `reply_by` are for all that do not. Where
    nobody says by when, it is by the regime's time to reply, or early enough to decide in time.
    """

    questions = serializers.ListField(child=Text(max_length=1000), max_length=20, required=False, default=list)
    items: Any = serializers.ListSerializer(child=ItemIn(), max_length=20, required=False, default=list)
    owner = OneOf(ANSWERING, required=False, default=Role.STAFF.value)
    reply_by = Instant(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        usual = {"owner": attrs["owner"], "reply_by": attrs["reply_by"]}
        said = [*({"question": text} for text in attrs["questions"]), *attrs["items"]]
        asked = [usual | {name: value for name, value in one.items() if value is not None} for one in said]
        return {"questions": [Item(one["question"], Role(one["owner"]), one["reply_by"]) for one in asked]}


class MissingIn(In):
    """What is missing before the insurer's clock may start, item by item."""

    missing = serializers.ListField(child=Text(max_length=1000), min_length=1, max_length=20)


class NewFactIn(In):
    """A clinical fact that is new since the same was decided against, and that no order or fill tells of."""

    kind = OneOf(NewFact)
    sentence = Text(max_length=1000)

    def validate(self, attrs: dict[str, Any]) -> Any:
        return StatedFact(NewFact(attrs["kind"]), attrs["sentence"])


class OpenIn(In):
    """Whose use to ask an approval for, and why, though the rule does not ask for one.

    After a decision against it, and without a newer record, `new_fact` says what is new.
    """

    patient = PublicId()
    reason = Text(max_length=500)
    new_fact = NewFactIn(required=False, allow_null=True, default=None)


class DismissIn(In):
    """Why it is no valid request."""

    code = OneOf(DismissalReason)
    reason = Text(max_length=2000)

    def validate_code(self, code: str) -> DismissalReason:
        return DismissalReason(code)


class ReassignIn(In):
    """To which colleague, and why."""

    person = PublicId(source="person_id")
    reason = Text(max_length=2000)


class AssignIn(In):
    """To which colleague; null for nobody."""

    person = PublicId(source="person_id", allow_null=True)


class LinkIn(In):
    """The request that stands; without it, the one that the service proposed."""

    survivor = PublicId(required=False, allow_null=True, default=None, source="survivor_id")


class ReopenIn(In):
    """Why a decided request is looked at again."""

    code = OneOf(ReopeningReason)
    reason = Text(max_length=2000)

    def validate_code(self, code: str) -> ReopeningReason:
        return ReopeningReason(code)


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
    """Why it was decided so: a code of `/reasons/`, a plain sentence the patient can read, the criterion's clause.

    Without `would_change`, what would change it is said as the library says it.
    """

    code = Text(max_length=40)
    text = Text(max_length=2000)
    criterion = Text(max_length=500)
    would_change = Text(max_length=1000, required=False, default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> Any:
        return Reason(**attrs)


class LineReasonIn(ReasonIn):
    """Why one line was decided so. `line` is the number of a line of which less is granted than asked."""

    line = WholeNumber(min_value=1, max_value=999)

    def validate(self, attrs: dict[str, Any]) -> Any:
        return attrs.pop("line"), super().validate(attrs)


class UpholdIn(In):
    """Why the decision stands."""

    reason = ReasonIn()


class DenyIn(In):
    """A denial says why, in whole. `reasons` are those of lines that have another one."""

    reason = ReasonIn()
    reasons: Any = serializers.ListSerializer(child=LineReasonIn(), max_length=50, required=False, default=list)

    def validate_reasons(self, reasons: list[tuple[int, Reason]]) -> dict[int, Reason]:
        found: dict[int, Reason] = {}
        for line, reason in reasons:
            if line in found:
                raise serializers.ValidationError(f"Line {line} has two reasons.", code="repeated-line")
            found[line] = reason
        return found


class GrantIn(In):
    """What is granted on one line; both days are included. `line` is the number of a line asked for.

    `daily_units` is the most units a day, `rxcui` another product of the same ingredient that is no stronger; what is
    not said of the daily units, the refills and the product is as asked.
    """

    line = WholeNumber(min_value=1, max_value=999)
    days = Days()
    quantity = Amount(required=False, allow_null=True, default=None)
    starts_on = Day()
    ends_on = Day()
    daily_units = Amount(required=False, allow_null=True, default=None)
    refills = WholeNumber(min_value=0, max_value=99, required=False, allow_null=True, default=None)
    rxcui = Text(max_length=8, required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["ends_on"] < attrs["starts_on"]:
            backwards = ErrorDetail("The grant ends before it starts.", code="runs-backwards")
            raise serializers.ValidationError({"ends_on": [backwards]})
        return attrs


class ApproveInPartIn(DenyIn):
    """Lines that are not named are not granted. `reasons` are those of lines that have another one than the whole."""

    grants: Any = serializers.ListSerializer(child=GrantIn(), min_length=1, max_length=50)

    def validate_grants(self, grants: list[dict[str, Any]]) -> dict[int, Grant]:
        return _by_line(grants)


class IndependentReviewIn(In):
    """What the independent reviewer decided, on which day, and under which reference.

    `grants` say what a decision that was partly overturned grants; lines that are not named are not granted.
    """

    outcome = OneOf(AppealOutcome)
    decided_on = Day()
    reference = Text(max_length=200)
    reason = Text(max_length=2000)
    grants: Any = serializers.ListSerializer(child=GrantIn(), min_length=1, max_length=50, required=False)

    def validate_outcome(self, outcome: str) -> AppealOutcome:
        return AppealOutcome(outcome)

    def validate_grants(self, grants: list[dict[str, Any]]) -> dict[int, Grant]:
        return _by_line(grants)


def _by_line(grants: list[dict[str, Any]]) -> dict[int, Grant]:
    found: dict[int, Grant] = {}
    for grant in grants:
        line = grant.pop("line")
        if line in found:
            raise serializers.ValidationError(f"Line {line} is granted twice.", code="repeated-line")
        found[line] = Grant(**grant)
    return found
