"""PURE: the letter that tells a determination: what was decided, why, by whom, and what can be done about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from authz.documentation.rendering import Block, Facts, Grid, Heading, Prose, Rendered, render
from authz.prior_auths.determination import HUMAN_ONLY, Outcome

_OPENING: Final = {
    Outcome.APPROVED: "We have approved this request as it was asked.",
    Outcome.PARTIALLY_APPROVED: "We have approved a part of this request; it stands below beside what was asked.",
    Outcome.DENIED: "We have denied this request.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterLine:
    """One product; amounts as texts. Without a grant, `granted` says so."""

    product: str
    asked: str
    granted: str
    period: str
    authorization: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """All that a letter says. `decider` and `licence` are those of whoever decided, empty when no human did.

    :raises ValueError: for an adverse outcome without a reason, a criterion, or the licence holder's name.
    """

    number: str
    outcome: Outcome
    decided_on: date
    insurer: str
    clinic: str
    prescriber: str
    member_id: str
    lines: Sequence[LetterLine]
    reason: str
    criterion: str
    policy: str
    decider: str
    licence: str
    rights: Sequence[str]

    def __post_init__(self) -> None:
        said = (self.reason, self.criterion, self.decider, self.licence)
        if self.outcome in HUMAN_ONLY and not all(one.strip() for one in said):
            raise ValueError("A letter of an adverse determination names reason, criterion and the licence holder.")

    @property
    def is_adverse(self) -> bool:
        """Whether less was granted than asked."""
        return self.outcome in HUMAN_ONLY


def letter_paper(letter: Letter) -> Rendered:
    """Return the letter as a PDF."""
    return render(
        title=f"Decision on prior authorization request {letter.number}",
        blocks=list(_blocks(letter)),
        footer=f"{letter.insurer} · {letter.number}",
    )


def _blocks(letter: Letter) -> Iterator[Block]:
    yield Facts(
        [
            ("From", letter.insurer),
            ("To", ", ".join(part for part in (letter.prescriber, letter.clinic) if part)),
            ("Member", letter.member_id),
            ("Date", letter.decided_on.isoformat()),
        ]
    )
    yield Prose(_OPENING[letter.outcome])
    yield Heading("What was asked and what is granted")
    rows = [(line.product, line.asked, line.granted, line.period, line.authorization) for line in letter.lines]
    yield Grid(("Product", "Asked", "Granted", "From and to", "Authorization"), rows, (0.34, 0.16, 0.16, 0.18, 0.16))
    yield Heading("Why")
    yield Facts([("Reason", letter.reason), ("Criterion", letter.criterion), ("Policy", letter.policy)])
    if letter.decider:
        yield Heading("Who decided")
        yield Prose(", ".join(part for part in (letter.decider, letter.licence) if part))
    if letter.is_adverse:
        yield Heading("If you do not agree")
        yield from (Prose(sentence) for sentence in letter.rights)
