"""PURE: what can happen to a request that its clocks heed, and the clocks there are."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class What(StrEnum):
    """`expedited_asked` counts as expedited until it is refused. `closed` is any end without a determination."""

    RECEIVED = "received"
    RETURNED_INCOMPLETE = "returned_incomplete"
    COMPLETED = "completed"
    STATEMENT_RECEIVED = "statement_received"
    INFO_ASKED = "info_asked"
    INFO_ANSWERED = "info_answered"
    EXTENDED = "extended"
    EXPEDITED_ASKED = "expedited_asked"
    EXPEDITED_GRANTED = "expedited_granted"
    EXPEDITED_REFUSED = "expedited_refused"
    DECIDED = "decided"
    DECIDED_ADVERSE = "decided_adverse"
    NOTICE_SENT = "notice_sent"
    NOTICE_DELIVERED = "notice_delivered"
    FORWARDED = "forwarded"
    CLOSED = "closed"
    APPEAL_FILED = "appeal_filed"
    APPEAL_EXPEDITED_ASKED = "appeal_expedited_asked"
    APPEAL_EXPEDITED_REFUSED = "appeal_expedited_refused"
    APPEAL_EXTENDED = "appeal_extended"
    APPEAL_DECIDED = "appeal_decided"
    APPEAL_CLOSED = "appeal_closed"


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to a request, at an instant.

    `days` is by how many days an extension moves the deadline; None is all that the regime allows.
    `with_notice` says that a question or a return went out as the written, itemized notice that stops a clock;
    `reply_by` is by when the insurer wants the answer to a question, where it says so.
    """

    what: What
    at: datetime
    days: int | None = None
    with_notice: bool = False
    reply_by: datetime | None = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"{self.what}: an instant needs its time zone")
        object.__setattr__(self, "at", self.at.astimezone(UTC))


class Kind(StrEnum):
    """The clocks of a request. `reopen_by` is the last instant at which its determination can be reopened."""

    DECIDE_BY = "decide_by"
    NOTIFY_BY = "notify_by"
    INFORMATION_REPLY_BY = "information_reply_by"
    FORWARD_BY = "forward_by"
    APPEAL_FILE_BY = "appeal_file_by"
    APPEAL_DECIDE_BY = "appeal_decide_by"
    REOPEN_BY = "reopen_by"
