"""What the API says of a policy: its document, every setting with its source, and whether its examples come out."""

from typing import Any

from rest_framework import serializers

from authz.access.models import Person
from authz.access.specialties import Specialty
from authz.api.fields import Word
from authz.policies.examples import disagreements
from authz.policies.models import PayerPolicy, PolicyState
from authz.policies.schema import to_document
from authz.policies.version import Example, PolicyVersion
from authz.rules.thresholds import FindingAction, FindingKind


class StatedParameter(serializers.Serializer[Any]):
    """A setting as the document states it."""

    value = serializers.JSONField(help_text="A number, a word, true or false, or a list of words.")
    source = serializers.CharField(help_text="A key of `sources`.")  # type: ignore[assignment]  # DRF takes the field out of the class
    confirmed = serializers.BooleanField(help_text="It was read in the payer's own, current document.")


class StatedThreshold(serializers.Serializer[Any]):
    """What is looked for beside the limit of days."""

    kind = Word(FindingKind)
    at_least = serializers.CharField(allow_null=True, required=False, help_text="MME a day; of `mme_per_day` alone.")
    action = Word(FindingAction)
    spares_established = serializers.BooleanField(required=False)
    source = serializers.CharField()  # type: ignore[assignment]  # DRF takes the field out of the class
    confirmed = serializers.BooleanField()


class StatedDeciders(serializers.Serializer[Any]):
    """The specialties that may decide against a request; without this part any licensed clinician whom the law lets."""

    specialties = serializers.ListField(child=Word(Specialty))
    source = serializers.CharField()  # type: ignore[assignment]  # DRF takes the field out of the class
    confirmed = serializers.BooleanField()


class PolicyDocument(serializers.Serializer[Any]):
    """A policy, in JSON or TOML; docs/policies.md explains every key. Only describes: authz.policies.schema reads."""

    code = serializers.CharField()
    version = serializers.CharField()
    title = serializers.CharField()
    in_force_from = serializers.DateField()
    in_force_until = serializers.DateField(allow_null=True, required=False, help_text="The last day; null is open.")
    sources = serializers.DictField(child=serializers.CharField())
    parameters = serializers.DictField(child=StatedParameter())
    thresholds = StatedThreshold(many=True, required=False)
    deciders = StatedDeciders(required=False, allow_null=True)
    examples = serializers.ListField(child=serializers.DictField())
    notes = serializers.ListField(child=serializers.CharField(), required=False)


class ParameterOut(serializers.Serializer[Any]):
    """One setting the rule reads. Where the policy does not state it, `source` and `confirmed` are null."""

    name = serializers.CharField()
    value = serializers.JSONField(allow_null=True, help_text="null is off.")
    source = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # DRF takes the field out of the class
    confirmed = serializers.BooleanField(allow_null=True)


class ThresholdOut(serializers.Serializer[Any]):
    """One thing that is looked for beside the limit of days."""

    name = serializers.CharField()
    kind = Word(FindingKind)
    at_least = serializers.CharField(allow_null=True)
    action = Word(FindingAction)
    spares_established = serializers.BooleanField()
    source = serializers.CharField()  # type: ignore[assignment]  # DRF takes the field out of the class
    confirmed = serializers.BooleanField()


class ExampleOut(serializers.Serializer[Any]):
    """An example of the policy's own, run just now."""

    name = serializers.CharField()
    needs_authorization = serializers.BooleanField(help_text="What must come out.")
    agrees = serializers.BooleanField()
    disagreements = serializers.ListField(child=serializers.CharField(), help_text="In sentences; empty if it agrees.")


class VersionRowOut(serializers.Serializer[Any]):
    """One version of a policy."""

    code = serializers.CharField()
    version = serializers.CharField()
    title = serializers.CharField()
    in_force_from = serializers.DateField()
    in_force_until = serializers.DateField(allow_null=True, help_text="The last day; null is open.")


class CatalogRowOut(VersionRowOut):
    confirmed = serializers.BooleanField(help_text="Every setting was read in the payer's own, current document.")


class VersionOut(CatalogRowOut):
    """One version of a policy as a whole. `document` is what can be changed and sent as another one."""

    unconfirmed = serializers.ListField(
        child=serializers.CharField(), help_text="Settings to be compared with the payer's current document."
    )
    notes = serializers.ListField(child=serializers.CharField(), help_text="What these settings cannot say.")
    parameters = ParameterOut(many=True)
    thresholds = ThresholdOut(many=True)
    examples = ExampleOut(many=True)
    document = PolicyDocument()


class OwnPolicyRowOut(VersionRowOut):
    """A policy that the insurer holds itself, and who decided on it when."""

    id = serializers.UUIDField(source="public_id")
    state = Word(PolicyState)
    edition = serializers.IntegerField(help_text="Counts its changes; its ETag.")
    author = serializers.SerializerMethodField()
    drafted_at = serializers.DateTimeField()
    activated_by = serializers.SerializerMethodField()
    activated_at = serializers.DateTimeField(allow_null=True)
    retired_by = serializers.SerializerMethodField()
    retired_on = serializers.DateField(allow_null=True, help_text="The first day on which it no longer holds.")

    def get_author(self, row: PayerPolicy) -> str:
        return row.author.full_name

    def get_activated_by(self, row: PayerPolicy) -> str | None:
        return _name(row.activated_by)

    def get_retired_by(self, row: PayerPolicy) -> str | None:
        return _name(row.retired_by)


class OwnPolicyOut(OwnPolicyRowOut):
    policy = VersionOut()


def _name(person: Person | None) -> str | None:
    return person.full_name if person else None


def version_values(policy: PolicyVersion) -> dict[str, Any]:
    """Return a version as `VersionOut` writes it; runs its examples."""
    document = to_document(policy)
    return {
        **CatalogRowOut(policy).data,
        "unconfirmed": policy.unconfirmed,
        "notes": policy.notes,
        "parameters": [
            {"name": name, "value": value, **_mark(policy, name)}
            for name, value in policy.parameters.to_mapping().items()
        ],
        "thresholds": [
            {**stated, "name": threshold.name, **_mark(policy, threshold.name)}
            for threshold, stated in zip(policy.thresholds, document["thresholds"], strict=True)
        ],
        "examples": [_example(policy, example) for example in policy.examples],
        "document": document,
    }


def _mark(policy: PolicyVersion, name: str) -> dict[str, Any]:
    mark = policy.marks.get(name)
    return {
        "source": policy.sources[mark.source] if mark else None,
        "confirmed": mark.confirmed if mark else None,
    }


def _example(policy: PolicyVersion, example: Example) -> dict[str, Any]:
    told = list(disagreements(policy, example))
    return {
        "name": example.name,
        "needs_authorization": example.needs_authorization,
        "agrees": not told,
        "disagreements": told,
    }
