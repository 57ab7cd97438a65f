"""The only place that reads the clock. Doors, tasks and commands read it once and pass `now` on."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """Return this instant, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the one reader the rule protects


def day_in(zone: str, *, at: datetime) -> date:
    """Return the calendar day that `at` falls on in the IANA time zone `zone`."""
    return at.astimezone(ZoneInfo(zone)).date()


def end_of_day(zone: str, *, on: date) -> datetime:
    """Return the instant at which the calendar day ends in the IANA time zone `zone`, in UTC."""
    return datetime.combine(on + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)
