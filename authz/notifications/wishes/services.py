"""What people want of their notices, and who stands in for them: every write."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from secrets import compare_digest, randbelow
from typing import Any, Final, TypedDict
from uuid import UUID
from zoneinfo import available_timezones

from django.conf import settings
from django.db import transaction

from authz.access.models import Person
from authz.access.roles import Actor
from authz.audit import services as audit
from authz.errors import InvalidInput
from authz.notifications.matrix import OUTSIDE, ChannelName
from authz.notifications.waiting import QuietHours
from authz.notifications.wishes import selectors
from authz.notifications.wishes.models import E164, Cover, Delegate, NotificationSettings
from authz.outbox.services import announce

PHONE_GIVEN: Final = "phone.given"

_NO_COLLEAGUE: Final = "Name a colleague who has a role of yours in this organization."


class QuietHoursIn(TypedDict):
    """By the person's wall clock."""

    starts: time
    ends: time


class CoverIn(TypedDict):
    """Both days are included."""

    colleague: UUID
    starts_on: date
    ends_on: date


class Changes(TypedDict, total=False):
    """What is to be changed; what is left out stays. `covers` are all there are from then on."""

    time_zone: str
    pressing_by: Sequence[str]
    waiting_by: Sequence[str]
    quiet_hours: QuietHoursIn | None
    digest_hour: int | None
    is_email_refused: bool
    is_phone_refused: bool
    phone: str | None
    phone_code: str
    delegate: UUID | None
    covers: Sequence[CoverIn]


@transaction.atomic
def change(*, changes: Changes, by: Actor, now: datetime) -> None:
    """Change how the actor is told, and who stands in for them in the organization they act for.

    :raises Forbidden: when a machine acts.
    :raises InvalidInput: naming every field that is wrong; then nothing is changed.
    """
    person = Person.objects.select_for_update().get(pk=selectors.person_of(by))
    row, _ = NotificationSettings.objects.select_for_update().get_or_create(person=person)
    wrong: dict[str, list[str]] = {}
    _set_zone(person, changes, wrong)
    _set_channels(row, changes, wrong)
    _set_times(row, changes, wrong)
    _set_stand_ins(changes, by, wrong)
    _set_phone(row, changes, wrong, now)
    _try_again(row, changes, wrong)
    if wrong:
        raise InvalidInput(wrong)
    person.save(update_fields=["time_zone"])
    row.save()
    if changes.get("phone"):
        announce(topic=PHONE_GIVEN, subject_id=person.public_id, now=now)
    audit.record(by=by, action="change", subject_kind="notification-settings", subject_id=person.public_id, now=now)


@transaction.atomic
def note_refused(*, channel: ChannelName, person_id: int, code: str, now: datetime) -> None:
    """Mark a person's address as one that was refused for good: it is not tried again until they say so."""
    NotificationSettings.objects.get_or_create(person_id=person_id)
    row = NotificationSettings.objects.filter(person=person_id)
    # These columns alone: the person may be changing the others at this moment.
    if channel is ChannelName.EMAIL:
        row.update(email_refused_at=now, email_refusal=code)
    if channel is ChannelName.SMS:
        row.update(phone_refused_at=now, phone_refusal=code)


def _set_zone(person: Person, changes: Changes, wrong: dict[str, list[str]]) -> None:
    if "time_zone" not in changes:
        return
    person.time_zone = changes["time_zone"]
    if person.time_zone not in available_timezones():
        wrong["time_zone"] = ["An IANA time zone such as America/Chicago is needed."]


def _set_channels(row: NotificationSettings, changes: Changes, wrong: dict[str, list[str]]) -> None:
    given: Mapping[str, Any] = changes
    for name in {"pressing_by", "waiting_by"} & set(given):
        channels = list(given[name])
        setattr(row, name, channels)
        if fault := _fault_of(channels):
            wrong[name] = [fault]


