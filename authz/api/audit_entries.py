"""The audit trail of an organization, for its administrators."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from authz.api.csv_answers import ALSO_CSV, CSV, sheet, wants_csv
from authz.api.fields import Word
from authz.api.pages import CURSOR, LIMIT
from authz.api.views import Listing
from authz.audit import selectors, services
from authz.audit.circumstances import Origin
from authz.audit.models import AuditEntry
from authz.errors import InvalidInput
from authz.reporting.trail_sheet import trail_lines


class AuditEntryOut(serializers.Serializer[AuditEntry]):
    """Who read or changed what, when, from where and why. Not sealed yet, it has no sequence and no hash."""

    id = serializers.UUIDField(source="public_id")
    at = serializers.DateTimeField()
    person = serializers.UUIDField(source="person.public_id", default=None, allow_null=True)
    client = serializers.UUIDField(source="client.public_id", default=None, allow_null=True)
    actor = serializers.CharField(source="actor_name")
    on_behalf_of = serializers.UUIDField(source="on_behalf_of.public_id", default=None, allow_null=True)
    action = serializers.CharField()
    subject_kind = serializers.CharField()
    subject = serializers.UUIDField(source="subject_id", allow_null=True)
    patients = serializers.ListField(child=serializers.UUIDField())
    origin = Word(Origin)
    address = serializers.CharField()
    source = serializers.CharField(help_text="The caller's address; of IPv6 its /64 network.")  # type: ignore[assignment]  # DRF takes the field out of the class
    purpose = serializers.CharField(help_text="What X-Purpose-Of-Use said.")
    emergency = serializers.UUIDField(allow_null=True, help_text="The emergency access for which it was open.")
    sequence = serializers.IntegerField(allow_null=True)
    hash = serializers.CharField()


class AuditEntryFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    person = filters.UUIDFilter(field_name="person__public_id")
    client = filters.UUIDFilter(field_name="client__public_id")
    patient = filters.UUIDFilter(method="of_patient")
    subject = filters.UUIDFilter(field_name="subject_id")
    action = filters.CharFilter(label="Exactly, such as `read`.")
    since = filters.DateFilter(field_name="at", lookup_expr="date__gte", label="The first day, in UTC.")
    until = filters.DateFilter(field_name="at", lookup_expr="date__lte", label="The last day, in UTC.")

    class Meta:
        model = AuditEntry
        fields: list[str] = []

    def of_patient(self, rows: QuerySet[AuditEntry], _name: str, patient: Any) -> QuerySet[AuditEntry]:
        return rows.filter(patients__contains=[patient])


class AuditEntriesView(Listing):
    renderer_classes: ClassVar[list[type[BaseRenderer]]] = ALSO_CSV  # type: ignore[misc]  # narrower is meant
    queryset = AuditEntry.objects.none()
    serializer_class = AuditEntryOut
    filterset_class = AuditEntryFilters

    @extend_schema(
        operation_id="list_audit_entries",
        tags=["audit"],
        responses={(200, "application/json"): AuditEntryOut(many=True), (200, CSV): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """List what your organization's people and machines read and changed, newest first; for administrators.

        A page as JSON or, where accepted, all that the filters leave as CSV. That you looked is on the trail, too.
        """
        rows = selectors.entries(self.actor)
        if wants_csv(request):
            return self._sheet(rows)
        answer = self.listed(rows)
        services.note_looked_at(by=self.actor, now=self.now)
        return answer

    def _sheet(self, rows: QuerySet[AuditEntry]) -> HttpResponseBase:
        if paged := {CURSOR, LIMIT} & self.request.query_params.keys():
            raise InvalidInput({name: ["A file has no pages: it is whole."] for name in paged})
        wanted = self.filter_queryset(rows)
        services.note_looked_at(by=self.actor, now=self.now, is_export=True)
        return sheet(trail_lines(selectors.in_batches(self.actor, wanted)))
