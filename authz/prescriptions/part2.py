"""PURE: records of programs that treat substance use disorder, under 42 CFR Part 2, and what must go with them.

The sender's flag withholds nothing: with whose consent a record may be disclosed is the sender's to know. Whoever
receives it is told that it may not be passed on like any other.
"""

from collections.abc import Iterable
from typing import Final

NOTICE: Final = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
"""42 CFR 2.32(a)(2), the second of the two statements one of which must accompany a disclosure; 89 FR 12472, 2024."""

NOTICE_HEADER: Final = "Redisclosure-Notice"

_SYSTEMS: Final = frozenset(
    {
        "http://terminology.hl7.org/CodeSystem/v3-ActCode",
        "http://hl7.org/fhir/v3/ActCode",
        # Where the law's own code was until it moved to ActCode.
        "http://terminology.hl7.org/CodeSystem/v3-ActUSPrivacyLaw",
        "http://hl7.org/fhir/v3/ActUSPrivacyLaw",
    }
)
_LABELS: Final = frozenset({"42CFRPart2", "ETH", "ETHUD", "OPIOIDUD", "SUD"})
"""HL7 v3: the law itself, and the sensitivity of what tells of substance use."""


def is_labelled(security: Iterable[tuple[str, str]]) -> bool:
    """Say whether one of a FHIR resource's security labels, each its system and code, puts it under Part 2."""
    return any(system in _SYSTEMS and code in _LABELS for system, code in security)


def notice(*, is_part2: bool) -> str:
    """Return what goes with a record: the notice of Part 2, or nothing."""
    return NOTICE if is_part2 else ""
