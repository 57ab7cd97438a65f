"""The organization one acts for and its settings, the plans one can name, and which policy holds for one on a day."""

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.contact import LONGEST_ADDRESS, LONGEST_HOURS, LONGEST_NUMBER, Contact
from authz.access.models import Organization
from authz.access.roles import Action, OrganizationKind, Role, must_be_allowed
from authz.access.selectors import organization
from authz.administration.services.contact import set_contact
from authz.api.fields import Code, Day, In, Text, Truth, Word
from authz.api.policy_out import VersionOut, version_values
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import PlanId
from authz.pain import services as pain
from authz.pain.selectors import has_pain_signal
from authz.policies.models import Plan
from authz.policies.selectors import plans, rules_of
from authz.policies.services import open_plan
from authz.prescriptions.selectors import plan_known_to

ON = "on"


class OrganizationOut(serializers.Serializer[Organization]):
    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    kind = Word(OrganizationKind)
    time_zone = serializers.CharField(help_text="IANA name; the calendar its days are read in.")


class MeOut(serializers.Serializer[Any]):
    organization = OrganizationOut()
    name = serializers.CharField(help_text="The person or the machine that acts.")
    roles = serializers.ListField(child=Word(Role))


class PlanOut(serializers.Serializer[Plan]):
    id = serializers.UUIDField(source="public_id")
    code = serializers.CharField()
    name = serializers.CharField()
    insurer = OrganizationOut()


class PlanIn(In):
    """A plan of your own. What it is under is fixed: another rule from a day on is another version of its policy."""

    code = Text(max_length=40)
    name = Text(max_length=200)
    policy = Code(max_length=60, help_text="Of a policy of your own that was activated, or of the catalog.")
    regime = Code(max_length=60, help_text="The legal clock of its decisions.")
    time_zone = Text(
        max_length=64,
        required=False,
        default=None,
        help_text="The calendar its days run in; an IANA name. Your organization's when left out.",
    )


class OwnPlanOut(PlanOut):
    policy = serializers.CharField()
    regime = serializers.CharField()
    time_zone = serializers.CharField()


class OnIn(In):
    """On which day."""

    on = Day(required=False, default=None)


class PlanPolicyOut(serializers.Serializer[Any]):
    """The version that decides about orders and fills of a day."""

    plan = PlanOut()
    on = serializers.DateField()
    is_payer_rule_unknown = serializers.BooleanField(
        help_text="No version of the plan's own policy is in force on that day, so the default stands in."
    )
    policy = VersionOut()


class MyOrganizationView(Door):
    @extend_schema(operation_id="who_am_i", tags=["organizations"], responses=MeOut)
    def get(self, request: Request) -> Response:
        """Tell who acts, for which organization, in which roles."""
        me = {
            "organization": organization(self.actor),
            "name": self.actor.name,
            "roles": sorted(role.value for role in self.actor.roles),
        }
        return Response(MeOut(me).data)


class ClinicSettingsIn(In):
    """What a clinic decides about itself."""

    pain_signal = Truth(help_text="Whether its prescribers are told when pain rose and the dose did not fall.")


class ClinicSettingsOut(serializers.Serializer[Any]):
    pain_signal = serializers.BooleanField(help_text="Off until the clinic's administrator switches it on.")


class ClinicSettingsView(Door):
    @extend_schema(operation_id="read_clinic_settings", tags=["organizations"], responses=ClinicSettingsOut)
    def get(self, request: Request) -> Response:
        """Read what your clinic has decided about itself."""
        return self._told()

    @extend_schema(
        operation_id="change_clinic_settings",
        tags=["organizations"],
        request=ClinicSettingsIn,
        responses=ClinicSettingsOut,
    )
    def patch(self, request: Request) -> Response:
        """Change your clinic's settings; only its administrator may."""
        must_be_allowed(self.actor, Action.CHANGE_CLINIC_SETTINGS)
        pain.switch(is_on=self.read(ClinicSettingsIn)["pain_signal"], by=self.actor, now=self.now)
        return self._told()

    def _told(self) -> Response:
        return Response(ClinicSettingsOut({"pain_signal": has_pain_signal(self.actor)}).data)


class ContactIn(In):
    """How your insurer is reached. Its letters print it from then on; those that were written stay as they are."""

    postal_address = Text(max_length=LONGEST_ADDRESS, help_text="Two to six lines.")
    phone = Text(max_length=LONGEST_NUMBER, help_text="With its area code.")
    fax = Text(max_length=LONGEST_NUMBER, required=False, allow_blank=True, default="")
    hours = Text(
        max_length=LONGEST_HOURS,
        required=False,
        allow_blank=True,
        default="",
        help_text="When calls are answered, in words.",
    )


class ContactOut(serializers.Serializer[Organization]):
    """All of it is empty until an administrator has said it: letters then lack it."""

    postal_address = serializers.CharField()
    phone = serializers.CharField()
    fax = serializers.CharField()
    hours = serializers.CharField()


class ContactView(Door):
    @extend_schema(operation_id="read_contact", tags=["organizations"], responses=ContactOut)
    def get(self, request: Request) -> Response:
        """Read how your insurer is reached, as its letters print it."""
        must_be_allowed(self.actor, Action.READ_CONTACT)
        return self._told()

    @extend_schema(operation_id="change_contact", tags=["organizations"], request=ContactIn, responses=ContactOut)
    def put(self, request: Request) -> Response:
        """Say how your insurer is reached; only its administrator may."""
        must_be_allowed(self.actor, Action.CHANGE_CONTACT)
        set_contact(contact=Contact(**self.read(ContactIn)), by=self.actor, now=self.now)
        return self._told()

    def _told(self) -> Response:
        return Response(ContactOut(organization(self.actor)).data)


class PlansView(Listing):
    queryset = Plan.objects.none()
    serializer_class = PlanOut

    @extend_schema(operation_id="list_plans", tags=["organizations"], responses=PlanOut(many=True))
    def get(self, request: Request) -> Response:
        """List the plans of every insurer, to name one in a coverage."""
        return self.listed(plans())

    @extend_schema(
        operation_id="open_plan",
        tags=["organizations"],
        parameters=[IDEMPOTENCY_KEY],
        request=PlanIn,
        responses={201: OwnPlanOut},
    )
    def post(self, request: Request) -> Response:
        """Create a plan of your organization, under a policy and a regime."""
        must_be_allowed(self.actor, Action.DECIDE_POLICIES)
        values = self.read(PlanIn)
        return self.once(lambda: self._open(values))

    def _open(self, values: dict[str, Any]) -> Response:
        plan = open_plan(**values, by=self.actor, now=self.now)
        return Response(OwnPlanOut(plan).data, status=201)


class PlanPolicyView(Door):
    parameters: ClassVar[frozenset[str]] = frozenset({ON})

    @extend_schema(
        operation_id="read_plan_policy",
        tags=["policies"],
        parameters=[OpenApiParameter(ON, OpenApiTypes.DATE, description="Today in your calendar when left out.")],
        responses=PlanPolicyOut,
    )
    def get(self, request: Request, plan_id: PlanId) -> Response:
        """Tell which version of which policy holds on a day, for a plan of yours or of one of your patients."""
        plan = plan_known_to(self.actor, plan_id)
        asked = OnIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        on = asked.validated_data[ON] or self.today()
        version = rules_of(plan).on(on)
        told = {
            "plan": plan,
            "on": on,
            "is_payer_rule_unknown": version.code != plan.policy,
            "policy": version_values(version),
        }
        return Response(PlanPolicyOut(told).data)
