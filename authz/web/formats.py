"""PURE: how the pages write days, instants, spans and numbers."""

from datetime import date, datetime, timedelta


def day(on: date) -> str:
    """Return a day, such as "Mar 3, 2025"."""
    return f"{on:%b} {on.day}, {on.year}"


def near_day(on: date, *, today: date) -> str:
    """Return a day, with its year only where that is another one: "Mar 3"."""
    return f"{on:%b} {on.day}" if on.year == today.year else day(on)


def near_moment(at: datetime, *, today: date) -> str:
    """Return an instant in its own time zone, with its year only where that is another one: "Mar 3, 3:05 PM EST"."""
    return f"{near_day(at.date(), today=today)}, {at.hour % 12 or 12}:{at:%M %p %Z}"


def moment(at: datetime) -> str:
    """Return an instant in its own time zone, such as "Mar 3, 2025, 3:05 PM EST"."""
    return f"{day(at.date())}, {at.hour % 12 or 12}:{at:%M %p %Z}"


def clock_time(at: datetime, *, today: date) -> str:
    """Return the time of day of an instant in its own time zone, with its day where that is not today: "3:05 PM"."""
    time = f"{at.hour % 12 or 12}:{at:%M %p}"
    return time if at.date() == today else f"{near_day(at.date(), today=today)}, {time}"


def distance(at: datetime, *, now: datetime) -> str:
    """Return how far off an instant is: "in 2 days 4 hours", "3 hours ago". Minutes count on the last day only."""
    apart = at - now
    span = _span(abs(apart))
    return f"in {span}" if apart >= timedelta(0) else f"{span} ago"


def time_left(at: datetime, *, now: datetime) -> str:
    """Return how far off a deadline is: "in 2 days 4 hours", "overdue by 3 hours"."""
    return distance(at, now=now) if at >= now else f"overdue by {_span(now - at)}"


def _span(length: timedelta) -> str:
    minutes = length // timedelta(minutes=1)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{counted(days, 'day')} {counted(hours, 'hour')}" if hours else counted(days, "day")
    return f"{counted(hours, 'hour')} {counted(rest, 'minute')}" if hours else counted(rest, "minute")


def days_off(on: date, *, today: date) -> str:
    """Return how far off a day is: "today", "in 3 days", "2 days ago"."""
    apart = (on - today).days
    if apart == 0:
        return "today"
    return f"in {counted(apart, 'day')}" if apart > 0 else f"{counted(-apart, 'day')} ago"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where needed."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def trimmed(two_decimals: str) -> str:
    """Return an amount of two decimals without needless ones: "30", "22.50"."""
    return two_decimals.removesuffix(".00")
