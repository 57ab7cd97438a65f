"""The regimes that ship with the product: one TOML file for each version of each, read once."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from authz.errors import NotFound
from authz.policies.calendars import calendars
from authz.policies.folder import read_versions
from authz.policies.regime import Regime
from authz.policies.regime_schema import read_regime

GENERIC = "generic"
"""The regime that holds where no law's is named or in force. It is in force on every day."""


class UnknownRegime(NotFound):
    """No regime of that code ships with the product, or no such version of it."""

    code = "unknown-regime"


@cache
def regimes() -> Mapping[str, tuple[Regime, ...]]:
    """Return the regimes by code, each with its versions, oldest first."""
    return read_versions(resources.files(__name__), _read)


def every_version() -> Iterator[Regime]:
    """Yield every version of every regime, by code and oldest first."""
    for found in regimes().values():
        yield from found


def versions(code: str) -> tuple[Regime, ...]:
    """Return every version of a regime, oldest first.

    :raises UnknownRegime: when there is none.
    """
    found = regimes().get(code)
    if found is None:
        raise UnknownRegime(f"There is no regime {code!r}; there are {', '.join(regimes())}.")
    return found


def version(code: str, number: str) -> Regime:
    """Return one version of a regime, in force or not: the one a request was submitted under.

    :raises UnknownRegime: when there is none.
    """
    for regime in versions(code):
        if regime.version == number:
            return regime
    raise UnknownRegime(f"There is no version {number!r} of the regime {code!r}.")


def in_force(code: str, on: date) -> Regime:
    """Return the version in force on a day; where none is, the generic regime's: no law's clock is known of that day.

    :raises UnknownRegime: when there is no regime of that code.
    """
    return next(regime for regime in (*versions(code), *versions(GENERIC)) if regime.is_in_force(on))


def _read(document: Mapping[str, Any]) -> Regime:
    return read_regime(document, calendars())
