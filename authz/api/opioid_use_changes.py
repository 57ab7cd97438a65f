"""What is known of a patient's opioid use otherwise than on an earlier day, and which records made it so."""

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.fields import Day, In, Word
from authz.api.views import Door
from authz.ids import PatientId
from authz.policies.version import PolicyVersion
from authz.prior_auths.needs import PayerVerdict
from authz.prior_auths.opioid_use import UseChanges, opioid_use_changes
from authz.rules.changes import Why
from authz.rules.selection import Ignored
from authz.rules.verdict import ReleasedBy

FROM, TO = "from", "to"


class ChangesIn(In):
    """Which two days. Their names are words of Python, so they cannot stand in the class."""

    def get_fields(self) -> dict[str, Any]:
        return {FROM: Day(), TO: Day(required=False, default=None)}


class ReadingOut(serializers.Serializer[Any]):
    """How a record was read on a day: its version, and why it did not count; null when it did."""

    version = serializers.IntegerField()
    reason = Word(Ignored, allow_null=True)


class FactOut(serializers.Serializer[Any]):
    """A field that a later version gives otherwise. Both values are null for one that is not shown."""

    name = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)


class RecordChangeOut(serializers.Serializer[Any]):
    """An order or fill that is read otherwise, and what happened to it."""

    record_id = serializers.CharField()
    why = Word(Why)
    start = serializers.DateField(help_text="The day it is about.")
    learned_on = serializers.DateField(help_text="When we learned of it, or of its current version.")
    days_late = serializers.IntegerField(help_text="From the one to the other.")
    before = ReadingOut(allow_null=True, help_text="Null when it was not known.")
    after = ReadingOut()
    facts = FactOut(many=True)


class SeenEpisodeOut(serializers.Serializer[Any]):
    """One stretch of use as it was seen on a day."""

    start = serializers.DateField()
    end = serializers.DateField()
    covered_days = serializers.IntegerField()
    limit_days = serializers.IntegerField()
    exceeded_on = serializers.DateField(allow_null=True)
    pa_required_from = serializers.DateField(allow_null=True)
    pa_required_days = serializers.IntegerField()
    records = serializers.ListField(child=serializers.CharField())


class EpisodeChangeOut(serializers.Serializer[Any]):
    """The same use on either day: none, one episode, or several."""

    before = SeenEpisodeOut(many=True)
    after = SeenEpisodeOut(many=True)


class ReleaseChangeOut(serializers.Serializer[Any]):
    """An exemption or authorization that is known on one of the days only."""

    by = Word(ReleasedBy)
    category = serializers.CharField(allow_null=True)
    start = serializers.DateField(allow_null=True)
    end = serializers.DateField(allow_null=True)
    is_new = serializers.BooleanField()


class AnsweringPolicyOut(serializers.Serializer[PolicyVersion]):
    code = serializers.CharField()
    version = serializers.CharField()
    title = serializers.CharField()


class AnswerOnDayOut(serializers.Serializer[PayerVerdict]):
    """What was answered on a day, and by whose rule."""

    is_required = serializers.BooleanField()
    is_payer_rule_unknown = serializers.BooleanField()
    policy = AnsweringPolicyOut()


class UseChangesOut(serializers.Serializer[UseChanges]):
    """What the answers on the two days, `from` and `to`, say otherwise."""

    before = AnswerOnDayOut()
    after = AnswerOnDayOut()
    sentences = serializers.ListField(child=serializers.CharField(), help_text="All of it in words.")
    records = RecordChangeOut(many=True, source="differences.records")
    releases = ReleaseChangeOut(many=True, source="differences.releases")
    episodes = EpisodeChangeOut(many=True, source="differences.episodes")

    def get_fields(self) -> dict[str, Any]:
        return {
            "patient": serializers.UUIDField(source="patient.public_id"),
            FROM: serializers.DateField(source="since", help_text="The earlier day."),
            TO: serializers.DateField(source="until", help_text="The later day."),
            **super().get_fields(),
        }


class OpioidUseChangesView(Door):
    parameters: ClassVar[frozenset[str]] = frozenset({FROM, TO})

    @extend_schema(
        operation_id="compare_opioid_use",
        tags=["patients"],
        parameters=[
            OpenApiParameter(FROM, OpenApiTypes.DATE, required=True, description="The earlier day."),
            OpenApiParameter(TO, OpenApiTypes.DATE, description="Today in your calendar when left out."),
        ],
        responses=UseChangesOut,
    )
    def get(self, request: Request, patient_id: PatientId) -> Response:
        """Tell what is known of a patient's use otherwise than on an earlier day, and why."""
        asked = ChangesIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        days = asked.validated_data
        told = opioid_use_changes(self.actor, patient_id, now=self.now, since=days[FROM], until=days[TO])
        return Response(UseChangesOut(told).data)