def _set_phone(row: NotificationSettings, changes: Changes, wrong: dict[str, list[str]], now: datetime) -> None:
    """Take a phone, unconfirmed, with a code of its own; or confirm the one there is by its code."""
    if "phone" in changes:
        row.phone, row.phone_verified_at = changes["phone"] or "", None
        row.phone_refused_at, row.phone_refusal = None, ""
        row.phone_code = f"{randbelow(10**6):06}" if row.phone else ""
        if row.phone and not settings.SMS_PROVIDER:
            wrong["phone"] = ["This service sends no texts."]
        elif row.phone and not re.fullmatch(E164, row.phone):
            wrong["phone"] = ["A number in international form is needed, such as +15550100."]
    if "phone_code" in changes:
        if "phone" in changes or not row.phone_code or not _is_same(row.phone_code, changes["phone_code"]):
            wrong["phone_code"] = ["That is not the code that was texted to the phone."]
        row.phone_verified_at, row.phone_code = now, ""
    given: Mapping[str, Any] = changes
    for name in {"pressing_by", "waiting_by"} & set(given):
        if ChannelName.SMS.value in given[name] and row.phone_verified_at is None and name not in wrong:
            wrong[name] = ["For texts, give a phone and confirm it by the code that is texted to it."]


def _is_same(code: str, told: str) -> bool:
    return compare_digest(code.encode(), told.encode())


def _try_again(row: NotificationSettings, changes: Changes, wrong: dict[str, list[str]]) -> None:
    given: Mapping[str, Any] = changes
    for name in {"email", "phone"}:
        if given.get(f"is_{name}_refused") is False:
            setattr(row, f"{name}_refused_at", None)
            setattr(row, f"{name}_refusal", "")
        elif given.get(f"is_{name}_refused"):
            wrong[f"is_{name}_refused"] = ["Only the other side refuses an address; set it to false to try it again."]


def _fault_of(channels: list[str]) -> str:
    if set(channels) - {channel.value for channel in OUTSIDE}:
        return f"The channels are: {', '.join(sorted(channel.value for channel in OUTSIDE))}."
    if len(set(channels)) < len(channels):
        return "Name each channel once."
    return ""


def _set_times(row: NotificationSettings, changes: Changes, wrong: dict[str, list[str]]) -> None:
    if "quiet_hours" in changes:
        given = changes["quiet_hours"]
        row.quiet_from, row.quiet_until = (given["starts"], given["ends"]) if given else (None, None)
        if given and given["starts"] == given["ends"]:
            wrong["quiet_hours"] = ["They must end at another time than they start."]
    row.digest_hour = changes.get("digest_hour", row.digest_hour)
    if row.digest_hour is not None and "quiet_hours" not in wrong:
        faults = _faults_of_digest(row.digest_hour, row.quiet, row.waiting_by)
        wrong |= {"digest_hour": faults} if faults else {}


def _faults_of_digest(hour: int, quiet: QuietHours | None, waiting_by: Iterable[str]) -> list[str]:
    if not 0 <= hour <= 23:
        return ["An hour from 0 to 23 is needed."]
    if quiet is not None and quiet.has(time(hour)):
        return ["The digest must not come in the quiet hours."]
    if ChannelName.EMAIL.value not in waiting_by:
        return ["The digest is a mail: what can wait must come by email."]
    return []


def _set_stand_ins(changes: Changes, by: Actor, wrong: dict[str, list[str]]) -> None:
    person_id = selectors.person_of(by)
    known = dict(selectors.colleagues(by).values_list("public_id", "pk"))
    if "delegate" in changes:
        mine = Delegate.objects.filter(person=person_id, organization=by.organization)
        mine.delete()
        delegate = changes["delegate"]
        if delegate is not None and delegate not in known:
            wrong["delegate"] = [_NO_COLLEAGUE]
        elif delegate is not None:
            Delegate.objects.create(person_id=person_id, organization_id=by.organization, colleague_id=known[delegate])
    if "covers" in changes:
        _set_covers(changes["covers"], known, person_id, by, wrong)


def _set_covers(
    covers: Sequence[CoverIn], known: Mapping[UUID, int], person_id: int, by: Actor, wrong: dict[str, list[str]]
) -> None:
    for n, cover in enumerate(covers):
        if cover["colleague"] not in known:
            wrong[f"covers[{n}].colleague"] = [_NO_COLLEAGUE]
        if cover["ends_on"] < cover["starts_on"]:
            wrong[f"covers[{n}].ends_on"] = ["It must not be before the first day."]
    if wrong:
        return
    Cover.objects.filter(person=person_id, organization=by.organization).delete()
    Cover.objects.bulk_create(
        Cover(
            person_id=person_id,
            organization_id=by.organization,
            colleague_id=known[cover["colleague"]],
            starts_on=cover["starts_on"],
            ends_on=cover["ends_on"],
        )
        for cover in covers
    )
