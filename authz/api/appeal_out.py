"""An appeal on the wire, its clocks, what was decided on it, and what comes after."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from authz.api.documents import AttachmentOut
from authz.api.fields import Word
from authz.api.prior_auth_out import ClockOut, DueOut
from authz.notifications.selectors import decision_notices
from authz.policies.regime import NextLevel
from authz.prior_auths import appeals
from authz.prior_auths.appeal_lifecycle import AppealOutcome, AppealState, AppealStep
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.models import Appeal, AppealDecision, AppealEvent


class AppealDecisionOut(serializers.Serializer[AppealDecision]):
    """What was decided; `determination` is what supersedes the decision that was appealed, null when it was upheld."""

    outcome = Word(AppealOutcome)
    decided_at = serializers.DateTimeField()
    decided_by = serializers.CharField(source="decided_by.full_name")
    reason_code = serializers.CharField()
    reason_text = serializers.CharField()
    criterion = serializers.CharField()
    would_change = serializers.CharField()
    determination = serializers.UUIDField(source="determination.public_id", allow_null=True, default=None)
    due_at = serializers.DateTimeField(allow_null=True, help_text="By when it was due, as computed then.")
    was_late = serializers.BooleanField()


class OnwardOut(serializers.Serializer[Any]):
    """Who looks at what the insurer upholds, by which rule."""

    level = Word(NextLevel)
    citation = serializers.CharField()
    confirmed = serializers.BooleanField(help_text="Whether the wording of the rule itself was read.")


class AppealOut(serializers.Serializer[Appeal]):
    """An appeal of the decision on a request. `version` is its ETag, in quotation marks."""

    id = serializers.UUIDField(source="public_id")
    version = serializers.IntegerField()
    prior_authorization = serializers.UUIDField(source="prior_auth.public_id")
    number = serializers.CharField(source="prior_auth.number", help_text="The request's number.")
    determination = serializers.UUIDField(source="determination.public_id", help_text="The decision it is against.")
    state = Word(AppealState)
    urgency = Word(Urgency)
    filed_at = serializers.DateTimeField()
    was_late = serializers.BooleanField(help_text="Whether it was filed after the last day, for good cause.")
    reviewer = serializers.CharField(source="reviewer.full_name", allow_null=True, default=None)
    leased_until = serializers.DateTimeField(allow_null=True)
    due = serializers.SerializerMethodField()
    decision = serializers.SerializerMethodField()
    allowed_steps = serializers.SerializerMethodField(help_text="What you may do with it now.")

    @extend_schema_field(DueOut(allow_null=True))
    def get_due(self, appeal: Appeal) -> dict[str, Any] | None:
        due = appeals.due(appeal)
        return dict(DueOut(due).data) if due else None

    @extend_schema_field(AppealDecisionOut(allow_null=True))
    def get_decision(self, appeal: Appeal) -> dict[str, Any] | None:
        return dict(AppealDecisionOut(appeal.decision).data) if hasattr(appeal, "decision") else None

    @extend_schema_field(serializers.ListField(child=Word(AppealStep)))
    def get_allowed_steps(self, appeal: Appeal) -> list[str]:
        return [step.value for step in appeals.allowed_steps(appeal, self.context["by"])]


class AppealDetailOut(AppealOut):
    """An appeal with what it says, its clocks, and who looks at it next."""

    reason = serializers.CharField()
    good_cause = serializers.CharField(help_text="Why it is filed late; empty when nothing was said.")
    clocks = serializers.SerializerMethodField(help_text="Until when to file it, to decide it and, missed, to forward.")
    attachments = serializers.SerializerMethodField(help_text="What the clinic sent in with it.")
    onward = serializers.SerializerMethodField(help_text="Null where the regime names nobody beyond the insurer.")

    @extend_schema_field(ClockOut(many=True))
    def get_clocks(self, appeal: Appeal) -> list[dict[str, Any]]:
        notices = decision_notices(appeal.prior_auth)
        return list(ClockOut(appeals.clocks_of(appeal, notices=notices).clocks, many=True).data)

    @extend_schema_field(AttachmentOut(many=True))
    def get_attachments(self, appeal: Appeal) -> list[dict[str, Any]]:
        return [dict(AttachmentOut(row).data) for row in appeals.documents_of(appeal)]

    @extend_schema_field(OnwardOut(allow_null=True))
    def get_onward(self, appeal: Appeal) -> dict[str, Any] | None:
        onward = appeals.onward(appeal.prior_auth)
        return dict(OnwardOut(onward).data) if onward else None


class AppealEventOut(serializers.Serializer[AppealEvent]):
    """One step that was taken."""

    sequence = serializers.IntegerField()
    step = Word(AppealStep)
    code = serializers.CharField(help_text="The coded reason, of steps that need one; empty for others.")
    from_state = serializers.CharField(help_text="Empty for the first.")
    to_state = Word(AppealState)
    at = serializers.DateTimeField()
    actor_name = serializers.CharField()
    note = serializers.CharField()
