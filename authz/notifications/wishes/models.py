"""What each person wants of the notices that go out to them, and who stands in for them."""

from datetime import time
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from authz.notifications.matrix import ChannelName, Pace
from authz.notifications.waiting import QuietHours, Wishes

E164: Final = r"^\+[1-9][0-9]{6,14}$"
"""ITU-T E.164: a plus, the country code, and fifteen digits at most; seven are the fewest that anybody has."""


def _by_mail() -> list[str]:
    return [ChannelName.EMAIL.value]


class NotificationSettings(models.Model):
    """How a person wants to be told, beyond the inbox. Someone without a row wants what a new row says.

    `pressing_by` and `waiting_by` are channels in the order in which they are tried: the next one only where the one
    before cannot reach the person at all. Times are those of the person's own wall clock.
    `email_refused_at` is when a mail server refused the address for good, `email_refusal` its code; the same of the
    phone. A phone gets notices once its holder has told the `phone_code` that was texted to it.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "person", "pressing_by", "waiting_by", "quiet_from", "quiet_until", "digest_hour", "email_refused_at",
        "email_refusal", "phone", "phone_code", "phone_verified_at", "phone_refused_at", "phone_refusal",
    }  # fmt: skip

    person = models.OneToOneField("authz.Person", on_delete=models.PROTECT, related_name="notification_settings")
    pressing_by = ArrayField(models.CharField(max_length=20), default=_by_mail)
    waiting_by = ArrayField(models.CharField(max_length=20), default=_by_mail)
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    digest_hour = models.PositiveSmallIntegerField(null=True)
    email_refused_at = models.DateTimeField(null=True)
    email_refusal = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=16, blank=True, help_text="In E.164 form, such as +15550100.")
    phone_code = models.CharField(max_length=6, blank=True)
    phone_verified_at = models.DateTimeField(null=True)
    phone_refused_at = models.DateTimeField(null=True)
    phone_refusal = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "notification settings"
        constraints = [
            models.CheckConstraint(
                name="quiet_hours_begin_and_end",
                condition=Q(quiet_from=None, quiet_until=None)
                | (Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=F("quiet_until"))),
            ),
            models.CheckConstraint(
                name="a_digest_comes_at_an_hour_of_the_day", condition=Q(digest_hour=None) | Q(digest_hour__lte=23)
            ),
            models.CheckConstraint(name="phones_are_in_e164_form", condition=Q(phone="") | Q(phone__regex=E164)),
            models.CheckConstraint(
                name="only_a_phone_there_is_was_confirmed", condition=Q(phone_verified_at=None) | ~Q(phone="")
            ),
        ]

    def wishes(self, channel: ChannelName) -> Wishes:
        """Return when the person wants to hear by a channel of what can wait. The digest is a mail."""
        digest_hour = self.digest_hour if channel is ChannelName.EMAIL else None
        return Wishes(zone=ZoneInfo(self.person.time_zone), quiet=self.quiet, digest_hour=digest_hour)

    @property
    def quiet(self) -> QuietHours | None:
        """Return the quiet hours; None when there are none."""
        starts: time | None = self.quiet_from
        return None if starts is None or self.quiet_until is None else QuietHours(starts, self.quiet_until)

    def channels(self, pace: Pace) -> list[ChannelName]:
        """Return the channels that can reach the person now, in the order in which they are tried."""
        wanted = self.pressing_by if pace is Pace.PRESSING else self.waiting_by
        return [ChannelName(name) for name in wanted if self._reaches(ChannelName(name))]

    def _reaches(self, channel: ChannelName) -> bool:
        if channel is ChannelName.EMAIL:
            return self.email_refused_at is None
        return bool(settings.SMS_PROVIDER and self.phone_verified_at) and self.phone_refused_at is None


class Delegate(models.Model):
    """Who is asked next in an organization when the person does not answer in time."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "person", "organization", "colleague"}

    person = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    colleague = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "organization"], name="one_delegate_of_a_person"),
            models.CheckConstraint(name="nobody_is_their_own_delegate", condition=~Q(person=F("colleague"))),
        ]


class Cover(models.Model):
    """A colleague who hears beside the person from a day to a day of the organization's calendar, both included."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "person", "organization", "colleague", "starts_on", "ends_on"}

    person = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    colleague = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="+")
    starts_on = models.DateField()
    ends_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="nobody_covers_for_themselves", condition=~Q(person=F("colleague"))),
            models.CheckConstraint(name="cover_runs_forward", condition=Q(ends_on__gte=F("starts_on"))),
        ]
        indexes = [models.Index(fields=["person", "organization", "ends_on"], name="cover_of_a_person")]
