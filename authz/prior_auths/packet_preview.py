"""What the insurer will receive, before it is sent: the same packet, on the same paper, and nothing kept."""

from datetime import datetime

from authz.access.roles import Actor
from authz.documentation.paper_text import PaperText
from authz.ids import PriorAuthId
from authz.prior_auths import selectors
from authz.prior_auths.packet import packet_of
from authz.prior_auths.packet_paper import packet_text


def packet_preview(by: Actor, prior_auth_id: PriorAuthId, *, now: datetime) -> PaperText:
    """Return what would be sent if the request were submitted now; of one that was, what was sent.

    :raises NotFound: when the organization may know no such request, or it is not taken up yet.
    :raises Forbidden: when the organization is not the clinic, and it was not submitted.
    """
    found = selectors.prior_auth(by, prior_auth_id)
    if found.packet is not None:
        return packet_text(found.packet, sha256=found.packet_sha256)
    seen = selectors.questions(by, prior_auth_id, now=now)
    return packet_text(packet_of(found, seen.standings, by=by), sha256="")
