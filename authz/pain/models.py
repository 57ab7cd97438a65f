"""Pain scores and days of surgery as a clinic told them, in both times, and the hints that they gave.

A `PainScore` or `Surgery` is only an identity, like an order or a fill; what is known of it is in its versions.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from authz.ids import new_id
from authz.prescriptions.models import Identified
from authz.rules.pain_signal import Instrument
from authz.rules.records import RecordStatus

_STATUSES = (RecordStatus.ACTIVE.value, RecordStatus.ENTERED_IN_ERROR.value)


class Telling(models.Model):
    """One state of knowledge. Added, never changed: a trigger refuses UPDATE and DELETE."""

    version = models.PositiveIntegerField()
    status = models.CharField(max_length=20, choices=[(status, status) for status in _STATUSES])
    recorded_at = models.DateTimeField()
    recorded_on = models.DateField(help_text="The day we learned it, in the clinic's calendar.")
    recorded_by = models.CharField(max_length=200, help_text="The person or machine that told it.")
    source_updated_at = models.DateTimeField(null=True, help_text="When the sender says it last changed.")

    class Meta:
        abstract = True


_TELLING_PHI = {"status"}
_TELLING_PLAIN = {"id", "version", "recorded_at", "recorded_on", "recorded_by", "source_updated_at"}


class PainScore(Identified):
    """A PEG or one pain rating, asked of a patient on a day."""

    PHI: ClassVar[set[str]] = {"identifier"}
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "patient", "organization"}

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "identifier"], name="pain_score_once_per_organization")
        ]


class PainScoreVersion(Telling):
    """`pain` is the rating, or the first answer of a PEG; `enjoyment` and `activity` are its other two."""

    PHI: ClassVar[set[str]] = _TELLING_PHI | {"scored_on", "instrument", "pain", "enjoyment", "activity"}
    PLAIN: ClassVar[set[str]] = _TELLING_PLAIN | {"record"}

    record = models.ForeignKey(PainScore, on_delete=models.PROTECT, related_name="versions")
    scored_on = models.DateField(help_text="The day it was asked, in the clinic's calendar.")
    instrument = models.CharField(max_length=20, choices=[(word.value, word.value) for word in Instrument])
    pain = models.PositiveSmallIntegerField()
    enjoyment = models.PositiveSmallIntegerField(null=True)
    activity = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["record", "version"], name="pain_score_version_once"),
            models.CheckConstraint(name="pain_score_stands_or_is_in_error", condition=Q(status__in=_STATUSES)),
            models.CheckConstraint(
                name="a_peg_has_three_answers_and_a_rating_one",
                condition=Q(instrument=Instrument.PEG.value, enjoyment__isnull=False, activity__isnull=False)
                | (~Q(instrument=Instrument.PEG.value) & Q(enjoyment=None, activity=None)),
            ),
            models.CheckConstraint(
                name="pain_answers_go_up_to_10",
                condition=Q(pain__lte=10)
                & (Q(enjoyment=None) | Q(enjoyment__lte=10))
                & (Q(activity=None) | Q(activity__lte=10)),
            ),
        ]


class Surgery(Identified):
    """An operation on a day. Which one is not kept: the pain signal asks only whether there was any."""

    PHI: ClassVar[set[str]] = {"identifier"}
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "patient", "organization"}

    class Meta:
        verbose_name_plural = "surgeries"
        constraints = [
            models.UniqueConstraint(fields=["organization", "identifier"], name="surgery_once_per_organization")
        ]


class SurgeryVersion(Telling):
    PHI: ClassVar[set[str]] = _TELLING_PHI | {"performed_on"}
    PLAIN: ClassVar[set[str]] = _TELLING_PLAIN | {"record"}

    record = models.ForeignKey(Surgery, on_delete=models.PROTECT, related_name="versions")
    performed_on = models.DateField(help_text="In the clinic's calendar.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["record", "version"], name="surgery_version_once"),
            models.CheckConstraint(name="surgery_stands_or_is_in_error", condition=Q(status__in=_STATUSES)),
        ]


class PainHint(models.Model):
    """A pain signal of which a clinic's prescriber is told, until it no longer holds.

    `facts_sha256` is that of the scores it rests on: found on the same scores again, it is no news.
    """

    PHI: ClassVar[set[str]] = {"facts_sha256", "found_on"}
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "patient", "clinic", "prescriber", "found_at", "ended_at"}

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    patient = models.ForeignKey("authz.Patient", on_delete=models.PROTECT, related_name="pain_hints")
    clinic = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    prescriber = models.ForeignKey("authz.Prescriber", on_delete=models.PROTECT, related_name="+")
    found_on = models.DateField(help_text="As of which day, in the clinic's calendar.")
    found_at = models.DateTimeField()
    facts_sha256 = models.CharField(max_length=64)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "clinic", "facts_sha256"], name="pain_hint_once_for_its_facts"),
            models.UniqueConstraint(
                fields=["patient", "clinic"], condition=Q(ended_at=None), name="one_pain_hint_holds_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)
