"""The licences of an insurer's people. Its administrators alone are let in."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.jurisdictions import JURISDICTIONS
from authz.access.models import Licence
from authz.access.roles import Action, Profession, must_be_allowed
from authz.administration import selectors
from authz.administration.services import licences
from authz.api.fields import Day, In, OneOf, Text, Word
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import LicenceId

TAG = ["licences"]


class PeriodIn(In):
    """Until when it is valid, this day included."""

    valid_until = Day()


class LicenceIn(PeriodIn):
    email = serializers.EmailField(max_length=254, help_text="With which its holder logs in to your insurer.")
    number = Text(max_length=40)
    state = OneOf(JURISDICTIONS)
    profession = OneOf(Profession)
    specialty = Text(
        max_length=80, help_text="By its name, or by a code of the NUCC Health Care Provider Taxonomy; see policies.md."
    )
    valid_from = Day()

    def validate_profession(self, profession: str) -> Profession:
        return Profession(profession)


class LicenceOut(serializers.Serializer[Licence]):
    """`specialty` is one that policies can name, or as it was said."""

    id = serializers.UUIDField(source="public_id")
    person = serializers.UUIDField(source="person.public_id")
    name = serializers.CharField(source="person.full_name")
    number = serializers.CharField()
    state = serializers.CharField()
    profession = Word(Profession)
    specialty = serializers.CharField()
    valid_from = serializers.DateField()
    valid_until = serializers.DateField()


class _Administered(Door):
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        must_be_allowed(self.actor, Action.MANAGE_LICENCES)


class LicencesView(_Administered, Listing):
    queryset = Licence.objects.none()
    serializer_class = LicenceOut

    @extend_schema(operation_id="list_licences", tags=TAG, responses=LicenceOut(many=True))
    def get(self, request: Request) -> Response:
        """List the licences of your insurer's people, also those that have run out, by name."""
        return self.listed(selectors.licences(self.actor))

    @extend_schema(
        operation_id="record_licence",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=LicenceIn,
        responses={201: LicenceOut},
    )
    def post(self, request: Request) -> Response:
        """Record the licence of somebody of your insurer: without one nobody decides against a request."""
        values = self.read(LicenceIn)
        return self.once(lambda: self._record(values))

    def _record(self, values: dict[str, Any]) -> Response:
        row = licences.record(**values, by=self.actor, now=self.now)
        answer = Response(LicenceOut(row).data, status=201)
        answer["Location"] = reverse("api:licence", args=[row.public_id])
        return answer


class LicenceView(_Administered):
    @extend_schema(operation_id="read_licence", tags=TAG, responses=LicenceOut)
    def get(self, request: Request, licence_id: LicenceId) -> Response:
        """Read one licence."""
        return Response(LicenceOut(selectors.licence(self.actor, licence_id)).data)

    @extend_schema(operation_id="change_licence", tags=TAG, request=PeriodIn, responses=LicenceOut)
    def patch(self, request: Request, licence_id: LicenceId) -> Response:
        """Renew a licence, or end it, but not before a day on which somebody decided by it."""
        row = licences.change_period(licence_id=licence_id, **self.read(PeriodIn), by=self.actor, now=self.now)
        return Response(LicenceOut(row).data)
