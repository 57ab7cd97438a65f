"""What a clinic may tell of pain."""

from typing import Any

import pytest

from authz.errors import InvalidInput
from authz.pain.facts import SurgeryFacts
from authz.rules.pain_signal import Instrument
from authz.rules.records import RecordStatus
from tests.cast import TODAY
from tests.pain.stage import score_facts

PEG = {"instrument": Instrument.PEG, "enjoyment": 6, "activity": 5}


@pytest.mark.parametrize(
    ("facts", "wrong"),
    [
        ({"pain": 11}, {"pain"}),
        ({"pain": -1}, {"pain"}),
        ({"pain": True}, {"pain"}),
        (PEG | {"enjoyment": None}, {"enjoyment"}),
        (PEG | {"activity": 11, "pain": 11}, {"pain", "activity"}),
        ({"enjoyment": 3}, {"enjoyment"}),
        ({"identifier": " "}, {"identifier"}),
        ({"status": RecordStatus.REVERSED}, {"status"}),
    ],
)
def test_every_field_that_makes_no_sense_is_named(facts: dict[str, Any], wrong: set[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        score_facts(**({"pain": 5} | facts))

    assert set(refusal.value.fields) == wrong


def test_a_surgery_needs_a_number_of_its_own() -> None:
    with pytest.raises(InvalidInput) as refusal:
        SurgeryFacts(identifier="", performed_on=TODAY)

    assert set(refusal.value.fields) == {"identifier"}
