"""PURE: the letter that tells a determination: what was decided, why, by whom, and what can be done about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from authz.access.contact import Contact
from authz.documentation.paper_text import Block, Facts, Grid, Heading, PaperText, Prose
from authz.prior_auths.determination import ADVERSE, HUMAN_ONLY, Outcome, Reason

_OF_A_LINE: Final = {
    Outcome.APPROVED: "Approved",
    Outcome.PARTIALLY_APPROVED: "Approved in part",
    Outcome.DENIED: "Not approved",
}
_OPENINGS: Final = {
    Outcome.APPROVED: "We have approved this request as it was asked.",
    Outcome.PARTIALLY_APPROVED: "We have approved a part of this request; it stands below beside what was asked.",
    Outcome.DENIED: "We have denied this request.",
    Outcome.DEEMED_APPROVED: "We did not decide this request in time. By law it counts as approved as it was asked.",
    Outcome.DEEMED_ADVERSE: (
        "Nobody decided this request in time, so the law treats it as denied. Nobody has found that what was asked for "
        "is not needed."
    ),
}
_INDEPENDENT: Final = {
    Outcome.APPROVED: "The independent reviewer has decided this request: it is approved as it was asked.",
    Outcome.PARTIALLY_APPROVED: (
        "The independent reviewer has decided this request: a part of it is approved; it stands below beside what was "
        "asked."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterLine:
    """One product; amounts as texts. Without a grant, `granted` says so. `why` is its own reason, if it has one."""

    product: str
    outcome: Outcome
    asked: str
    granted: str
    period: str
    authorization: str
    why: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """All that a letter says. `member` is whom it is for, as far as the insurer knows them.

    `decider` and `licence` are those of whoever decided, empty when no human did. `was_due` is by when the
    decision was due, in words, for one that followed from the time that ran out. `replaces` is the day of the decision
    whose place it takes, `upholds` that of the one which this one, on appeal, lets stand. `next_steps` are sentences on
    what happens next and what can be done, `contact` is how the insurer is reached for that. `is_independent`: the
    independent reviewer decided it, under a licence that nobody told. `redisclosure_notice` is that of 42 CFR Part 2,
    or empty.

    :raises ValueError: for a human's adverse outcome without a reason, a criterion, or the licence holder's name, and
        for any adverse one that does not say what can be done.
    """

    number: str
    outcome: Outcome
    decided_on: date
    insurer: str
    clinic: str
    prescriber: str
    member: str
    lines: Sequence[LetterLine]
    reason: str
    criterion: str
    policy: str
    decider: str
    licence: str
    would_change: str = ""
    was_due: str = ""
    replaces: date | None = None
    upholds: date | None = None
    redisclosure_notice: str = ""
    contact: Contact | None = None
    is_independent: bool = False
    next_steps: Sequence[str]

    def __post_init__(self) -> None:
        said = [self.reason, self.criterion, self.decider, *([] if self.is_independent else [self.licence])]
        if self.outcome in HUMAN_ONLY and not all(one.strip() for one in said):
            raise ValueError("A letter of an adverse determination names reason, criterion and the licence holder.")
        if self.is_adverse and not self.next_steps:
            raise ValueError("A letter of an adverse determination says what can be done about it.")

    @property
    def is_adverse(self) -> bool:
        """Whether less was granted than asked."""
        return self.outcome in ADVERSE


def letter_text(letter: Letter) -> PaperText:
    """Return what the letter says on paper."""
    return PaperText(
        title=f"Decision on {'the appeal on ' if letter.upholds else ''}prior authorization request {letter.number}",
        blocks=list(_blocks(letter)),
        footer=f"{letter.insurer} · {letter.number}",
    )


def _blocks(letter: Letter) -> Iterator[Block]:
    yield Facts(
        [
            ("From", letter.insurer),
            ("To", ", ".join(part for part in (letter.prescriber, letter.clinic) if part)),
            ("Member", letter.member),
            ("Date", letter.decided_on.isoformat()),
        ]
    )
    if letter.redisclosure_notice:
        yield Prose(letter.redisclosure_notice)
    yield Prose(_opening(letter))
    if letter.replaces:
        whose = "the" if letter.is_independent else "our"
        yield Prose(f"This takes the place of {whose} decision of {letter.replaces.isoformat()}.")
    yield Heading("What was asked and what is granted")
    rows = [
        (line.product, _OF_A_LINE[line.outcome], line.asked, line.granted, line.period, line.authorization)
        for line in letter.lines
    ]
    head = ("Product", "Decision", "Asked", "Granted", "From and to", "Authorization")
    yield Grid(head, rows, (0.24, 0.13, 0.15, 0.15, 0.16, 0.17))
    yield Heading("Why")
    yield Facts([(name, said) for name, said in _grounds(letter) if said])
    for line in letter.lines:
        if line.why:
            yield Heading(f"Why, for {line.product}")
            yield Facts([(name, said) for name, said in _reason(line.why) if said])
    if letter.decider:
        yield Heading("Who decided")
        yield Prose(", ".join(part for part in (letter.decider, letter.licence) if part))
    if letter.is_adverse:
        is_deemed = letter.outcome is Outcome.DEEMED_ADVERSE
        yield Heading("What happens next" if is_deemed else "If you do not agree")
        yield Prose('Below, "you" means the member.')
        yield from (Prose(sentence) for sentence in letter.next_steps)
        if letter.contact:
            yield Heading(f"How to reach {letter.insurer}")
            yield Facts([(name, said) for name, said in _ways(letter.contact) if said])


def _opening(letter: Letter) -> str:
    if letter.upholds:
        return f"We have looked at this again on appeal. The decision of {letter.upholds.isoformat()} stands."
    return (_INDEPENDENT if letter.is_independent else _OPENINGS)[letter.outcome]


def _ways(contact: Contact) -> Iterator[tuple[str, str]]:
    yield "Postal address", contact.postal_address
    yield "Phone", contact.phone
    yield "Calls are answered", contact.hours
    yield "Fax", contact.fax


def _grounds(letter: Letter) -> Iterator[tuple[str, str]]:
    yield "Reason", letter.reason
    yield "It was due", letter.was_due
    yield "Criterion", letter.criterion
    yield "Policy", letter.policy
    yield "What would change it", letter.would_change


def _reason(reason: Reason) -> Iterator[tuple[str, str]]:
    yield "Reason", reason.text
    yield "Criterion", reason.criterion
    yield "What would change it", reason.would_change
