"""A patient's opioid use as of any day: the verdict, the episodes, the words, and what needs a person."""

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.codes_out import CodesOut
from authz.api.fields import Day, In, OneOf, Word
from authz.api.trace_out import ClauseOut, TraceOut
from authz.api.views import Door
from authz.ids import PatientId
from authz.policies.clause import clause_to_json
from authz.prescriptions.part2 import notice
from authz.prior_auths.code_maps import NOT_REQUIRED
from authz.prior_auths.opioid_use import OpioidUse, opioid_use
from authz.rules.explain import trace_sentences
from authz.rules.thresholds import finding_to_json
from authz.rules.trace import trace_to_json
from authz.rules.use_days import Naive
from authz.rules.verdict import Look, ReleasedBy, verdict_to_json

AS_OF = "as_of"
DAYS = "days"
ALL_DAYS = "all"


class AsOfIn(In):
    """As of which day, and which days of use to list."""

    as_of = Day(required=False, default=None)
    days = OneOf(("to_the_need", ALL_DAYS), required=False, default="to_the_need")


class ReleaseOut(serializers.Serializer[Any]):
    """Days beyond the limit on which no authorization is needed."""

    by = Word(ReleasedBy)
    category = serializers.CharField(allow_null=True)
    first = serializers.DateField()
    last = serializers.DateField()
    days = serializers.IntegerField()


class EpisodeOut(serializers.Serializer[Any]):
    """One stretch of use; days are inclusive. `exceeded_on` is the first day beyond the limit."""

    start = serializers.DateField()
    end = serializers.DateField()
    covered_days = serializers.IntegerField()
    limit_days = serializers.IntegerField()
    count = serializers.IntegerField(allow_null=True, help_text="Days counted on the first day beyond the limit.")
    records = serializers.ListField(child=serializers.CharField(), help_text="Ids of the orders and fills in it.")
    naive_at_start = Word(Naive)
    exceeded_on = serializers.DateField(allow_null=True)
    pa_required_from = serializers.DateField(allow_null=True)
    pa_required_days = serializers.IntegerField()
    trigger_record = serializers.CharField(allow_null=True, help_text="The order or fill that brought the need.")
    releases = ReleaseOut(many=True)


class SeenRecordOut(serializers.Serializer[Any]):
    """An order or fill of the patient, whoever recorded it."""

    id = serializers.UUIDField(source="record_id")
    kind = serializers.CharField()
    starts_on = serializers.DateField()
    rxcui = serializers.CharField()
    product_name = serializers.CharField()
    quantity = serializers.DecimalField(max_digits=12, decimal_places=4, normalize_output=True, allow_null=True)
    days_supply = serializers.IntegerField(allow_null=True)
    ignored_because = serializers.CharField(help_text="Empty when it counts.")
    attention = serializers.ListField(child=Word(Look))
    is_own = serializers.BooleanField(help_text="Your organization recorded it.")
    part2 = serializers.BooleanField(source="is_part2", help_text="It comes from a program under 42 CFR Part 2.")


class OpioidUseOut(serializers.Serializer[Any]):
    patient = serializers.UUIDField()
    as_of = serializers.DateField()
    is_required = serializers.BooleanField(help_text="Some day needs prior authorization.")
    codes = CodesOut(
        allow_null=True,
        help_text="That no authorization is needed, in the words of other systems; null where one is.",
    )
    is_payer_rule_unknown = serializers.BooleanField(help_text="No coverage is known; the default policy answered.")
    policy = ClauseOut()
    explanation = serializers.ListField(child=serializers.CharField(), help_text="The verdict in sentences.")
    ways_out = serializers.ListField(
        child=serializers.CharField(),
        help_text="The smallest changes that would avoid the latest need, each verified by the rule itself.",
    )
    episodes = EpisodeOut(many=True)
    findings = serializers.ListField(
        child=serializers.DictField(), help_text="What the policy's thresholds find beside the day limit, with reasons."
    )
    first_known_on = serializers.DateField(allow_null=True)
    needs_attention = SeenRecordOut(many=True, help_text="The records that a person must look at.")
    records = SeenRecordOut(many=True)
    trace = TraceOut(help_text="How the verdict was reached, for checking it by hand.")
    trace_explanation = serializers.ListField(child=serializers.CharField(), help_text="The trace in sentences.")
    mme = serializers.DictField(help_text="Daily morphine milligram equivalents, with the table they rest on.")
    rule_version = serializers.CharField()
    formulary_version = serializers.CharField()
    redisclosure_notice = serializers.CharField(help_text="That of 42 CFR 2.32 where a record needs it, or empty.")


class OpioidUseView(Door):
    parameters: ClassVar[frozenset[str]] = frozenset({AS_OF, DAYS})

    @extend_schema(
        operation_id="read_opioid_use",
        tags=["patients"],
        parameters=[
            OpenApiParameter(AS_OF, OpenApiTypes.DATE, description="Today in your calendar when left out."),
            OpenApiParameter(
                DAYS,
                enum=["to_the_need", ALL_DAYS],
                description="Which days the trace lists: those up to the limit and the first need, or all of them.",
            ),
        ],
        responses=OpioidUseOut,
    )
    def get(self, request: Request, patient_id: PatientId) -> Response:
        """Tell a patient's use as it was known on a day, and whether it needs prior authorization."""
        asked = AsOfIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        use = opioid_use(self.actor, patient_id, now=self.now, as_of=asked.validated_data[AS_OF])
        return Response(OpioidUseOut(_values(use, whole=asked.validated_data[DAYS] == ALL_DAYS)).data)


def _values(use: OpioidUse, *, whole: bool) -> dict[str, Any]:
    verdict, told = verdict_to_json(use.payer.verdict), use.payer.trace(whole=whole)
    return {
        "patient": use.patient.public_id,
        "as_of": use.as_of,
        "is_required": use.payer.is_required,
        "codes": None if use.payer.is_required else NOT_REQUIRED,
        "is_payer_rule_unknown": use.payer.is_payer_rule_unknown,
        "policy": clause_to_json(use.payer.policy),
        "explanation": use.sentences,
        "ways_out": use.ways_out,
        "findings": [finding_to_json(finding) for finding in use.payer.findings],
        "needs_attention": [record for record in use.records if record.attention],
        "records": use.records,
        "trace": trace_to_json(told),
        "trace_explanation": trace_sentences(told, use.payer.policy.parameters),
        "redisclosure_notice": notice(is_part2=any(record.is_part2 for record in use.records)),
        **{name: verdict[name] for name in ("episodes", "first_known_on", "mme", "rule_version", "formulary_version")},
    }
