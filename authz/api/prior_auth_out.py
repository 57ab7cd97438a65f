"""A request on the wire: the short form of lists, the whole of it, and its events."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from authz import clock
from authz.access.models import Organization, Person
from authz.access.specialties import Specialty
from authz.api.codes_out import CodesOut
from authz.api.fields import Word
from authz.api.prescribers import PrescriberOut
from authz.api.trace_out import ClauseOut, TraceOut
from authz.notifications.selectors import decision_notices
from authz.policies.history import Kind
from authz.policies.regime import IfMissed
from authz.prescriptions.part2 import notice
from authz.prior_auths import appeals, selectors
from authz.prior_auths.appeal_lifecycle import AppealOutcome
from authz.prior_auths.authorization import Standing
from authz.prior_auths.authorizations import Seen, seen
from authz.prior_auths.code_maps import Told, told_by_determination, told_by_request
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.determination import LINE_OUTCOMES, Basis, Outcome, Reason
from authz.prior_auths.lifecycle import State, Step
from authz.prior_auths.models import Determination, Event, IndependentReview, PriorAuth, Skip


class PartyOut(serializers.Serializer[Organization]):
    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()


class PersonOut(serializers.Serializer[Person]):
    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField(source="full_name")


class DueOut(serializers.Serializer[Any]):
    """By when the insurer must decide, and why, with the citation."""

    at = serializers.DateTimeField()
    why = serializers.CharField()


class PauseOut(serializers.Serializer[Any]):
    """While a clock stood still; `is_open` while the end is that of the time to answer, not the answer."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    is_open = serializers.BooleanField()


class ClockOut(serializers.Serializer[Any]):
    """One legal clock of the request. What happens at `due_at` is in time."""

    kind = Word(Kind)
    started_at = serializers.DateTimeField(allow_null=True, help_text="Can lie ahead: when it starts at the latest.")
    due_at = serializers.DateTimeField(
        allow_null=True, help_text="If nothing more happens; null while it waits for something to happen."
    )
    stopped_at = serializers.DateTimeField(allow_null=True, help_text="When what was due was done.")
    pauses = PauseOut(many=True)
    if_missed = Word(IfMissed, allow_null=True)
    why = serializers.CharField(help_text="In words, in the plan's time zone, with the citation.")
    citation = serializers.CharField()
    confirmed = serializers.BooleanField(help_text="Whether the wording of the rule itself was read.")


