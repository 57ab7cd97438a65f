"""What a request's clocks heed of its rows, what they would say if something were done now, and what is refused."""

from datetime import datetime
from typing import TypedDict
from zoneinfo import ZoneInfo

from authz.policies import regimes
from authz.policies.history import Happened, Kind, What
from authz.policies.regime import Regime
from authz.prior_auths.clock_history import DECISIONS, history_of
from authz.prior_auths.deadlines import Clocks, Urgency, clocks, reply_time_of
from authz.prior_auths.exempt_use import instead_of_asking
from authz.prior_auths.lifecycle import AGAINST, ASKED_OF_CLINIC, UNDECIDED, State, Step
from authz.prior_auths.models import InformationRequest, PriorAuth
from authz.prior_auths.reply_time import ReplyTime


class Rules(TypedDict):
    """What a request's clocks go by."""

    regime: Regime
    zone: ZoneInfo


def history(prior_auth: PriorAuth) -> list[Happened]:
    """Return what happened to a request, with by when the insurer wants its answers."""
    events = prior_auth.events.all()
    asked = prior_auth.information_requests.all() if any(one.step == Step.ASK.value for one in events) else ()
    # Of what was asked at once, the answer that may come last: of those still open, while there are any.
    last = sorted((row.answered_at is None, row.reply_by, row.asked_at) for row in asked if row.reply_by)
    return history_of(events, replies={asked_at: reply_by for _, reply_by, asked_at in last})


def regime_of(prior_auth: PriorAuth) -> Regime:
    """Return the version of the regime that a request was submitted under."""
    return regimes.version(prior_auth.regime, prior_auth.regime_version)


def rules(prior_auth: PriorAuth) -> Rules:
    """Return the regime's version that a request is under, and where its days begin."""
    return Rules(regime=regime_of(prior_auth), zone=ZoneInfo(prior_auth.time_zone))


def clocks_if_asked(prior_auth: PriorAuth, *, now: datetime) -> Clocks:
    """Return the clocks as they would be if the insurer asked the clinic something now; nothing is asked."""
    return clocks([*history(prior_auth), _now(What.INFO_ASKED, now)], **rules(prior_auth))


def reply_time_if_asked(prior_auth: PriorAuth, *, now: datetime) -> ReplyTime:
    """Return by when the clinic would have to answer what the insurer asked now.

    :raises ValueError: when it is not submitted: nobody asks anything then.
    """
    found = reply_time_of([*history(prior_auth), _now(What.INFO_ASKED, now)], **rules(prior_auth))
    if found is None:
        raise ValueError(f"request {prior_auth.pk} is not submitted")
    return found


def may_be_returned(prior_auth: PriorAuth, *, now: datetime | None = None) -> bool:
    """Say whether the clock would wait for what is missing, however long; without an instant, whether it ever would.

    Where it runs on, or goes on by itself, nobody at the insurer could decide on what the clinic does not complete:
    there it is asked for in review.
    """
    heard = history_of(prior_auth.events.all())
    # The sooner, the better: what would not let it wait at once never does.
    if_returned = [*heard, _now(What.RETURNED_INCOMPLETE, now or heard[-1].at)]
    clock = clocks(if_returned, **rules(prior_auth)).get(Kind.DECIDE_BY)
    return clock is not None and clock.due_at is None


def open_questions(prior_auth: PriorAuth) -> list[InformationRequest]:
    """Return what the insurer asked and the clinic has not answered, in time or late, while nothing is decided."""
    if State(prior_auth.state) not in UNDECIDED:
        return []
    return [row for row in prior_auth.information_requests.all() if row.answered_at is None]


def is_of_no_use(prior_auth: PriorAuth, step: Step) -> bool:
    """Say whether a step is nothing for a request as it is: by its urgency, regime, answers or history."""
    regime, is_expedited = rules(prior_auth)["regime"], prior_auth.urgency == Urgency.EXPEDITED.value
    match step:
        case Step.EXPEDITE:
            return is_expedited
        case Step.REFUSE_EXPEDITED:
            return not is_expedited or regime.speed_cannot_be_refused
        case Step.EXTEND:
            track = regime.expedited if is_expedited else regime.standard
            return track.extend_by is None or step in _taken(prior_auth)
        case Step.RETURN:
            return not may_be_returned(prior_auth)
        case Step.FORWARD:
            taken = _taken(prior_auth)
            return Step.FORWARD in taken or taken & DECISIONS != {Step.DEEM_ADVERSE}
        case Step.RECORD_INDEPENDENT_REVIEW:
            taken = _taken(prior_auth)
            return step in taken or taken.isdisjoint(AGAINST | {Step.DEEM_ADVERSE})
        case Step.RECORD_EXEMPTION:
            return instead_of_asking(prior_auth) is not step
        case Step.ANSWER_IN_PART:
            # Late, to answer one question or several is one step, whatever stays open.
            return State(prior_auth.state) not in ASKED_OF_CLINIC or len(open_questions(prior_auth)) < 2
        case Step.ANSWER_LATE:
            return not open_questions(prior_auth)
    return False


def _taken(prior_auth: PriorAuth) -> set[str]:
    return {event.step for event in prior_auth.events.all()}


def _now(what: What, now: datetime) -> Happened:
    return Happened(what, now, with_notice=True)
