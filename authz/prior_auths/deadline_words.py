"""PURE: why a clock is due when it is, in sentences for a person, in the plan's time zone and with the citation."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from authz.policies.regime import IfMissed, Span, Start, Unit
from authz.prior_auths.decision_clock import Pause, Running
from authz.prior_auths.reply_time import ReplyTime

MISSED: dict[IfMissed, str] = {
    IfMissed.BREACH_ONLY: "no law says what follows; it is recorded as a breach",
    IfMissed.DEEMED_APPROVED: "it is approved by law",
    IfMissed.DEEMED_ADVERSE: "it counts as denied and goes to the independent reviewer",
    IfMissed.ADVERSE_APPEALABLE: "it counts as denied and can be appealed",
    IfMissed.DEEMED_EXHAUSTED: "the insurer's own procedure counts as exhausted",
    IfMissed.BY_STATE: "the state's law says what follows",
}
_STARTS: dict[Start, str] = {
    Start.RECEIPT: "the insurer received",
    Start.SUPPORTING_STATEMENT: "the prescriber's supporting statement was there for",
    Start.COMPLETED_REQUEST: "the insurer received, complete,",
    Start.ALL_NECESSARY_INFORMATION: "the insurer had all necessary information for",
}


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant as people say it where the plan is: "Thursday 6 March 2025, 14:10 EST"."""
    local = at.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B %Y}, {local:%H:%M %Z}"


def due(at: datetime, span: Span, zone: ZoneInfo) -> str:
    """Return "Due …": days end with a day, hours at a time of day."""
    local = at.astimezone(zone)
    if span.unit is Unit.HOURS:
        return f"Due {moment(at, zone)}"
    return f"Due by the end of {local:%A} {local.day} {local:%B %Y} ({local:%Z})"


def decision(clock: Running, starts: Start, what: str, zone: ZoneInfo) -> str:
    """Return why a decision is due when it is; `what` is what is to be decided."""
    urgency = "expedited" if clock.is_expedited else "standard"
    if clock.started_at is None or clock.due_at is None:
        return (
            f"Not running: the {urgency} {what} lacks what the insurer has asked for. The time begins when that comes."
        )
    told = [f"{due(clock.due_at, clock.within, zone)}: {clock.within} after {_start(clock, starts, urgency, what)}"]
    told[0] += f" on {moment(clock.started_at, zone)}"
    if clock.pause:
        told.append(_stood_still(clock.pause, zone))
    if clock.extended_by:
        told.append(f"It was extended by {clock.extended_by} days with notice")
    return ". ".join(told) + "."


def _start(clock: Running, starts: Start, urgency: str, what: str) -> str:
    if clock.is_sped_up:
        return f"the insurer was asked to expedite the {what}"
    if clock.restarted_at is not None and clock.is_assumed:
        return f"the time ended to give what was missing from the {urgency} {what}"
    if clock.restarted_at is not None:
        return f"the insurer received what was missing from the {urgency} {what}"
    if clock.is_assumed:
        return f"the last day on which the clock of the {urgency} {what} can start had ended"
    return f"{_STARTS[starts]} the {urgency} {what}"


def _stood_still(pause: Pause, zone: ZoneInfo) -> str:
    told = f"The clock stood still from {moment(pause.since, zone)} to {moment(pause.until, zone)}"
    return f"{told}, when the time to answer ends" if pause.is_open else f"{told}, while information was missing"


def reply(time: ReplyTime, asked_at: datetime, zone: ZoneInfo) -> str:
    """Return why an answer to the insurer is due when it is, and what follows without one."""
    when = f"Due {moment(time.at, zone)}"
    if time.is_said:
        return f"{when}: the insurer wants the answer by then. Without one the review goes on."
    if time.within is None:
        return f"{when}: the decision's clock does not wait. Without an answer the review goes on, to be in time."
    told = f"{due(time.at, time.within, zone)}: {time.within} after the question, {moment(asked_at, zone)}."
    return f"{told} Without an answer the {'clock' if time.is_law else 'review'} goes on."


def missed(consequence: IfMissed) -> str:
    """Return what follows by law when the instant passes."""
    return f"If it is missed, {MISSED[consequence]}."


def source(title: str, citation: str, *, confirmed: bool) -> str:
    """Return where it is said."""
    doubt = "" if confirmed else " Not all of it was read in the rule itself: compare it with the rule's wording."
    return f"{title}: {citation}.{doubt}"


def sentences(parts: Iterable[str]) -> str:
    """Return the parts as one text."""
    return " ".join(part for part in parts if part)