class AmountOut(serializers.DecimalField):
    """An exact amount, as a text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_digits": 12, "decimal_places": 4, "normalize_output": True, **options})


class LineOut(serializers.Serializer[Any]):
    """One product asked for; days are inclusive."""

    line = serializers.IntegerField()
    rxcui = serializers.CharField()
    product_name = serializers.CharField()
    quantity = AmountOut(allow_null=True)
    days_supply = serializers.IntegerField()
    daily_units = AmountOut(allow_null=True, help_text="The most units a day.")
    refills = serializers.IntegerField(allow_null=True)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()


class QuestionOut(serializers.Serializer[Any]):
    """One question of the insurer to the clinic."""

    id = serializers.UUIDField(source="public_id")
    question = serializers.CharField()
    asked_at = serializers.DateTimeField()
    owner = serializers.CharField(help_text="Whose it is to answer: staff or prescriber.")
    reply_by = serializers.DateTimeField(allow_null=True, help_text="By when the answer is wanted.")
    answer = serializers.CharField()
    answered_at = serializers.DateTimeField(allow_null=True)


class ReasonOut(serializers.Serializer[Reason]):
    """Why it was decided so."""

    code = serializers.CharField()
    text = serializers.CharField()
    criterion = serializers.CharField()
    would_change = serializers.CharField(help_text="What would change it; empty where nobody says so.")


class DecidedLineOut(serializers.Serializer[Any]):
    """Asked and granted, side by side."""

    line = serializers.IntegerField()
    outcome = Word(LINE_OUTCOMES)
    reason = ReasonOut(
        allow_null=True,
        help_text="Why not all of it: the line's own reason, or else that of the whole; null where all is granted.",
    )
    rxcui = serializers.CharField()
    asked_quantity = AmountOut(allow_null=True)
    asked_days = serializers.IntegerField()
    asked_daily_units = AmountOut(allow_null=True)
    asked_refills = serializers.IntegerField(allow_null=True)
    asked_from = serializers.DateField(allow_null=True)
    asked_until = serializers.DateField(allow_null=True)
    granted_rxcui = serializers.CharField(help_text="Empty when nothing is granted.")
    granted_quantity = AmountOut(allow_null=True)
    granted_days = serializers.IntegerField()
    granted_daily_units = AmountOut(allow_null=True)
    granted_refills = serializers.IntegerField(allow_null=True)
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True)


class DeterminationOut(serializers.Serializer[Determination]):
    id = serializers.UUIDField(source="public_id")
    outcome = Word(Outcome)
    basis = Word(Basis)
    decided_at = serializers.DateTimeField()
    decided_by = serializers.CharField(source="decided_by.full_name", allow_null=True, default=None)
    reason_code = serializers.CharField()
    reason_text = serializers.CharField()
    criterion = serializers.CharField()
    would_change = serializers.CharField(help_text="What would change it; empty for a favorable one.")
    due_at = serializers.DateTimeField(allow_null=True, help_text="By when it was due, as computed then.")
    policy = serializers.CharField()
    policy_version = serializers.CharField()
    was_late = serializers.BooleanField()
    is_sampled = serializers.BooleanField(help_text="Approved by rule, and chosen to be read by a person.")
    trace = serializers.JSONField(allow_null=True, help_text="What the rule that approved was shown.")
    lines = DecidedLineOut(many=True)
    codes = serializers.SerializerMethodField()

    @extend_schema_field(CodesOut)
    def get_codes(self, determination: Determination) -> dict[str, Any]:
        return dict(CodesOut(_told(determination)).data)


def _told(determination: Determination) -> Told:
    return told_by_determination(Outcome(determination.outcome), determination.lines.all())


class AuthorizationOut(serializers.Serializer[Seen]):
    """The right that a favorable decision creates, and what is left of it today; both days included."""

    id = serializers.UUIDField(source="authorization.public_id")
    number = serializers.CharField(source="authorization.number")
    rxcui = serializers.CharField(source="authorization.rxcui")
    starts_on = serializers.DateField(source="authorization.starts_on")
    ends_on = serializers.DateField(source="authorization.ends_on")
    renewal_from = serializers.DateField(
        source="granted.renewal_from", help_text="The first day of the renewal window."
    )
    standing = Word(Standing)
    days_granted = serializers.IntegerField(source="authorization.days_granted")
    days_used = serializers.IntegerField(
        source="used.days", help_text="Days of it with supply, also those to come, by the fills that are known."
    )
    quantity_granted = AmountOut(source="authorization.quantity_granted", allow_null=True)
    quantity_used = AmountOut(
        source="used.quantity", help_text="Used of it by what was dispensed, at most what was granted."
    )
    revoked_at = serializers.DateTimeField(source="authorization.revoked_at", allow_null=True)


class RunOutOut(serializers.Serializer[Any]):
    """When the patient is without medication unless somebody acts, beside the legal deadline."""

    last_covered_on = serializers.DateField(help_text="In the clinic's calendar.")
    is_dispensed = serializers.BooleanField(help_text="False where there is an order alone; nothing was covered yet.")
    without_from = serializers.DateField(help_text="The first day without medication.")
    is_before_decision = serializers.BooleanField(help_text="Whether the time to decide may end later than the supply.")
    emergency_supply = serializers.CharField(
        allow_null=True,
        help_text="What a pharmacy may dispense meanwhile, where the regime has it, such as `72 hours`.",
    )
    citation = serializers.CharField(help_text="Where the emergency supply is said; empty without one.")
    says = serializers.CharField(help_text="All of it in words.")


class PriorAuthOut(serializers.Serializer[PriorAuth]):
    """A request in short. `version` is its ETag, in quotation marks."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField()
    version = serializers.IntegerField()
    state = Word(State)
    urgency = Word(Urgency)
    patient = serializers.UUIDField(source="patient.public_id")
    coverage = serializers.UUIDField(source="coverage.public_id", allow_null=True, default=None)
    clinic = PartyOut()
    insurer = PartyOut(allow_null=True)
    prescriber = PrescriberOut(allow_null=True)
    assignee = serializers.SerializerMethodField(help_text="Who of the clinic works on it; null to an insurer.")
    pa_required_from = serializers.DateField()
    runs_out_on = serializers.DateField(
        help_text="The last day that the supply in hand covers; the day before the use while nothing is dispensed."
    )
    is_payer_rule_unknown = serializers.BooleanField()
    opened_at = serializers.DateTimeField()
    need_in_doubt_at = serializers.DateTimeField(
        allow_null=True, help_text="Since when what is known no longer needs an approval, though people work on it."
    )
    submitted_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    duplicate_of = serializers.UUIDField(
        source="duplicate_of.public_id",
        allow_null=True,
        default=None,
        help_text="The request that stands instead; a proposal until the state is `duplicate`.",
    )
    redisclosure_notice = serializers.SerializerMethodField(
        help_text="That of 42 CFR 2.32 where a record or document behind the request needs it, or empty."
    )
    due = serializers.SerializerMethodField()
    run_out = serializers.SerializerMethodField(help_text="Null once it was decided or ended.")
    allowed_steps = serializers.SerializerMethodField(help_text="What you may do with it now.")

    @extend_schema_field(PersonOut(allow_null=True))
    def get_assignee(self, prior_auth: PriorAuth) -> dict[str, Any] | None:
        person = prior_auth.assignee if self.context["by"].organization_id == prior_auth.clinic_id else None
        return dict(PersonOut(person).data) if person else None

    def get_redisclosure_notice(self, prior_auth: PriorAuth) -> str:
        return notice(is_part2=prior_auth.is_part2)

    @extend_schema_field(DueOut(allow_null=True))
    def get_due(self, prior_auth: PriorAuth) -> dict[str, Any] | None:
        due = selectors.due(prior_auth)
        return dict(DueOut(due).data) if due else None

    @extend_schema_field(RunOutOut(allow_null=True))
    def get_run_out(self, prior_auth: PriorAuth) -> dict[str, Any] | None:
        found = selectors.run_out_of(prior_auth)
        return dict(RunOutOut(found).data) if found else None

    @extend_schema_field(serializers.ListField(child=Word(Step)))
    def get_allowed_steps(self, prior_auth: PriorAuth) -> list[str]:
        return [step.value for step in selectors.allowed_steps(prior_auth, self.context["by"])]


