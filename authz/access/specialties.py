"""PURE: the specialties that a payer's policy can name: those of physicians who decide requests for opioids.

The codes are those of the Health Care Provider Taxonomy of the National Uniform Claim Committee (NUCC), read in version
20.2, as HL7's value set of specialties (Da Vinci PDEX Plan-Net 1.1.0) expands it; NUCC's own newest edition was not
read. One specialty has several codes where it is entered under several classifications: pain medicine is one whether an
anesthesiologist or a neurologist was certified in it.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final


class Specialty(StrEnum):
    """Kept as these strings, in licences and in policies."""

    ADDICTION_MEDICINE = "addiction_medicine"
    ADDICTION_PSYCHIATRY = "addiction_psychiatry"
    ANESTHESIOLOGY = "anesthesiology"
    EMERGENCY_MEDICINE = "emergency_medicine"
    FAMILY_MEDICINE = "family_medicine"
    HEMATOLOGY_AND_ONCOLOGY = "hematology_and_oncology"
    HOSPICE_AND_PALLIATIVE_MEDICINE = "hospice_and_palliative_medicine"
    INTERNAL_MEDICINE = "internal_medicine"
    MEDICAL_ONCOLOGY = "medical_oncology"
    NEUROLOGICAL_SURGERY = "neurological_surgery"
    NEUROLOGY = "neurology"
    ORTHOPAEDIC_SURGERY = "orthopaedic_surgery"
    PAIN_MEDICINE = "pain_medicine"
    PHYSICAL_MEDICINE_AND_REHABILITATION = "physical_medicine_and_rehabilitation"
    PSYCHIATRY = "psychiatry"
    RHEUMATOLOGY = "rheumatology"
    SURGERY = "surgery"

    @property
    def words(self) -> str:
        """The specialty as a sentence names it."""
        return self.value.replace("_", " ")


TAXONOMY: Final[Mapping[Specialty, frozenset[str]]] = {
    Specialty.ADDICTION_MEDICINE: frozenset({"207LA0401X", "207QA0401X", "207RA0401X", "2083A0300X", "2084A0401X"}),
    Specialty.ADDICTION_PSYCHIATRY: frozenset({"2084P0802X"}),
    Specialty.ANESTHESIOLOGY: frozenset({"207L00000X"}),
    Specialty.EMERGENCY_MEDICINE: frozenset({"207P00000X"}),
    Specialty.FAMILY_MEDICINE: frozenset({"207Q00000X"}),
    Specialty.HEMATOLOGY_AND_ONCOLOGY: frozenset({"207RH0003X"}),
    Specialty.HOSPICE_AND_PALLIATIVE_MEDICINE: frozenset(
        {
            "207LH0002X", "207PH0002X", "207QH0002X", "207RH0002X", "207VH0002X", "2080H0002X", "2081H0002X",
            "2084H0002X", "2085H0002X", "2086H0002X",
        }
    ),
    Specialty.INTERNAL_MEDICINE: frozenset({"207R00000X"}),
    Specialty.MEDICAL_ONCOLOGY: frozenset({"207RX0202X"}),
    Specialty.NEUROLOGICAL_SURGERY: frozenset({"207T00000X"}),
    Specialty.NEUROLOGY: frozenset({"2084N0400X"}),
    Specialty.ORTHOPAEDIC_SURGERY: frozenset({"207X00000X"}),
    # With interventional pain medicine, which is of the same classification.
    Specialty.PAIN_MEDICINE: frozenset({"207LP2900X", "2081P2900X", "2084P2900X", "208VP0000X", "208VP0014X"}),
    Specialty.PHYSICAL_MEDICINE_AND_REHABILITATION: frozenset({"208100000X"}),
    Specialty.PSYCHIATRY: frozenset({"2084P0800X"}),
    Specialty.RHEUMATOLOGY: frozenset({"207RR0500X"}),
    Specialty.SURGERY: frozenset({"208600000X"}),
}  # fmt: skip

_BY_CODE: Final = {code: specialty for specialty, codes in TAXONOMY.items() for code in codes}


def specialty_of(said: str) -> Specialty | None:
    """Return the specialty that a text names exactly, by its name or a code of the taxonomy; None when it names none.

    Nothing is guessed: "Pain" alone is no specialty.
    """
    if by_code := _BY_CODE.get(said.strip().upper()):
        return by_code
    name = "_".join(said.lower().replace("&", " and ").replace("_", " ").split())
    return next((specialty for specialty in Specialty if specialty.value == name), None)


def in_words(specialties: Iterable[str]) -> str:
    """Return specialties, as they are kept, as a sentence lists them."""
    return ", ".join(Specialty(kept).words for kept in specialties)
