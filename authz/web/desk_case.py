"""A case as a reviewer reads it: in short, drawn, criterion by criterion, and with its documents."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from authz.access.roles import Actor
from authz.documentation.file_kinds import MediaType
from authz.documentation.models import Attachment
from authz.ids import PriorAuthId
from authz.prior_auths import selectors
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.review_criteria import Criterion, Met, borne_out, criteria_of
from authz.prior_auths.review_queue import Part
from authz.web import words
from authz.web.words import Status, Tone

PARTS: Final[Mapping[Part, str]] = {
    Part.ALL: "All",
    Part.MINE: "Mine",
    Part.TEAM: "Colleagues'",
    Part.UNASSIGNED: "Nobody's",
    Part.AT_RISK: "At risk",
}
MET: Final[Mapping[Met, Status]] = {
    Met.MET: Status("Met", Tone.GOOD),
    Met.NOT_MET: Status("Not met", Tone.BAD),
    Met.NOT_DOCUMENTED: Status("Not documented", Tone.WAITS),
}
_IMAGES: Final = frozenset({MediaType.PNG.value, MediaType.JPEG.value})
_LONGEST_SHOWN: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A criterion with its status in words."""

    criterion: Criterion
    status: Status
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document; an image or a short text is shown in its place, everything else is only led to.

    A PDF can hold scripts, and a browser draws no TIFF.
    """

    row: Attachment
    is_image: bool
    text: str


def judged(prior_auth: PriorAuth, documents: Iterable[Attachment]) -> list[Judged]:
    """Return the criteria of a request, those not met first."""
    return [
        Judged(
            criterion=one,
            status=MET[one.met],
            source=words.SOURCE[one.source] if one.source else "the records",
        )
        for one in criteria_of(prior_auth, borne_out(documents))
    ]


def is_aside(one: Judged) -> bool:
    """Say whether a criterion can stand aside: the payer does not ask for it, and nobody documented it."""
    return one.criterion.met is Met.NOT_DOCUMENTED and not one.criterion.is_required


def counted(judged: Iterable[Judged]) -> list[tuple[Status, int]]:
    """Return how many criteria have each status, those that need a look first."""
    found = [one.criterion.met for one in judged]
    return [(MET[met], found.count(met)) for met in (Met.NOT_MET, Met.NOT_DOCUMENTED, Met.MET) if met in found]


def shown(by: Actor, prior_auth: PriorAuth, rows: Iterable[Attachment]) -> list[Document]:
    """Return the documents, with the text of those that are short."""
    return [Document(row=row, is_image=row.file.media_type in _IMAGES, text=_text(by, prior_auth, row)) for row in rows]


def _text(by: Actor, prior_auth: PriorAuth, row: Attachment) -> str:
    if row.file.media_type != MediaType.TEXT.value or row.file.byte_count > _LONGEST_SHOWN:
        return ""
    kept = selectors.attachment_file(by, PriorAuthId(prior_auth.public_id), row.public_id)
    return bytes(kept.file.content).decode("utf-8")
