"""PURE: what a check of the deployment found, and how bad it is."""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """Well; worth a look; or something does not work."""

    WELL = "well"
    LOOK = "look"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: a sentence, and what to do about it ("" when it is well). No patient data."""

    subject: str
    standing: Standing
    says: str
    advice: str = ""


def well(subject: str, says: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(subject, Standing.WELL, says)


def look(subject: str, says: str, advice: str) -> Finding:
    """Return that something works but should be looked at."""
    return Finding(subject, Standing.LOOK, says, advice)


def broken(subject: str, says: str, advice: str) -> Finding:
    """Return that something does not work."""
    return Finding(subject, Standing.BROKEN, says, advice)
