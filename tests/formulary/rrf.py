"""A small release in RxNorm's own form, invented but for the codes of real products."""

from collections.abc import Iterable
from io import BytesIO

from authz.formulary.services import Imported, RrfFile, activate, import_release
from authz.management.commands.formulary import OPERATOR
from tests.cast import NOW
from tests.rules.rrf_lines import attribute, concept, content

OXYCODONE_7, ROXINEW_7 = "9900001", "9900002"
TITRATION_PACK, GUM = "9900003", "9900004"
ALPRAZOLAM_3 = "9900005"
LISINOPRIL = "314076"
OXYCODONE_NDC, ROXINEW_NDC, LISINOPRIL_NDC = "00406055201", "59011044110", "68180098001"
TWO_NDC = "00000000002"


NAMES = [
    concept("7804", "IN", "oxycodone"),
    concept("596", "IN", "alprazolam"),
    concept(OXYCODONE_7, "SCD", "oxycodone hydrochloride 7 MG Oral Tablet"),
    concept(ROXINEW_7, "SBD", "oxycodone hydrochloride 7 MG Oral Tablet [Roxinew]"),
    concept(
        TITRATION_PACK,
        "GPCK",
        "{14 (tramadol hydrochloride 50 MG Oral Tablet) / 14 (tramadol hydrochloride 100 MG Oral Tablet) } Pack",
    ),
    concept(GUM, "SCD", "codeine phosphate 5 MG Chewing Gum"),
    concept(ALPRAZOLAM_3, "SCD", "alprazolam 3 MG Oral Tablet"),
    concept(LISINOPRIL, "SCD", "lisinopril 10 MG Oral Tablet"),
]
ATTRIBUTES = [
    attribute(OXYCODONE_7, "NDC", OXYCODONE_NDC),
    attribute(OXYCODONE_7, "NDC", OXYCODONE_NDC),
    attribute(ROXINEW_7, "NDC", ROXINEW_NDC),
    attribute(LISINOPRIL, "NDC", LISINOPRIL_NDC),
    attribute(OXYCODONE_7, "NDC", TWO_NDC),
    attribute(ROXINEW_7, "NDC", TWO_NDC),
    attribute(ROXINEW_7, "NDC", "00000000003", source="MTHSPL"),
    attribute(ROXINEW_7, "NDC", "00000000004", suppress="O"),
]


def file(name: str, lines: Iterable[str] | bytes) -> RrfFile:
    """Lines, or the very bytes, as a file."""
    return RrfFile(name=name, stream=BytesIO(lines if isinstance(lines, bytes) else content(lines)))


def take(
    names: Iterable[str] | bytes = NAMES, attributes: Iterable[str] | bytes = ATTRIBUTES, *, version: str = "2026-11-03"
) -> Imported:
    """Take in a release."""
    return import_release(
        names=file("RXNCONSO.RRF", names),
        attributes=file("RXNSAT.RRF", attributes),
        version=version,
        by=OPERATOR,
        now=NOW,
    )


def in_use(version: str = "2026-11-03") -> None:
    """Take the small release in and into use."""
    take(version=version)
    activate(version=version, by=OPERATOR, now=NOW)
