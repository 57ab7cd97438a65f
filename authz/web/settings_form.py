"""How somebody wants to be told, as one form: channels, quiet hours, the digest, the phone, and who stands in."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.conf import settings

from authz.access.models import Person
from authz.notifications.matrix import ChannelName
from authz.notifications.wishes.models import Cover, Delegate, NotificationSettings
from authz.notifications.wishes.services import Changes
from authz.web.forms import PlainForm

_SPARE_COVERS: Final = 1
_MAIL, _TEXT = ChannelName.EMAIL.value, ChannelName.SMS.value
_WAYS: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "mail": ("By mail", [_MAIL]),
    "text": ("By text", [_TEXT]),
    "mail-text": ("By mail; by text if mail cannot reach me", [_MAIL, _TEXT]),
    "text-mail": ("By text; by mail if a text cannot reach me", [_TEXT, _MAIL]),
    "inbox": ("In the inbox only", []),
}
_NOT_A_TIME = {"invalid": "Give a time such as 21:30."}
_NOT_A_DAY = {"invalid": "Give a day as YYYY-MM-DD."}


def _time(label: str, hint: str = "") -> forms.TimeField:
    return forms.TimeField(
        label=label,
        help_text=hint,
        required=False,
        widget=forms.TimeInput({"type": "time", "class": "short"}, format="%H:%M"),
        input_formats=["%H:%M", "%H:%M:%S"],
        error_messages=_NOT_A_TIME,
    )


class SettingsForm(PlainForm):
    """Everything stands as it is now; what is sent is all there is from then on."""

    pressing_by = forms.ChoiceField(label="What presses", help_text="Clocks, agreed times, a patient who runs out.")
    waiting_by = forms.ChoiceField(label="What can wait")
    quiet_from = _time("Quiet from", "By your own clock. What presses comes all the same.")
    quiet_until = _time("Quiet until")
    digest_hour = forms.TypedChoiceField(
        label="One mail a day for what can wait",
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "No: each by itself"), *((str(hour), f"At {hour:02}:00") for hour in range(24))],
    )
    time_zone = forms.CharField(
        label="Time zone",
        max_length=64,
        help_text="Such as America/Chicago. All times on your pages are in it.",
        widget=forms.TextInput({"list": "zones", "autocomplete": "off"}),
        error_messages={"required": "Give a time zone."},
    )
    delegate = forms.ChoiceField(label="Who is asked when I do not answer in time", required=False)

    def __init__(
        self,
        row: NotificationSettings,
        *,
        delegate: Delegate | None,
        covers: Iterable[Cover],
        colleagues: Iterable[Person],
        posted: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(posted, auto_id="settings-%s", label_suffix="", initial=_now(row, delegate))
        self._row = row
        people = [(str(one.public_id), one.full_name) for one in colleagues]
        ways = [(name, said) for name, (said, by) in _WAYS.items() if settings.SMS_PROVIDER or _TEXT not in by]
        for name in ("pressing_by", "waiting_by"):
            self._field(name, forms.ChoiceField).choices = ways
        self._field("delegate", forms.ChoiceField).choices = [("", "Nobody"), *people]
        self._add_covers(list(covers), people)
        if settings.SMS_PROVIDER:
            self._add_phone()
        if row.email_refused_at:
            self.fields["try_email"] = forms.BooleanField(
                label=f"Try {row.person.email} again: a mail server refused it", required=False
            )

    def _field(self, name: str, kind: type[forms.ChoiceField]) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, kind)  # noqa: S101 - they are declared above
        return field

    def _add_covers(self, covers: list[Cover], people: list[tuple[str, str]]) -> None:
        self._covers = len(covers) + _SPARE_COVERS
        for number in range(self._covers):
            known = covers[number] if number < len(covers) else None
            label = f"Cover {number + 1}"
            self.fields |= {
                f"covers[{number}].colleague": forms.ChoiceField(
                    label=f"{label}: who hears beside me",
                    required=False,
                    choices=[("", "Nobody"), *people],
                    initial=str(known.colleague.public_id) if known else "",
                ),
                f"covers[{number}].starts_on": _day(f"{label}: from", known.starts_on if known else None),
                f"covers[{number}].ends_on": _day(f"{label}: to, included", known.ends_on if known else None),
            }

    def _add_phone(self) -> None:
        is_confirmed = self._row.phone_verified_at is not None
        standing = "Confirmed." if is_confirmed else "Not confirmed yet." if self._row.phone else "None yet."
        self.fields["phone"] = forms.CharField(
            label="Phone for texts",
            max_length=16,
            required=False,
            initial=self._row.phone,
            help_text=f"In international form, such as +15550100. {standing}",
            widget=forms.TextInput({"type": "tel", "autocomplete": "tel", "class": "short"}),
        )
        if self._row.phone and not is_confirmed:
            self.fields["phone_code"] = forms.CharField(
                label="The code that was texted to it",
                max_length=6,
                required=False,
                widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "one-time-code", "class": "short"}),
            )

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if (said.get("quiet_from") is None) != (said.get("quiet_until") is None):
            self.add_error("quiet_until", "Give both times, or neither.")
        if said.get("time_zone") and said["time_zone"] not in available_timezones():
            self.add_error("time_zone", "This time zone is not known. Such as: America/Chicago.")
        for number in range(self._covers):
            cells = [f"covers[{number}].{name}" for name in ("colleague", "starts_on", "ends_on")]
            given = [name for name in cells if said.get(name)]
            for name in set(cells) - set(given) if given else ():
                if name not in self.errors:
                    self.add_error(name, "Needed for a cover.")
        return said

    def refuse(self, fields: Mapping[str, Sequence[str]]) -> None:
        super().refuse({"quiet_until" if name == "quiet_hours" else name: said for name, said in fields.items()})

    def changes(self) -> Changes:
        """Return what is wanted. A phone is sent only when it is another one: it would have to be confirmed anew."""
        said = self.cleaned_data
        changes: Changes = {
            "time_zone": said["time_zone"],
            "pressing_by": _WAYS[said["pressing_by"]][1],
            "waiting_by": _WAYS[said["waiting_by"]][1],
            "quiet_hours": {"starts": said["quiet_from"], "ends": said["quiet_until"]} if said["quiet_from"] else None,
            "digest_hour": said["digest_hour"],
            "delegate": UUID(said["delegate"]) if said["delegate"] else None,
            "covers": [
                {
                    "colleague": UUID(said[f"covers[{number}].colleague"]),
                    "starts_on": said[f"covers[{number}].starts_on"],
                    "ends_on": said[f"covers[{number}].ends_on"],
                }
                for number in range(self._covers)
                if said[f"covers[{number}].colleague"]
            ],
        }
        if "phone" in said and said["phone"] != self._row.phone:
            changes["phone"] = said["phone"] or None
        elif said.get("phone_code"):
            changes["phone_code"] = said["phone_code"]
        if said.get("try_email"):
            changes["is_email_refused"] = False
        return changes


def _day(label: str, initial: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        initial=initial.isoformat() if initial else None,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        error_messages=_NOT_A_DAY,
    )


def _now(row: NotificationSettings, delegate: Delegate | None) -> dict[str, Any]:
    by_channels = {tuple(channels): name for name, (_, channels) in _WAYS.items()}
    return {
        "pressing_by": by_channels[tuple(row.pressing_by)],
        "waiting_by": by_channels[tuple(row.waiting_by)],
        "quiet_from": row.quiet_from,
        "quiet_until": row.quiet_until,
        "digest_hour": "" if row.digest_hour is None else str(row.digest_hour),
        "time_zone": row.person.time_zone,
        "delegate": str(delegate.colleague.public_id) if delegate else "",
    }
