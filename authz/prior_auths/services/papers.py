"""Render the packet of a submission and the letter of a determination, in the transaction that makes them true."""

import tomllib
from datetime import datetime
from functools import cache
from importlib import resources

from authz import clock
from authz.access.models import Licence
from authz.documentation.models import Paper
from authz.documentation.paper_kinds import PaperKind
from authz.documentation.services import papers
from authz.policies import catalog
from authz.prior_auths.determination import Outcome
from authz.prior_auths.letter import Letter, LetterLine, letter_paper
from authz.prior_auths.models import Authorization, Determination, DeterminationLine, PriorAuth
from authz.prior_auths.packet_paper import packet_paper


def write_packet(*, prior_auth: PriorAuth, now: datetime) -> Paper:
    """Keep the packet of a request on paper. It was frozen just now, in this transaction."""
    rendered = packet_paper(prior_auth.packet or {}, sha256=prior_auth.packet_sha256)
    return papers.keep(kind=PaperKind.PACKET, subject_id=prior_auth.public_id, rendered=rendered, now=now)


def write_letter(*, determination: Determination, now: datetime) -> Paper:
    """Keep the letter of a determination whose lines and authorizations are written, in the same transaction."""
    rendered = letter_paper(_letter(determination))
    return papers.keep(
        kind=PaperKind.DETERMINATION_LETTER, subject_id=determination.public_id, rendered=rendered, now=now
    )


def _letter(determination: Determination) -> Letter:
    prior_auth = determination.prior_auth
    insurer = prior_auth.insurer.name if prior_auth.insurer else ""
    opened = {row.rxcui: row for row in determination.authorizations.all()}
    names = {row.rxcui: row.product_name for row in prior_auth.lines.all()}
    days = catalog.regime(prior_auth.regime).appeal_file_within_days
    return Letter(
        number=prior_auth.number,
        outcome=Outcome(determination.outcome),
        decided_on=clock.day_in(_time_zone(prior_auth), at=determination.decided_at),
        insurer=insurer,
        clinic=prior_auth.clinic.name,
        prescriber=str(prior_auth.prescriber) if prior_auth.prescriber else "",
        member_id=prior_auth.coverage.member_id if prior_auth.coverage else "",
        lines=[
            _line(row, names.get(row.rxcui, row.rxcui), opened.get(row.rxcui))
            for row in determination.lines.order_by("line")
        ],
        reason=determination.reason_text,
        criterion=determination.criterion,
        policy=f"{prior_auth.explanation['policy']['title']}, version {determination.policy_version}",
        decider=determination.decided_by.full_name if determination.decided_by else "",
        licence=_licence(determination.licence),
        rights=[text.format(days=days, insurer=insurer) for text in _rights(prior_auth.regime)],
    )


def _time_zone(prior_auth: PriorAuth) -> str:
    return prior_auth.insurer.time_zone if prior_auth.insurer else prior_auth.clinic.time_zone


def _licence(licence: Licence | None) -> str:
    return f"{licence.specialty}, licence {licence}" if licence else ""


def _line(row: DeterminationLine, product: str, opened: Authorization | None) -> LetterLine:
    granted = f"{row.granted_days} days{_units(row.granted_quantity)}" if row.granted_days else "Nothing"
    return LetterLine(
        product=product,
        asked=f"{row.asked_days} days{_units(row.asked_quantity)}",
        granted=granted,
        period=f"{row.starts_on} to {row.ends_on}" if row.starts_on and row.ends_on else "",
        authorization=opened.number if opened else "",
    )


def _units(quantity: object) -> str:
    return "" if quantity is None else f", quantity {quantity:f}".rstrip("0").rstrip(".")


@cache
def _rights(regime: str) -> tuple[str, ...]:
    """Return what a letter says of appeals under a regime: its own text, or the one for all."""
    folder = resources.files("authz.prior_auths").joinpath("appeal_rights")
    own = folder.joinpath(f"{regime}.toml")
    file = own if own.is_file() else folder.joinpath("default.toml")
    return tuple(tomllib.loads(file.read_text(encoding="utf-8"))["text"])
