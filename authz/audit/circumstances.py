"""Under which circumstances something is done or read: from where, what for, and whose records were looked at.

A door, a worker or a command says it once; whatever is written to the trail meanwhile has it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID

from authz.errors import InvalidInput


class Origin(StrEnum):
    """By which way something came in. OTHER: a page of nobody's yet, such as the log-in."""

    API = "api"
    PAGE = "page"
    COMMAND = "command"
    WORKER = "worker"
    OTHER = "other"


PURPOSES: Final = frozenset(
    {
        "TREAT", "ETREAT", "BTG", "CAREMGT", "COC",
        "HPAYMT", "CLMATTCH", "COVAUTH", "COVERAGE", "ELIGDTRM", "ELIGVER", "REMITADV",
        "HOPERAT", "FRAUD", "HCOMPL", "HLEGAL", "HQUALIMP", "HSYSADMIN", "HTEST", "PATADMIN", "PATSFTY", "RECORDMGT",
        "TRAIN",
        "DISASTER", "THREAT", "PUBHLTH", "HRESCH", "PATRQT", "FAMRQT", "PWATRNY",
    }
)  # fmt: skip
"""Codes of HL7 v3 PurposeOfUse that fit what is done here."""

PURPOSE_HEADER: Final = "X-Purpose-Of-Use"


@dataclass(slots=True, kw_only=True)
class Circumstances:
    """`source` is the caller's address, "" when unknown.

    `patients` grows with every patient that is loaded, by the row's key: their public id, None while it is not known.
    `is_part2` says whether something under 42 CFR Part 2 was.
    """

    origin: Origin = Origin.OTHER
    address: str = ""
    source: str = ""
    purpose: str = ""
    emergency: UUID | None = None
    patients: dict[int, UUID | None] = field(default_factory=dict)
    entries: int = 0
    is_part2: bool = False


_now: ContextVar[Circumstances | None] = ContextVar("circumstances", default=None)


@contextmanager
def under(circumstances: Circumstances) -> Iterator[Circumstances]:
    """Have what is done within be done under these circumstances."""
    token = _now.set(circumstances)
    try:
        yield circumstances
    finally:
        _now.reset(token)


def present() -> Circumstances:
    """Return the circumstances that were said last; empty ones when nothing was."""
    return _now.get() or Circumstances()


def saw(key: int, public_id: UUID | None = None) -> None:
    """Note that a patient, or what tells of one, was loaded or is answered: they are named when the answer is given."""
    said = _now.get()
    if said is not None and said.origin in {Origin.API, Origin.PAGE}:
        said.patients[key] = public_id or said.patients.get(key)


def saw_part2() -> None:
    """Note that what is under 42 CFR Part 2 was loaded: the notice goes with the answer."""
    said = _now.get()
    if said is not None:
        said.is_part2 = True


def opened_by_emergency(access_id: UUID) -> None:
    """Note that what is read is open for an emergency, whose reason is kept there."""
    said = _now.get()
    if said is not None:
        said.emergency = access_id


def purpose_given(header: str) -> str:
    """Return a purpose of use as it was given; "" when none was.

    :raises InvalidInput: when it is no code of the list.
    """
    if header and header not in PURPOSES:
        raise InvalidInput({PURPOSE_HEADER: ["Not a code of HL7 v3 PurposeOfUse that is known here, such as TREAT."]})
    return header
