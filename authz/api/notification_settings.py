"""How a person is told beyond the inbox, and who stands in for them."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.models import Person
from authz.api.fields import Day, In, OneOf, PublicId, Text, TimeOfDay, Truth, WholeNumber
from authz.api.schema import OUTSIDE_CHANNELS
from authz.api.views import Door, Listing
from authz.notifications.wishes import selectors, services

MOST_COVERS = 50


class QuietHoursIn(In):
    """By your wall clock; past midnight when they end before they start."""

    starts = TimeOfDay()
    ends = TimeOfDay()


class CoverIn(In):
    """From a day to a day of your organization's calendar, both included."""

    colleague = PublicId(help_text="One of those that `me/colleagues/` lists.")
    starts_on = Day()
    ends_on = Day()


class NotificationSettingsIn(In):
    """What is to be changed; what is left out stays."""

    time_zone = Text(max_length=64, required=False, help_text="IANA name; of your pages, quiet hours and digest.")
    pressing_by = serializers.ListField(
        child=OneOf(OUTSIDE_CHANNELS),
        required=False,
        max_length=len(OUTSIDE_CHANNELS),
        help_text="Channels for what presses. The next one is tried only when the one before cannot reach you at all.",
    )
    waiting_by = serializers.ListField(
        child=OneOf(OUTSIDE_CHANNELS),
        required=False,
        max_length=len(OUTSIDE_CHANNELS),
        help_text="Channels for what can wait, in the same way.",
    )
    quiet_hours = QuietHoursIn(required=False, allow_null=True)
    digest_hour = WholeNumber(
        min_value=0,
        max_value=23,
        required=False,
        allow_null=True,
        help_text="One mail a day for what can wait, at this hour. Null: each by itself.",
    )
    is_email_refused = Truth(required=False, help_text="False: try your address again.")
    phone = Text(
        max_length=16,
        required=False,
        allow_null=True,
        help_text="In international form, such as +15550100. A code is texted to it; texts come once you confirm it.",
    )
    phone_code = Text(max_length=6, required=False, help_text="The code that was texted to the phone: confirms it.")
    is_phone_refused = Truth(required=False, help_text="False: try your phone again.")
    delegate = PublicId(
        required=False, allow_null=True, help_text="The colleague who is asked when you do not answer in time."
    )
    covers = serializers.ListField(
        child=CoverIn(),
        required=False,
        max_length=MOST_COVERS,
        help_text="The colleagues who hear beside you, and when; all there are from then on.",
    )


class ColleagueOut(serializers.Serializer[Person]):
    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField(source="full_name")


class QuietHoursOut(serializers.Serializer[Any]):
    starts = serializers.TimeField(format="%H:%M")
    ends = serializers.TimeField(format="%H:%M")


class CoverOut(serializers.Serializer[Any]):
    colleague = ColleagueOut()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()


class NotificationSettingsOut(serializers.Serializer[Any]):
    time_zone = serializers.CharField(source="person.time_zone")
    pressing_by = serializers.ListField(child=serializers.ChoiceField(choices=OUTSIDE_CHANNELS))
    waiting_by = serializers.ListField(child=serializers.ChoiceField(choices=OUTSIDE_CHANNELS))
    quiet_hours = QuietHoursOut(source="quiet", allow_null=True)
    digest_hour = serializers.IntegerField(allow_null=True)
    email = serializers.EmailField(source="person.email")
    email_refused_at = serializers.DateTimeField(
        allow_null=True, help_text="Since then a mail server refuses your address for good, and no mail goes to it."
    )
    email_refusal = serializers.CharField(help_text="The code of that refusal.")
    phone = serializers.CharField(help_text="Empty when there is none.")
    phone_verified_at = serializers.DateTimeField(allow_null=True, help_text="When you confirmed it by its code.")
    phone_refused_at = serializers.DateTimeField(
        allow_null=True, help_text="Since then the number is refused for good, and no text goes to it."
    )
    phone_refusal = serializers.CharField(help_text="The code of that refusal.")
    delegate = ColleagueOut(allow_null=True)
    covers = CoverOut(many=True)


class NotificationSettingsView(Door):
    @extend_schema(operation_id="read_notification_settings", tags=["inbox"], responses=NotificationSettingsOut)
    def get(self, request: Request) -> Response:
        """Read how you are told, beyond the inbox, and who stands in for you. A machine has no settings."""
        return self._told()

    @extend_schema(
        operation_id="change_notification_settings",
        tags=["inbox"],
        request=NotificationSettingsIn,
        responses=NotificationSettingsOut,
    )
    def patch(self, request: Request) -> Response:
        """Change how you are told. What is about a clock or a run-out passes quiet hours and the digest."""
        changes = cast(services.Changes, self.read(NotificationSettingsIn))
        services.change(changes=changes, by=self.actor, now=self.now)
        return self._told()

    def _told(self) -> Response:
        person_id = selectors.person_of(self.actor)
        row = selectors.settings_of([person_id])[person_id]
        delegate = selectors.delegate_of(self.actor)
        beside = {"delegate": delegate.colleague if delegate else None, "covers": selectors.covers_of(self.actor)}
        own = {name: getattr(row, name) for name in _OWN}
        return Response(NotificationSettingsOut(own | beside).data)


_OWN = (
    *(
        "person",
        "pressing_by",
        "waiting_by",
        "quiet",
        "digest_hour",
        "email_refused_at",
        "email_refusal",
        "phone",
        "phone_verified_at",
        "phone_refused_at",
        "phone_refusal",
    ),
)


class ColleaguesView(Listing):
    queryset = Person.objects.none()
    serializer_class = ColleagueOut

    @extend_schema(operation_id="list_colleagues", tags=["inbox"], responses=ColleagueOut(many=True))
    def get(self, request: Request) -> Response:
        """List who could stand in for you: the members of your organization who share a role with you."""
        return self.listed(selectors.colleagues(self.actor))
