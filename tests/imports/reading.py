"""Read one FHIR resource as a line of Riverside's."""

from typing import Any

import pytest

from authz.formulary.selectors import NdcRefused, Products
from authz.imports.fhir import read
from authz.imports.lines import Entry
from authz.imports.products import Recogniser
from authz.imports.refusals import Refusal
from authz.imports.told import RecordTold
from authz.prescriptions.facts import FillFacts, PrescriptionFacts
from authz.rules.formulary import packaged
from tests.imports.builders import LISINOPRIL, OXYCODONE, SYSTEM, dispensing, order

OXYCODONE_NDC, LISINOPRIL_NDC, TWO_PRODUCTS_NDC = "00406-0552-01", "68180-0980-01", "00000-0000-02"
_MEANT = {OXYCODONE_NDC: OXYCODONE[0], LISINOPRIL_NDC: LISINOPRIL[0]}


def _rxcui_of(ndc: str) -> str:
    if ndc not in _MEANT:
        raise NdcRefused("ambiguous-ndc" if ndc == TWO_PRODUCTS_NDC else "unknown-ndc", "Not one product.")
    return _MEANT[ndc]


RECOGNISER = Recogniser(Products(formulary=packaged(), rxcui_of_ndc=_rxcui_of))


def told(resource: dict[str, Any], *, at: str = "", system: str = SYSTEM) -> Any:
    return read(Entry(1, resource, at), identifier_system=system, recogniser=RECOGNISER)


def refused(resource: dict[str, Any], *, at: str = "", system: str = SYSTEM) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        told(resource, at=at, system=system)
    return caught.value.code, caught.value.path


def fill(**other: Any) -> FillFacts:
    found = told(dispensing(**other))
    assert isinstance(found, RecordTold)
    assert isinstance(found.facts, FillFacts)
    return found.facts


def written(**other: Any) -> PrescriptionFacts:
    found = told(order(**other))
    assert isinstance(found, RecordTold)
    assert isinstance(found.facts, PrescriptionFacts)
    return found.facts
