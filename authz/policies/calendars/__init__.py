"""The calendars of business days that ship with the product: one TOML file for each version of each, read once."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

from authz.policies.calendar import Calendar, read_calendar
from authz.policies.folder import read_each


@cache
def calendars() -> Mapping[str, Calendar]:
    """Return every version of every calendar by its name, such as us_federal-1."""
    return {calendar.key: calendar for calendar in read_each(resources.files(__name__), read_calendar)}
