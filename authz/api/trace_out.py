"""How a verdict was reached, on the wire: the policy's clause with its sources, every record, and the days counted."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from authz.api.fields import Word
from authz.policies.clause import Standing
from authz.rules.records import RecordKind
from authz.rules.selection import Ignored
from authz.rules.trace import RuleStep
from authz.rules.use_days import Naive
from authz.rules.verdict import ReleasedBy


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string"},
            {"type": "integer"},
            {"type": "boolean"},
            {"type": "array", "items": {"type": "string"}},
            {"type": "null"},
        ]
    }
)
class SettingValue(serializers.JSONField):
    """What a policy sets: a number, a word, yes or no, or several words. Null is off."""


class SettingOut(serializers.Serializer[Any]):
    """One parameter or threshold of a policy. An unconfirmed one is to be compared with the payer's own document."""

    name = serializers.CharField()
    value = SettingValue(allow_null=True)
    says = serializers.CharField(help_text="It in words.")
    source = serializers.CharField(help_text="Where it was read; empty for the product's default.")  # type: ignore[assignment]  # DRF takes the field out of the class
    standing = Word(Standing)


class ClauseOut(serializers.Serializer[Any]):
    """Whose rule answered, and what it says. `confirmed` is false while any setting was read only in a copy."""

    code = serializers.CharField()
    version = serializers.CharField(default="")
    title = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # DRF takes the field out of the class
    confirmed = serializers.BooleanField(default=False)
    sentences = serializers.ListField(child=serializers.CharField(), default=list, help_text="The rule on days.")
    settings = SettingOut(many=True, default=list)


class TracedRecordOut(serializers.Serializer[Any]):
    """What became of one order or fill, and at which step of the rule."""

    record_id = serializers.CharField()
    version = serializers.IntegerField(help_text="Which of its versions was read.")
    recorded_on = serializers.DateField(help_text="The day on which that version was learned.")
    kind = Word(RecordKind)
    start = serializers.DateField()
    rxcui = serializers.CharField()
    product_name = serializers.CharField(help_text="Empty for an unknown product.")
    days_supply = serializers.IntegerField(allow_null=True, help_text="As the rule takes it.")
    step = Word(RuleStep)
    is_counted = serializers.BooleanField()
    reason = Word(Ignored, allow_null=True, help_text="Why it is not counted.")
    in_favour_of = serializers.CharField(allow_null=True, help_text="The record that counts in its stead.")
    first = serializers.DateField(allow_null=True, help_text="The first day it covers.")
    last = serializers.DateField(allow_null=True, help_text="The last day it covers.")
    naive = Word(Naive, allow_null=True, help_text="Whether the patient was free of opioids before it.")


class TracedDayOut(serializers.Serializer[Any]):
    """One covered day. `count` is null on a day that the policy does not limit."""

    on = serializers.DateField()
    number = serializers.IntegerField(help_text="Its place among the covered days of the episode.")
    count = serializers.IntegerField(allow_null=True, help_text="What the policy counts, on that day.")
    limit = serializers.IntegerField()
    records = serializers.ListField(child=serializers.CharField(), help_text="Ids of what covers it.")
    released_by = serializers.ListField(child=Word(ReleasedBy))
    is_beyond = serializers.BooleanField()
    is_required = serializers.BooleanField()


class TracedEpisodeOut(serializers.Serializer[Any]):
    """An episode's days; where some are left out, their numbers are missing."""

    start = serializers.DateField()
    records = serializers.ListField(child=serializers.CharField())
    days = TracedDayOut(many=True)


class TraceOut(serializers.Serializer[Any]):
    """Every record, and every episode day by day: see docs/verdicts.md for checking it by hand."""

    records = TracedRecordOut(many=True)
    episodes = TracedEpisodeOut(many=True)
