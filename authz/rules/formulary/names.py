"""What an RxNorm name says: "acetaminophen 325 MG / oxycodone hydrochloride 5 MG Oral Tablet [Percocet]".

RxNorm builds the names of clinical drugs, branded drugs and packs by rule, so they can be read by rule. A name that
does not follow it is refused: nothing is guessed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_BRAND = re.compile(r" \[[^\]]+\](?=$|\))")
_PACK = re.compile(r"\{(?P<contents>.+) \} Pack")
_CONTENT = re.compile(r"\d+ (?:\([\d.]+ [A-Z]+\) )?\((?P<name>[^{}]+)\)")
_NEXT_CONTENT = re.compile(r"\) / \d+ \(")
_QUALIFIER = r"(?:(?:abuse-deterrent|matrix delivery|\d+(?:\.\d+)? (?:hr|ml|actuat|day)) )*"
_COMPONENT = re.compile(
    rf"{_QUALIFIER}(?P<ingredient>[a-z].*?) (?P<amount>\d+(?:\.\d+)?) (?P<unit>[a-z%]\S*)(?: (?P<dose_form>.+))?",
    re.IGNORECASE,
)


class UnreadableName(ValueError):
    """The name does not say what it holds in the way RxNorm's names do; the sentence says where it departs."""


@dataclass(frozen=True, slots=True)
class Component:
    """An ingredient as named, salt included, in lower case, and how much of it is in a unit of the product."""

    ingredient: str
    amount: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class DrugName:
    """What a name says. Of a pack with one kind of content it is what that content's name says."""

    components: tuple[Component, ...]
    dose_form: str
    brand: str


def read_name(name: str) -> DrugName:
    """Return what a normalised RxNorm name says.

    :raises UnreadableName: when it is not built as RxNorm builds names, or is a pack of several products.
    """
    brands = _BRAND.findall(name)
    *first, last = [_component(part) for part in _content(_BRAND.sub("", name)).split(" / ")]
    if any(part["dose_form"] for part in first) or not last["dose_form"]:
        raise UnreadableName("the dose form does not stand at the end of its name")
    components = tuple(
        Component(part["ingredient"].casefold(), Decimal(part["amount"]), part["unit"]) for part in (*first, last)
    )
    return DrugName(components, last["dose_form"], brands[-1].strip(" []") if brands else "")


def without_brand(name: str) -> str:
    """Return the name in lower case without any brand: a brand's clinical drug has the very same."""
    return _BRAND.sub("", name).casefold()


def clinical_drugs(names: Mapping[str, str]) -> dict[str, str]:
    """Return, by code, the code of the same drug without a brand; a brand whose drug is not among them is left out.

    `names` are codes with their names. Of two unbranded drugs of one name the later one stands for their brands.
    """
    unbranded = {name.casefold(): code for code, name in names.items() if without_brand(name) == name.casefold()}
    plain = {code: without_brand(name) for code, name in names.items()}
    return {
        code: code if plain[code] == name.casefold() else unbranded[plain[code]]
        for code, name in names.items()
        if plain[code] in unbranded
    }


def _content(name: str) -> str:
    pack = _PACK.fullmatch(name)
    if pack is None:
        return name
    content = _CONTENT.fullmatch(pack["contents"])
    if content is None or _NEXT_CONTENT.search(pack["contents"]):
        raise UnreadableName("it is a pack of several products, which has no one strength")
    return content["name"]


def _component(text: str) -> re.Match[str]:
    found = _COMPONENT.fullmatch(text)
    if found is None:
        raise UnreadableName("an ingredient does not stand with its strength and unit")
    return found
