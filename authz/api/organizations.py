"""The organization one acts for, and the plans one can name."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.models import Organization
from authz.access.roles import OrganizationKind, Role
from authz.access.selectors import organization
from authz.api.fields import Word
from authz.api.views import Door, Listing
from authz.policies.models import Plan
from authz.policies.selectors import plans


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


class PlansView(Listing):
    queryset = Plan.objects.none()
    serializer_class = PlanOut

    @extend_schema(operation_id="list_plans", tags=["organizations"], responses=PlanOut(many=True))
    def get(self, request: Request) -> Response:
        """List the plans of every insurer, to name one in a coverage."""
        return self.listed(plans())
