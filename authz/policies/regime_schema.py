"""PURE: reads a regime's document. Everything that is wrong with one is told at once, each by its path."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from authz.policies.calendar import Calendar
from authz.policies.cited import MARK, read_mark, read_name, read_notes, read_validity
from authz.policies.history import Happened, Kind, What
from authz.policies.reading import Reading, join
from authz.policies.regime import (
    AppealRules,
    Denier,
    Example,
    FileFrom,
    IfMissed,
    MissingInformation,
    NextLevel,
    Regime,
    Source,
    Span,
    Start,
    Track,
)
from authz.policies.version import Mark

Read = Callable[[Reading, object, str], Any]

NOT_RUNNING = "not running"
"""What an example says of a clock that waits for something to happen."""

_NEEDED = ("code", "version", "title", "in_force_from", "covers_drugs", "calendar", "sources", "rules", "standard",
           "expedited", "examples")  # fmt: skip
_EVENT = "what happened, when, and in some rows a number of days or 'with notice'"


def _span(reading: Reading, value: object, path: str) -> Span | None:
    try:
        return Span.read(reading.text(value, path))
    except ValueError as reason:
        reading.refuse(path, f"{str(reason).capitalize()}.")
        return None


def _one_of(choice: type[StrEnum]) -> Read:
    def read(reading: Reading, value: object, path: str) -> StrEnum | None:
        found = next((item for item in choice if item.value == value), None)
        if found is None:
            reading.refuse(path, f"Use one of: {', '.join(choice)}.")
        return found

    return read


def _switch(reading: Reading, value: object, path: str) -> bool:
    return reading.switch(value, path)


_TRACK: Mapping[str, Read] = {
    "decide_within": _span,
    "missing_information": _one_of(MissingInformation),
    "ask_within": _span,
    "reply_within": _span,
    "then_within": _span,
    "extend_by": _span,
}
_RULES: Mapping[str, Read] = {
    "starts": _one_of(Start),
    "latest_start": _span,
    "notify_within": _span,
    "if_missed": _one_of(IfMissed),
    "forward_within": _span,
    "denied_by": _one_of(Denier),
    "peer_to_peer_required": _switch,
    "speed_cannot_be_refused": _switch,
    "reopen_within": _span,
    "emergency_supply": _span,
}
_APPEAL: Mapping[str, Read] = {
    "file_within": _span,
    "file_from": _one_of(FileFrom),
    "presumed_receipt": _span,
    "if_missed": _one_of(IfMissed),
    "next_level": _one_of(NextLevel),
}
_NEEDED_RULES = ("starts", "if_missed", "denied_by", "peer_to_peer_required", "speed_cannot_be_refused")
_NEEDED_TRACK = ("decide_within", "missing_information")
_NEEDED_APPEAL = ("file_within", "file_from", "if_missed")


@dataclass
class _Figures:
    """Reads figures, each a table of its value, its source and whether it is confirmed, and collects the marks."""

    reading: Reading
    sources: Mapping[str, Source]
    marks: dict[str, Mark] = field(default_factory=dict)

    def read(self, value: object, path: str, readers: Mapping[str, Read], needed: tuple[str, ...]) -> dict[str, Any]:
        table = self.reading.table(value, path, needed=needed, may=readers)
        figures = dict.fromkeys(readers)
        for name in [name for name in readers if name in table]:
            figures[name] = self._figure(table[name], join(path, name), readers[name])
        return figures

    def _figure(self, value: object, path: str, read: Read) -> Any:
        stated = self.reading.table(value, path, needed=("value", *MARK))
        self.marks[path] = read_mark(self.reading, stated, path, self.sources)
        return read(self.reading, stated["value"], join(path, "value")) if "value" in stated else None


def read_regime(document: Mapping[str, Any], calendars: Mapping[str, Calendar]) -> Regime:
    """Return the regime's version that a document holds. Its examples are read, not run.

    :raises InvalidInput: naming by dotted path everything that is unknown, missing or makes no sense.
    """
    reading = Reading()
    table = reading.table(document, "", needed=_NEEDED, may=("in_force_until", "appeal", "notes"))
    figures = _Figures(reading, _sources(reading, table.get("sources", {})))
    first, last = read_validity(reading, table)
    rules = figures.read(table.get("rules", {}), "rules", _RULES, _NEEDED_RULES)
    tracks = {
        name: figures.read(table.get(name, {}), name, _TRACK, _NEEDED_TRACK) for name in ("standard", "expedited")
    }
    appeal = _appeal(figures, table["appeal"]) if "appeal" in table else None
    rest: dict[str, Any] = {
        "covers_drugs": reading.switch(table.get("covers_drugs", False), "covers_drugs"),
        "calendar": _calendar(reading, table.get("calendar", ""), calendars),
        "examples": _examples(reading, table.get("examples", [])),
        "notes": read_notes(reading, table.get("notes", [])),
        **read_name(reading, table),
    }
    reading.finish()
    return Regime(
        in_force_from=first,
        in_force_until=last,
        sources=figures.sources,
        marks=figures.marks,
        standard=Track(**tracks["standard"]),
        expedited=Track(**tracks["expedited"]),
        appeal=_appeal_rules(appeal) if appeal else None,
        **rules,
        **rest,
    )


def _sources(reading: Reading, value: object) -> dict[str, Source]:
    sources = {}
    for key, item in reading.named(value, "sources"):
        path = join("sources", key)
        row = reading.table(item, path, needed=Source._fields)
        sources[key] = Source(*(reading.text(row.get(name, "missing"), join(path, name)) for name in Source._fields))
    return sources


def _appeal(figures: _Figures, value: object) -> dict[str, Any]:
    tracks = ("standard", "expedited")
    table = figures.reading.table(value, "appeal", needed=tracks, may=_APPEAL)
    own = {name: item for name, item in table.items() if name not in tracks}
    read = figures.read(own, "appeal", _APPEAL, _NEEDED_APPEAL)
    for name in tracks:
        read[name] = figures.read(table.get(name, {}), f"appeal.{name}", _TRACK, _NEEDED_TRACK)
    return read


def _appeal_rules(read: dict[str, Any]) -> AppealRules:
    tracks: dict[str, Any] = {name: Track(**read.pop(name)) for name in ("standard", "expedited")}
    return AppealRules(**tracks, **read)


def _calendar(reading: Reading, value: object, calendars: Mapping[str, Calendar]) -> Calendar | None:
    key = reading.text(value, "calendar")
    if key not in calendars:
        reading.refuse("calendar", f"Use one of: {', '.join(sorted(calendars))}.")
    return calendars.get(key)


def _examples(reading: Reading, value: object) -> tuple[Example, ...]:
    rows = reading.rows(value, "examples")
    if not rows:
        reading.refuse("examples", "At least one is needed.")
    return tuple(_example(reading, row, path) for path, row in rows)


def _example(reading: Reading, value: object, path: str) -> Example:
    row = reading.table(value, path, needed=("name", "zone", "history", "due"))
    zone = reading.text(row.get("zone", "UTC"), join(path, "zone"))
    if not _is_zone(zone):
        reading.refuse(join(path, "zone"), "There is no such time zone.")
    history = [
        _event(reading, item, place) for place, item in reading.rows(row.get("history", []), join(path, "history"))
    ]
    due = [_due(reading, name, at, join(path, f"due.{name}")) for name, at in reading.named(row.get("due", {}), path)]
    return Example(
        name=reading.text(row.get("name", "missing"), join(path, "name")),
        zone=zone,
        history=tuple(event for event in history if event is not None),
        due=dict(pair for pair in due if pair is not None),
    )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def _event(reading: Reading, value: object, path: str) -> Happened | None:
    columns = reading.columns(value, path, _EVENT, lengths={2, 3})
    if not columns:
        return None
    what = _one_of(What)(reading, columns[0], f"{path}[0]")
    at = _instant(reading, columns[1], f"{path}[1]")
    days, with_notice = None, False
    if len(columns) == 3:
        with_notice = columns[2] == "with notice"
        days = None if with_notice else reading.whole(columns[2], f"{path}[2]")
    return Happened(what, at, days, with_notice) if what and at else None


def _due(reading: Reading, name: str, value: object, path: str) -> tuple[Kind, datetime | None] | None:
    kind = _one_of(Kind)(reading, name, path)
    at = None if value == NOT_RUNNING else _instant(reading, value, path)
    return (kind, at) if kind else None


def _instant(reading: Reading, value: object, path: str) -> datetime | None:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    reading.refuse(path, "An instant with its offset from UTC is needed, such as 2025-03-06T10:00:00-05:00.")
    return None