class QueuedOut(PriorAuthOut):
    """A request in the insurer's queue: in short, and who has it in hand."""

    reviewer = PersonOut(allow_null=True)
    leased_until = serializers.DateTimeField(allow_null=True, help_text="Until when it is theirs, unless renewed.")


class SkipOut(serializers.Serializer[Skip]):
    """That a reviewer passed the request over."""

    person = PersonOut()
    reason = serializers.CharField()
    at = serializers.DateTimeField()


class ExplanationOut(serializers.Serializer[Any]):
    """Why the request was opened, in sentences, whose rule said so, and how. Submission freezes it."""

    sentences = serializers.ListField(child=serializers.CharField())
    policy = ClauseOut()
    trace = TraceOut(allow_null=True, default=None, help_text="Null for a request opened before traces were kept.")


class IndependentReviewOut(serializers.Serializer[IndependentReview]):
    """What the independent reviewer decided; `determination` is what supersedes the insurer's, null when upheld."""

    outcome = Word(AppealOutcome)
    decided_on = serializers.DateField(help_text="In the request's calendar.")
    reference = serializers.CharField(help_text="The reviewer's own.")
    reason = serializers.CharField()
    determination = serializers.UUIDField(source="determination.public_id", allow_null=True, default=None)
    recorded_at = serializers.DateTimeField()


