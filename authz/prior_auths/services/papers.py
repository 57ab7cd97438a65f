"""The packet of a submission and the letter of a determination: written in the transaction that makes them true."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from authz import clock
from authz.access.models import Licence
from authz.access.roles import Actor
from authz.documentation.models import Paper
from authz.documentation.paper_kinds import PaperKind
from authz.documentation.services import papers
from authz.errors import NotFound
from authz.ids import AppealId, PriorAuthId
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.part2 import notice
from authz.prior_auths import appeals, selectors
from authz.prior_auths.appeal_words import next_steps
from authz.prior_auths.deadline_words import moment
from authz.prior_auths.determination import Basis, Outcome
from authz.prior_auths.heard import regime_of
from authz.prior_auths.letter import Letter, LetterLine, letter_text
from authz.prior_auths.models import AppealDecision, Determination, DeterminationLine, PriorAuth
from authz.prior_auths.packet_paper import packet_text
from authz.prior_auths.product_names import product_name
from authz.prior_auths.selectors import KeptFile
from authz.rules.amounts import plain


def write_packet(*, prior_auth: PriorAuth, now: datetime) -> Paper:
    """Keep the packet of a request on paper. It was frozen just now, in this transaction."""
    text = packet_text(prior_auth.packet or {}, sha256=prior_auth.packet_sha256)
    return papers.keep(kind=PaperKind.PACKET, subject_id=prior_auth.public_id, text=text, now=now)


def write_letter(*, determination: Determination, now: datetime, is_on_appeal: bool = False) -> Paper:
    """Keep the letter of a determination whose lines and authorizations are written, in the same transaction."""
    text = letter_text(_letter(determination, is_on_appeal=is_on_appeal))
    return papers.keep(kind=PaperKind.DETERMINATION_LETTER, subject_id=determination.public_id, text=text, now=now)


def write_appeal_letter(*, decision: AppealDecision, now: datetime) -> Paper:
    """Keep the letter of an appeal that was upheld, in the transaction that decides it.

    What was overturned, wholly or in part, is told by the letter of the determination that supersedes.
    """
    text = letter_text(_letter_upholding(decision))
    return papers.keep(kind=PaperKind.APPEAL_LETTER, subject_id=decision.appeal.public_id, text=text, now=now)


def packet_file(*, prior_auth_id: PriorAuthId, by: Actor, now: datetime) -> KeptFile:
    """Return the packet of a submitted request on paper.

    :raises NotFound: when the organization may know no such request, or it has no such paper.
    """
    found = selectors.prior_auth(by, prior_auth_id)
    file = papers.file_of(kind=PaperKind.PACKET, subject_id=found.public_id, now=now)
    return KeptFile(file=file, name=f"{found.number}-packet")


def letter_file(*, prior_auth_id: PriorAuthId, determination_id: UUID, by: Actor, now: datetime) -> KeptFile:
    """Return the letter of one of a request's determinations.

    :raises NotFound: when the organization may know no such request or determination, or it has no such paper.
    """
    found = selectors.prior_auth(by, prior_auth_id)
    if all(row.public_id != determination_id for row in found.determinations.all()):
        raise NotFound("The request has no such determination.")
    file = papers.file_of(kind=PaperKind.DETERMINATION_LETTER, subject_id=determination_id, now=now)
    return KeptFile(file=file, name=f"{found.number}-letter")


def appeal_letter_file(*, appeal_id: AppealId, by: Actor, now: datetime) -> KeptFile:
    """Return the letter of an appeal that was upheld.

    :raises NotFound: when the organization may know no such appeal, or it has no such paper.
    """
    found = appeals.appeal(by, appeal_id)
    file = papers.file_of(kind=PaperKind.APPEAL_LETTER, subject_id=found.public_id, now=now)
    return KeptFile(file=file, name=f"{found.prior_auth.number}-appeal-letter")


def _letter_upholding(decision: AppealDecision) -> Letter:
    """Return the letter of the determination that stands, with what was said of it on appeal, and by whom.

    What is said on appeal is said of all lines; reasons that some had of their own are the earlier decider's.
    """
    stands = _letter(decision.appeal.determination, is_on_appeal=True)
    return replace(
        stands,
        upholds=stands.decided_on,
        lines=[replace(line, why=None) for line in stands.lines],
        decided_on=clock.day_in(decision.appeal.prior_auth.time_zone, at=decision.decided_at),
        reason=decision.reason_text,
        criterion=decision.criterion,
        would_change=decision.would_change,
        decider=decision.decided_by.full_name,
        licence=_licence(decision.licence),
        was_due="",
        replaces=None,
    )


def _letter(determination: Determination, *, is_on_appeal: bool) -> Letter:
    regime = regime_of(determination.prior_auth)
    prior_auth, outcome = determination.prior_auth, Outcome(determination.outcome)
    insurer = prior_auth.insurer.name if prior_auth.insurer else ""
    contact = prior_auth.insurer.contact if prior_auth.insurer else None
    before, due_at = determination.supersedes, determination.due_at
    is_by_law = due_at is not None and determination.basis == Basis.LAW.value
    is_independent = determination.basis == Basis.EXTERNAL.value
    person = determination.decided_by.full_name if determination.decided_by else ""
    return Letter(
        number=prior_auth.number,
        outcome=outcome,
        decided_on=clock.day_in(prior_auth.time_zone, at=determination.decided_at),
        insurer=insurer,
        clinic=prior_auth.clinic.name,
        prescriber=str(prior_auth.prescriber) if prior_auth.prescriber else "",
        member=", ".join(_member(prior_auth)),
        lines=list(_lines(determination)),
        reason=determination.reason_text,
        criterion=determination.criterion,
        policy=f"{prior_auth.explanation['policy']['title']}, version {determination.policy_version}",
        decider="The independent reviewer" if is_independent else person,
        licence=_licence(determination.licence),
        would_change=determination.would_change,
        was_due=moment(due_at, ZoneInfo(prior_auth.time_zone)) if due_at and is_by_law else "",
        replaces=clock.day_in(prior_auth.time_zone, at=before.decided_at) if before else None,
        redisclosure_notice=notice(is_part2=prior_auth.is_part2),
        contact=contact,
        is_independent=is_independent,
        next_steps=next_steps(
            outcome,
            regime,
            insurer=insurer,
            contact=contact,
            clinic=prior_auth.clinic.name,
            number=prior_auth.number,
            is_on_appeal=is_on_appeal,
            is_independent=is_independent,
        ),
    )


def _member(prior_auth: PriorAuth) -> Iterator[str]:
    """Yield whom it is for as the insurer itself knows them; never a name that another organization typed."""
    if name := prescriptions.name_by(prior_auth.insurer_id, prior_auth.patient):
        yield name
        if prior_auth.patient.birth_date:
            yield f"born {prior_auth.patient.birth_date}"
    if prior_auth.coverage:
        yield f"number {prior_auth.coverage.member_id}"


def _licence(licence: Licence | None) -> str:
    return f"{licence.specialty_words}, licence {licence}" if licence else ""


def _lines(determination: Determination) -> Iterator[LetterLine]:
    numbers = {row.rxcui: row.number for row in determination.authorizations.all()}
    for row in determination.lines.all():
        yield LetterLine(
            product=product_name(determination, row.rxcui),
            outcome=row.outcome,
            asked=_amounts(row.asked_days, row.asked_quantity, row.asked_daily_units, row.asked_refills),
            granted=_granted(row, determination),
            period=f"{row.starts_on} to {row.ends_on}" if row.starts_on and row.ends_on else "",
            authorization=numbers.get(row.granted_rxcui, ""),
            why=row.reason if row.reason_code else None,
        )


def _granted(row: DeterminationLine, determination: Determination) -> str:
    if not row.granted_days:
        return "Nothing"
    amounts = _amounts(row.granted_days, row.granted_quantity, row.granted_daily_units, row.granted_refills)
    if row.granted_rxcui == row.rxcui:
        return amounts
    return f"{product_name(determination, row.granted_rxcui)}: {amounts}"


def _amounts(days: int, quantity: Decimal | None, daily_units: Decimal | None, refills: int | None) -> str:
    """Return amounts as a person reads them; what is not known or not limited is left out."""
    parts = [
        f"{days} days",
        "" if quantity is None else f"quantity {plain(quantity)}",
        "" if daily_units is None else f"at most {plain(daily_units)} units a day",
        "" if refills is None else f"refills: {refills}",
    ]
    return ", ".join(part for part in parts if part)
