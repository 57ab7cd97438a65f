"""Pain scores: a PEG or one rating, asked of a patient on a day. A clinic's own; no insurer sees any."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Action, must_be_allowed
from authz.api.fields import In, Instant, NearDay, OneOf, Text, WholeNumber, Word
from authz.api.outcomes import recorded
from authz.api.records import renamed
from authz.api.references import PatientRef
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.errors import NotFound
from authz.ids import PainScoreId, PatientId
from authz.pain import selectors, services
from authz.pain.facts import PainScoreFacts
from authz.pain.models import PainScore
from authz.pain.sight import score_of
from authz.prescriptions.services import RecordOutcome
from authz.rules.amounts import two_decimals
from authz.rules.pain_signal import Instrument
from authz.rules.records import RecordStatus


class AnswerOf0To10(WholeNumber):
    """A whole number from 0 (none) to 10 (the worst)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=10, **options)


class PainScoreIn(In):
    """A PEG with its three answers, or one rating: `pain` alone, of the past week on average or of now.

    `identifier` is your own number for the score: told again it is the same score, told otherwise a correction.
    """

    patient = PatientRef()
    identifier = Text(max_length=100)
    scored_on = NearDay(help_text="The day it was asked, in your calendar.")
    instrument = OneOf(Instrument)
    pain = AnswerOf0To10(help_text="The rating, or the PEG's first answer.")
    enjoyment = AnswerOf0To10(required=False, allow_null=True, default=None, help_text="The PEG's second answer.")
    activity = AnswerOf0To10(required=False, allow_null=True, default=None, help_text="The PEG's third answer.")
    source_updated_at = Instant(
        required=False, allow_null=True, default=None, help_text="When your record last changed."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        instrument = Instrument(attrs["instrument"])
        further = {name: attrs[name] for name in ("enjoyment", "activity")}
        if instrument is Instrument.PEG:
            faults = {name: "A PEG needs this answer." for name, answer in further.items() if answer is None}
        else:
            faults = {name: "Only a PEG asks for this." for name, answer in further.items() if answer is not None}
        if faults:
            raise serializers.ValidationError(
                {name: [ErrorDetail(sentence, code="peg-answers")] for name, sentence in faults.items()}
            )
        return attrs | {"instrument": instrument}


class PainScoreOut(serializers.Serializer[Any]):
    """The score as it is known now; `version` counts what was ever told of it."""

    id = serializers.UUIDField()
    patient = serializers.UUIDField()
    identifier = serializers.CharField()
    status = Word(RecordStatus)
    version = serializers.IntegerField()
    scored_on = serializers.DateField()
    instrument = Word(Instrument)
    pain = serializers.IntegerField()
    enjoyment = serializers.IntegerField(allow_null=True)
    activity = serializers.IntegerField(allow_null=True)
    score = serializers.CharField(help_text="The rating, or the mean of a PEG's answers, with two decimals.")
    recorded_at = serializers.DateTimeField()
    recorded_by = serializers.CharField(help_text="The person or the machine that told it.")
    source_updated_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        latest = instance.newest_first[0]
        own = ("status", "version", "scored_on", "instrument", "pain", "enjoyment", "activity")
        values = {name: getattr(latest, name) for name in (*own, "recorded_at", "recorded_by", "source_updated_at")}
        named = {
            "id": instance.public_id,
            "patient": instance.patient.public_id,
            "identifier": instance.identifier,
            "score": two_decimals(score_of(latest).score),
        }
        return dict(super().to_representation(values | named))


class RecordedPainScoreOut(PainScoreOut):
    outcome = Word(RecordOutcome)


class PainScoreFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    patient = filters.UUIDFilter(field_name="patient__public_id")
    identifier = filters.CharFilter(label="Your own number for the score, exactly.")

    class Meta:
        model = PainScore
        fields: list[str] = []


class PainScoresView(Listing):
    queryset = PainScore.objects.none()
    serializer_class = PainScoreOut
    filterset_class = PainScoreFilters

    @extend_schema(operation_id="list_pain_scores", tags=["pain"], responses=PainScoreOut(many=True))
    def get(self, request: Request) -> Response:
        """List the pain scores your organization recorded."""
        return self.listed(selectors.pain_scores(self.actor))

    @extend_schema(
        operation_id="record_pain_score",
        tags=["pain"],
        parameters=[IDEMPOTENCY_KEY],
        request=PainScoreIn,
        responses={201: RecordedPainScoreOut, 200: RecordedPainScoreOut},
    )
    def post(self, request: Request) -> Response:
        """Record a pain score, or a correction of one."""
        must_be_allowed(self.actor, Action.RECORD_PAIN_SCORE)
        values = self.read(PainScoreIn, today=self.today())
        return self.once(lambda: self._record(values))

    def _record(self, values: Mapping[str, Any]) -> Response:
        score, outcome = services.record_score(
            patient_id=PatientId(values["patient"]),
            facts=PainScoreFacts(**renamed(values)),
            by=self.actor,
            now=self.now,
        )
        return recorded(_body(selectors.pain_scores(self.actor), score.public_id), outcome, "pain-score")


class PainScoreView(Door):
    @extend_schema(operation_id="read_pain_score", tags=["pain"], responses=PainScoreOut)
    def get(self, request: Request, score_id: PainScoreId) -> Response:
        """Read one pain score as it is known now."""
        return Response(_body(selectors.pain_scores(self.actor), score_id))


class PainScoreInErrorView(Door):
    @extend_schema(
        operation_id="take_back_pain_score",
        tags=["pain"],
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=RecordedPainScoreOut,
    )
    def post(self, request: Request, score_id: PainScoreId) -> Response:
        """Record that a pain score was entered in error; it counts no more."""
        must_be_allowed(self.actor, Action.RECORD_PAIN_SCORE)
        self.read(In)
        return self.once(lambda: self._take_back(score_id))

    def _take_back(self, score_id: PainScoreId) -> Response:
        score, outcome = services.take_back_score(score_id=score_id, by=self.actor, now=self.now)
        return Response({**_body(selectors.pain_scores(self.actor), score.public_id), "outcome": outcome.value})


def _body(rows: QuerySet[PainScore], score_id: UUID) -> dict[str, Any]:
    score = rows.filter(public_id=score_id).first()
    if score is None:
        raise NotFound("There is no such pain score.")
    return dict(PainScoreOut(score).data)
