"""Read one FHIR resource as a line of Riverside's."""

from typing import Any

import pytest

from authz.imports.fhir import read
from authz.imports.lines import Entry
from authz.imports.refusals import Refusal
from authz.imports.told import RecordTold
from authz.prescriptions.facts import FillFacts, PrescriptionFacts
from tests.imports.builders import SYSTEM, dispensing, order


def told(resource: dict[str, Any], *, at: str = "", system: str = SYSTEM) -> Any:
    return read(Entry(1, resource, at), identifier_system=system)


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
