"""The legal clocks as data: what a regime says, where each figure was read, and which are still to be confirmed."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import Door
from authz.policies import regimes


class CalendarOut(serializers.Serializer[Any]):
    """The holidays that a regime's business days heed."""

    key = serializers.CharField(help_text="Code and version.")
    title = serializers.CharField()
    citation = serializers.CharField()
    confirmed = serializers.BooleanField()


class FigureOut(serializers.Serializer[Any]):
    """One thing a regime says. `confirmed` is false while the wording of the rule itself was not read for it."""

    name = serializers.CharField(help_text="Its place in the regime's document, such as standard.decide_within.")
    value = serializers.CharField(help_text="As a text, such as 72 hours.")
    cites = serializers.CharField(source="source.cites", help_text="The rule.")
    basis = serializers.CharField(source="source.basis", help_text="On what reading of the rule it rests.")
    confirmed = serializers.BooleanField()


class RegimeOut(serializers.Serializer[Any]):
    """One version of a regime. A request keeps the version that was in force when it was submitted."""

    code = serializers.CharField()
    version = serializers.CharField()
    title = serializers.CharField()
    in_force_from = serializers.DateField()
    in_force_until = serializers.DateField(allow_null=True, help_text="The last day; null while it is open.")
    covers_drugs = serializers.BooleanField()
    calendar = CalendarOut()
    confirmed = serializers.BooleanField(help_text="Whether all figures are.")
    figures = FigureOut(many=True)
    notes = serializers.ListField(child=serializers.CharField(), help_text="What the figures cannot say.")


class RegimesOut(serializers.Serializer[Any]):
    regimes = RegimeOut(many=True)


class RegimesView(Door):
    """Says nothing about anybody, so it needs no token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="read_regimes", tags=["meta"], auth=[], responses=RegimesOut)
    def get(self, request: Request) -> Response:
        """Tell the legal clocks that plans can be under, in every version, with citations and what is unconfirmed."""
        return Response(RegimesOut({"regimes": list(regimes.every_version())}).data)
