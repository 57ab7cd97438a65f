"""PURE: what papers there are."""

from enum import StrEnum


class PaperKind(StrEnum):
    """What a paper is. Of every subject there is at most one of each kind."""

    PACKET = "packet"
    DETERMINATION_LETTER = "determination-letter"
    APPEAL_LETTER = "appeal-letter"
