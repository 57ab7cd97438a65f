"""A request's questionnaire: what is asked and still to do, and the answers."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.etags import etag, expected_version
from authz.api.fields import Word
from authz.api.prior_auth_in import SourcedAnswersIn
from authz.api.prior_auth_out import PriorAuthDetailOut
from authz.api.prior_auth_steps import IF_MATCH
from authz.api.prior_auths import whole
from authz.api.views import Door
from authz.documentation.questionnaire import Kind, Question, Section, Source
from authz.ids import PriorAuthId
from authz.prior_auths import selectors
from authz.prior_auths.answer_seen import AnswerSeen, answer_seen
from authz.prior_auths.selectors import AnswersSeen, QuestionsSeen
from authz.prior_auths.services import request as clinic


class AnswerOut(serializers.Serializer[AnswerSeen]):
    """One question and its answer. An answer that no person has confirmed does not count."""

    question = serializers.CharField()
    text = serializers.CharField()
    kind = Word(Kind)
    options = serializers.ListField(child=serializers.CharField())
    is_for_prescriber = serializers.BooleanField()
    is_required = serializers.BooleanField(help_text="The payer does not take the request without it.")
    value = serializers.JSONField(allow_null=True)
    source = Word(Source, allow_null=True)  # type: ignore[assignment]  # DRF takes the field out of the class
    answered_on = serializers.DateField(allow_null=True)
    confirmed_on = serializers.DateField(allow_null=True)
    fresh_until = serializers.DateField(
        allow_null=True, help_text="After that day it must be confirmed again before the request is submitted."
    )
    is_stale = serializers.BooleanField(help_text="Confirmed, or dated, longer ago than the payer's list allows.")


class AnswersOut(serializers.Serializer[AnswersSeen]):
    answers = AnswerOut(many=True)


class ColumnOut(serializers.Serializer[Question]):
    """One column of a question that is answered by rows."""

    id = serializers.CharField(source="link_id")
    text = serializers.CharField()
    kind = Word(Kind, source="type")
    options = serializers.ListField(child=serializers.CharField())
    is_needed = serializers.BooleanField(source="is_needed_in_row")


class QuestionStandingOut(AnswerOut):
    """One question that applies now: what answers it, what it is answered with, what is still to do."""

    least = serializers.CharField(allow_null=True)
    most = serializers.CharField(allow_null=True)
    min_length = serializers.IntegerField()
    columns = ColumnOut(many=True)
    is_computed = serializers.BooleanField(help_text="Read off the records: confirm it as it is.")
    is_derived = serializers.BooleanField(help_text="It follows from other answers; nobody gives it.")
    is_private = serializers.BooleanField(help_text="It stays with the clinic and is never sent.")
    to_do = serializers.CharField(help_text="What it still needs, in a sentence; empty when nothing.")
    warnings = serializers.ListField(child=serializers.CharField())
    note = serializers.CharField()
    prefill_from = serializers.CharField()
    asked_by = serializers.CharField(help_text="Who asks this, and where it was read.")


class SectionOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    title = serializers.CharField()
    questions = QuestionStandingOut(many=True)


class RequirementsOut(serializers.Serializer[Any]):
    """Whose list says what is required. `confirmed` is false while it was read only in a secondary copy."""

    name = serializers.CharField()
    title = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # as in AnswerOut
    confirmed = serializers.BooleanField()


class QuestionnaireOut(serializers.Serializer[Any]):
    """The questions that apply to a request now, by section."""

    questionnaire = serializers.CharField()
    title = serializers.CharField()
    requirements = RequirementsOut(allow_null=True)
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="Questions without which the request is not taken."
    )
    sections = SectionOut(many=True)


class QuestionnaireView(Door):
    @extend_schema(operation_id="read_questionnaire", tags=["prior authorizations"], responses=QuestionnaireOut)
    def get(self, request: Request, prior_auth_id: PriorAuthId) -> Response:
        """Read what is asked of the clinic: the sections, what is required, what is answered, what is still to do."""
        seen = selectors.questions(self.actor, prior_auth_id, now=self.now)
        answer = Response(QuestionnaireOut(_questionnaire(seen)).data)
        answer["ETag"] = etag(seen.prior_auth.version)
        return answer


class AnswersView(Door):
    problem_statuses: ClassVar[tuple[int, ...]] = (409, 412)

    @extend_schema(operation_id="read_answers", tags=["prior authorizations"], responses=AnswersOut)
    def get(self, request: Request, prior_auth_id: PriorAuthId) -> Response:
        """Read the questions and what was answered so far; once the request is submitted, what was submitted."""
        seen = selectors.answers(self.actor, prior_auth_id, now=self.now)
        answer = Response(AnswersOut(seen).data)
        answer["ETag"] = etag(seen.prior_auth.version)
        return answer

    @extend_schema(
        operation_id="answer_questions",
        tags=["prior authorizations"],
        parameters=[IF_MATCH],
        request=SourcedAnswersIn,
        responses=PriorAuthDetailOut,
    )
    def patch(self, request: Request, prior_auth_id: PriorAuthId) -> Response:
        """Give, confirm or (with null) take back answers; those not named stay as they are."""
        clinic.answer_questions(
            prior_auth_id=prior_auth_id,
            by=self.actor,
            now=self.now,
            expected_version=expected_version(request, is_required=False),
            **self.read(SourcedAnswersIn),
        )
        return whole(selectors.prior_auth(self.actor, prior_auth_id), self.actor)


def _questionnaire(seen: QuestionsSeen) -> dict[str, Any]:
    asked = seen.sheet.questionnaire
    return {
        "questionnaire": asked.name,
        "title": asked.title,
        "requirements": seen.sheet.requirements,
        "missing": [one.question.link_id for one in seen.standings if one.is_missing],
        "sections": list(_sections(seen)),
    }


def _sections(seen: QuestionsSeen) -> Iterator[dict[str, Any]]:
    asked = seen.sheet.questionnaire
    for section in asked.sections or (Section("", asked.title),):
        questions = [
            {
                **asdict(answer_seen(one)),
                "least": None if one.question.least is None else str(one.question.least),
                "most": None if one.question.most is None else str(one.question.most),
                "min_length": one.question.min_length,
                "columns": one.question.columns,
                "is_computed": one.question.is_computed,
                "is_derived": bool(one.question.derived),
                "is_private": one.question.private,
                "to_do": one.to_do,
                "warnings": one.warnings,
                "note": one.question.note,
                "prefill_from": one.question.prefill_from,
                "asked_by": one.question.source,
            }
            for one in seen.standings
            if one.question.section == section.id
        ]
        if questions:
            yield {"id": section.id, "title": section.title, "questions": questions}
