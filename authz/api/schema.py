"""What the OpenAPI document says of every operation, so that no view repeats it: the problems it may answer."""

from typing import Any, ClassVar, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from authz.access.roles import CLINIC_ROLES, INSURER_ROLES, Role
from authz.access.specialties import Specialty
from authz.api import problems
from authz.audit.circumstances import PURPOSE_HEADER, PURPOSES
from authz.documentation.questionnaire import Kind, Source
from authz.notifications.channels.webhook.models import EndpointState
from authz.notifications.matrix import OUTSIDE
from authz.notifications.models import DeliveryState
from authz.policies.clause import Standing
from authz.policies.models import PolicyState
from authz.prescriptions.services import RecordOutcome
from authz.prior_auths.appeal_lifecycle import AppealOutcome, AppealState, AppealStep
from authz.prior_auths.call_lifecycle import CallState, CallStep
from authz.prior_auths.code_maps import Answer, EpaStatus, PasStatus, ReviewAction
from authz.prior_auths.determination import LINE_OUTCOMES, Outcome
from authz.prior_auths.lifecycle import State, Step
from authz.rules.changes import Why
from authz.rules.records import RecordKind
from authz.rules.selection import Ignored
from authz.rules.thresholds import FindingKind
from authz.rules.trace import RuleStep
from authz.rules.use_days import Naive
from authz.rules.verdict import ReleasedBy

# Names of enums in the document, where drf-spectacular finds one under several names or several under one.
STATES = [state.value for state in State]
STEPS = [step.value for step in Step]
APPEAL_STATES = [state.value for state in AppealState]
APPEAL_STEPS = [step.value for step in AppealStep]
APPEAL_OUTCOMES = [outcome.value for outcome in AppealOutcome]
CALL_STATES = [state.value for state in CallState]
CALL_STEPS = [step.value for step in CallStep]
ROLES = [role.value for role in Role]
GIVEN_ROLES = sorted(role.value for role in CLINIC_ROLES | INSURER_ROLES)
OUTCOMES = [outcome.value for outcome in Outcome]
SPECIALTIES = [specialty.value for specialty in Specialty]
LINE_OUTCOME_VALUES = [outcome.value for outcome in LINE_OUTCOMES]
RECORD_OUTCOMES = [outcome.value for outcome in RecordOutcome]
ANSWER_KINDS = [kind.value for kind in Kind]
ANSWER_SOURCES = [source.value for source in Source]
OUTSIDE_CHANNELS = sorted(channel.value for channel in OUTSIDE)
SAID_SOURCES = [Source.CHART.value, Source.PAYER.value]
RELEASES = [release.value for release in ReleasedBy]
FINDINGS = [kind.value for kind in FindingKind]
POLICY_STATES = [state.value for state in PolicyState]
NAIVE = [naive.value for naive in Naive]
RULE_STEPS = [step.value for step in RuleStep]
RECORD_KINDS = [kind.value for kind in RecordKind]
SETTING_STANDINGS = [standing.value for standing in Standing]
IGNORED = [reason.value for reason in Ignored]
RECORD_CHANGES = [why.value for why in Why]
ENDPOINT_STATES = [state.value for state in EndpointState]
DELIVERY_STATES = [state.value for state in DeliveryState]
CODED_ANSWERS = [answer.value for answer in Answer]
REVIEW_ACTIONS = [action.value for action in ReviewAction]
PAS_STATUSES = [status.value for status in PasStatus]
EPA_STATUSES = [status.value for status in EpaStatus]


class FieldErrorOut(serializers.Serializer[Any]):
    """One field that is not right."""

    field = serializers.CharField(help_text="Dotted path, such as `items[3].days_supply`; empty for the whole body.")
    code = serializers.CharField()
    detail = serializers.CharField(help_text="One sentence.")


class ProblemOut(serializers.Serializer[Any]):
    """A refusal, as in RFC 9457. Some codes add members, such as `allowed` of illegal-step."""

    type = serializers.CharField(help_text="Where the code is explained.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable; act on this, never on the sentence.")
    detail = serializers.CharField(help_text="One sentence for a person.")
    instance = serializers.CharField(help_text="The address that was asked.")
    errors = FieldErrorOut(many=True, required=False)  # type: ignore[assignment]  # DRF takes the field out of the class


class OperationSchema(AutoSchema):
    """Adds the problems of an operation; a view names further statuses in `problem_statuses`."""

    always: ClassVar[tuple[int, ...]] = (406, 422)
    with_body: ClassVar[tuple[int, ...]] = (400, 411, 413, 415)

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction=direction)
        for status in sorted(self._problem_statuses() - {int(code) for code in bodies}):
            bodies[str(status)] = self._get_response_for_code(  # type: ignore[no-untyped-call]  # drf-spectacular leaves it untyped
                ProblemOut, str(status), media_types=[problems.MEDIA_TYPE], direction=direction
            )
        return bodies

    def _problem_statuses(self) -> set[int]:
        statuses = set(self.always) | set(getattr(self.view, "problem_statuses", ()))
        if self.view.authentication_classes:
            statuses |= {401, 403, 429}
        if "{" in self.path:
            statuses.add(404)
        if self.method in {"POST", "PUT", "PATCH"}:
            statuses |= set(self.with_body)
        return statuses


def tell_purpose(result: dict[str, Any], **_about: object) -> dict[str, Any]:
    """Say once what every address takes: what a request is for. It is said here, as no view reads it."""
    components = result.setdefault("components", {})
    components["parameters"] = {
        "PurposeOfUse": {
            "name": PURPOSE_HEADER,
            "in": "header",
            "description": "What for, as a code of HL7 v3 PurposeOfUse, kept on the audit trail. Any other is 422.",
            "schema": {"type": "string", "enum": sorted(PURPOSES)},
        }
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/PurposeOfUse"})
    return result


def loosen_null(result: dict[str, Any], **_about: object) -> dict[str, Any]:
    """Say anyOf where a value may be anything, or null: null is then valid twice, which oneOf forbids."""
    _loosen(result)
    return result


def _loosen(node: object) -> None:
    if isinstance(node, list):
        for child in node:
            _loosen(child)
    if isinstance(node, dict):
        if {"type": "null"} in node.get("oneOf", ()):
            node["anyOf"] = node.pop("oneOf")
        for child in node.values():
            _loosen(child)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """Tells how to authenticate."""

    target_class = "authz.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from POST /api/v1/tokens/."}
