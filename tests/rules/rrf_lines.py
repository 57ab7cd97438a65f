"""Lines of RxNorm's files in their own form, invented."""

from collections.abc import Iterable


def concept(rxcui: str, kind: str, name: str, *, source: str = "RXNORM", suppress: str = "N") -> str:
    """A line of RXNCONSO."""
    return f"{rxcui}|ENG||||||{rxcui}1|{rxcui}|{rxcui}||{source}|{kind}|{rxcui}|{name}||{suppress}|4096|"


def attribute(rxcui: str, name: str, value: str, *, source: str = "RXNORM", suppress: str = "N") -> str:
    """A line of RXNSAT."""
    return f"{rxcui}|||{rxcui}1|AUI|{rxcui}|||{name}|{source}|{value}|{suppress}|4096|"


def content(lines: Iterable[str]) -> bytes:
    """The lines as RxNorm ends them."""
    return "".join(f"{line}\n" for line in lines).encode()
