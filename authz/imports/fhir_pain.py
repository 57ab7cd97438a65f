"""PURE: FHIR R4 Observations of pain, told by their LOINC codes. Any other Observation is refused."""

from collections.abc import Iterable

from authz.errors import InvalidInput
from authz.imports.elements import Element
from authz.imports.fhir_shared import record_identifier, subject, updated_at
from authz.imports.refusals import Refusal
from authz.imports.told import EndTold, Kind, PainTold
from authz.pain.facts import PainScoreFacts
from authz.rules.pain_signal import Instrument
from authz.rules.records import RecordStatus

LOINC = "http://loinc.org"
# The panel and its mean score, which both come with the three answers as components; and single ratings.
INSTRUMENTS = {
    "91148-7": Instrument.PEG,
    "91147-9": Instrument.PEG,
    "75893-8": Instrument.PAIN_PAST_WEEK,
    "72514-3": Instrument.PAIN_NOW,
}
_PEG_ANSWERS = {"pain": "75893-8", "enjoyment": "91145-3", "activity": "91146-1"}

# http://hl7.org/fhir/R4/valueset-observation-status.html
OBSERVATION_STATUS = {
    "final": RecordStatus.ACTIVE,
    "amended": RecordStatus.ACTIVE,
    "corrected": RecordStatus.ACTIVE,
    "entered-in-error": RecordStatus.ENTERED_IN_ERROR,
}
_UNITS = {"", "1", "{score}", "score"}


def observation(resource: Element, full_url: str, system: str) -> PainTold | EndTold:
    """Return what an Observation tells of pain.

    :raises Refusal: naming the element.
    """
    if resource.has("code"):
        _instrument(resource)  # whatever its status, a laboratory result is none of ours
    identifier = record_identifier(resource, full_url)
    status = OBSERVATION_STATUS.get(resource.text("status"))
    if status is None:
        sentence = "Whether the score stands cannot be told from this status."
        raise Refusal("status-unknown", resource.path_of("status"), sentence)
    try:
        return _told(resource, identifier, status, full_url, system)
    except Refusal:
        # Taking back needs no more than the number of what is taken back.
        if status is RecordStatus.ACTIVE:
            raise
    return EndTold(
        kind=Kind.PAIN_SCORE,
        identifier=identifier,
        status=status,
        source_updated_at=updated_at(resource),
        path=resource.path,
    )


def _told(resource: Element, identifier: str, status: RecordStatus, full_url: str, system: str) -> PainTold:
    instrument = _instrument(resource)
    day = resource.day("effectiveDateTime") or resource.day("effectiveInstant")
    if day is None:
        raise Refusal("day-unknown", resource.path_of("effectiveDateTime"), "The day it was asked is needed.")
    answers = _peg(resource) if instrument is Instrument.PEG else {"pain": _answer(resource)}
    patient = subject(resource, "subject", full_url, system)
    try:
        facts = PainScoreFacts(
            identifier=identifier,
            scored_on=day,
            instrument=instrument,
            status=status,
            source_updated_at=updated_at(resource),
            **answers,
        )
    except InvalidInput as error:
        name, sentences = next(iter(error.fields.items()))
        raise Refusal("invalid-input", f"{resource.path}.{name}", sentences[0]) from error
    return PainTold(patient=patient, facts=facts, path=resource.path)


def _instrument(resource: Element) -> Instrument:
    codes = _codes(resource)
    found = {instrument for code, instrument in INSTRUMENTS.items() if code in codes}
    if len(found) != 1:
        sentence = f"Of Observations only pain scores are taken in, by one LOINC code of {', '.join(INSTRUMENTS)}."
        raise Refusal("not-a-pain-score", resource.path_of("code"), sentence)
    return found.pop()


def _peg(resource: Element) -> dict[str, int]:
    components = list(resource.children("component"))
    return {name: _component(resource, components, code) for name, code in _PEG_ANSWERS.items()}


def _component(resource: Element, components: Iterable[Element], code: str) -> int:
    asked = [component for component in components if code in _codes(component)]
    if len(asked) != 1:
        sentence = f"A PEG is taken in with its three answers; there must be one component of LOINC code {code}."
        raise Refusal("peg-without-answers", resource.path_of("component"), sentence)
    return _answer(asked[0])


def _codes(element: Element) -> set[str]:
    return {item.text("code") for item in element.child("code").children("coding") if item.text("system") == LOINC}


def _answer(element: Element) -> int:
    quantity = element.child("valueQuantity")
    if quantity.has("comparator"):
        raise Refusal("not-exact", quantity.path_of("comparator"), "An exact answer is needed.")
    if (quantity.text("code") or quantity.text("unit")) not in _UNITS:
        raise Refusal("unit-unknown", quantity.path_of("code"), "A score has no unit, or {score}.")
    given = element.whole_number("valueInteger")
    answer = quantity.whole_number("value") if given is None else given
    if answer is None:
        sentence = "The answer is needed, as valueInteger or valueQuantity."
        raise Refusal("no-answer", element.path_of("valueInteger"), sentence)
    return answer