class PriorAuthDetailOut(PriorAuthOut):
    """A request with what it asks for, why, what was answered and what was decided."""

    explanation = ExplanationOut()
    policy = serializers.CharField()
    policy_version = serializers.CharField()
    decider_specialties = serializers.ListField(
        child=Word(Specialty),
        help_text="Of which the licence of who decides against it must be, by its policy; empty: of any.",
    )
    regime = serializers.CharField(help_text="The legal clock its decision runs on.")
    regime_version = serializers.CharField(help_text="The version in force when it was submitted.")
    time_zone = serializers.CharField(help_text="Where its legal days begin and end.")
    clocks = serializers.SerializerMethodField(help_text="All clocks it is under; none before it is submitted.")
    reason = serializers.CharField(help_text="Why people opened it; empty when the rule did.")
    new_fact_kind = serializers.CharField(help_text="What kind of fact was stated to be new; empty for none.")
    new_fact = serializers.CharField(help_text="What is new since the same was decided against; empty for nothing.")
    reviewer = serializers.CharField(source="reviewer.full_name", allow_null=True, default=None)
    leased_until = serializers.DateTimeField(allow_null=True)
    skips = SkipOut(many=True, help_text="Who passed it over, and why; the insurer's alone to see.")
    lines = LineOut(many=True)
    information_requests = QuestionOut(many=True)
    determinations = DeterminationOut(many=True, help_text="Newest first; the first one holds.")
    authorizations = serializers.SerializerMethodField()
    independent_review = serializers.SerializerMethodField(
        help_text="Null until what was forwarded to the independent reviewer is decided there, and that is recorded."
    )
    packet_sha256 = serializers.CharField(help_text="SHA-256 of what was submitted; empty before that.")
    codes = serializers.SerializerMethodField(
        help_text="What it says in the words of other systems; reopened, what was decided stands until superseded."
    )

    @extend_schema_field(CodesOut)
    def get_codes(self, prior_auth: PriorAuth) -> dict[str, Any]:
        newest = next(iter(prior_auth.determinations.all()), None)
        asked = [line.line for line in prior_auth.lines.all()]
        told = told_by_request(State(prior_auth.state), in_force=_told(newest) if newest else None, asked=asked)
        return dict(CodesOut(told).data)

    @extend_schema_field(IndependentReviewOut(allow_null=True))
    def get_independent_review(self, prior_auth: PriorAuth) -> dict[str, Any] | None:
        review = getattr(prior_auth, "independent_review", None)
        return dict(IndependentReviewOut(review).data) if review else None

    @extend_schema_field(ClockOut(many=True))
    def get_clocks(self, prior_auth: PriorAuth) -> list[dict[str, Any]]:
        notices = [*decision_notices(prior_auth), *appeals.happened(prior_auth)]
        return list(ClockOut(selectors.clocks_of(prior_auth, notices=notices).clocks, many=True).data)

    @extend_schema_field(AuthorizationOut(many=True))
    def get_authorizations(self, prior_auth: PriorAuth) -> list[dict[str, Any]]:
        return [dict(AuthorizationOut(row).data) for row in seen(prior_auth, now=clock.now())]


class EventOut(serializers.Serializer[Event]):
    """One step that was taken."""

    sequence = serializers.IntegerField()
    step = Word(Step)
    code = serializers.CharField(help_text="The coded reason, of steps that need one; empty for others.")
    from_state = serializers.CharField(help_text="Empty for the first.")
    to_state = Word(State)
    at = serializers.DateTimeField()
    actor_name = serializers.CharField()
    note = serializers.CharField()
