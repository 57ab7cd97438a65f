"""What happened to a patient, in order, as your organization may see it."""

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.fields import Word
from authz.api.opioid_use import AS_OF, AsOfIn
from authz.api.views import Door
from authz.ids import PatientId
from authz.prior_auths.moments import Happening
from authz.prior_auths.timeline import timeline


class MomentOut(serializers.Serializer[Any]):
    """One thing that happened `on` a day; your organization, or the service, knew of it since `learned_on`."""

    kind = Word(Happening)
    on = serializers.DateField()
    learned_on = serializers.DateField()
    id = serializers.UUIDField(source="subject_id", help_text="Of the order, fill, request or whatever it is about.")
    text = serializers.CharField(source="says")
    is_own = serializers.BooleanField(help_text="Your organization recorded it.")
    stands = serializers.BooleanField(
        help_text="False once reversed, cancelled, withdrawn, superseded or entered in error, which is a moment too."
    )


class TimelineOut(serializers.Serializer[Any]):
    patient = serializers.UUIDField(source="patient.public_id")
    as_of = serializers.DateField()
    moments = MomentOut(many=True, help_text="Oldest first.")


class TimelineView(Door):
    parameters: ClassVar[frozenset[str]] = frozenset({AS_OF})

    @extend_schema(
        operation_id="read_timeline",
        tags=["patients"],
        parameters=[OpenApiParameter(AS_OF, OpenApiTypes.DATE, description="Today in your calendar when left out.")],
        responses=TimelineOut,
    )
    def get(self, request: Request, patient_id: PatientId) -> Response:
        """Tell what was known on a day to have happened to a patient. Pain and surgery are their own clinic's alone."""
        asked = AsOfIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        told = timeline(self.actor, patient_id, now=self.now, as_of=asked.validated_data[AS_OF])
        return Response(TimelineOut(told).data)
