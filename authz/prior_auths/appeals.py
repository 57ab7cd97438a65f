"""Appeals as they are read: whose they are, by when they are due, and what comes after them."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import F, Prefetch, QuerySet

from authz.access.roles import Action, Actor, must_be_allowed
from authz.documentation import selectors as documentation
from authz.documentation.models import Attachment
from authz.errors import NotFound
from authz.ids import AppealId, PriorAuthId
from authz.policies.history import Happened, Kind
from authz.policies.regime import NextLevel
from authz.prior_auths import deadlines, selectors
from authz.prior_auths.appeal_history import history_of_appeal
from authz.prior_auths.appeal_lifecycle import UNDECIDED, UPHOLDING, AppealState, AppealStep, steps_for
from authz.prior_auths.clock_history import history_of
from authz.prior_auths.deadlines import Clock, Clocks, Due, Urgency
from authz.prior_auths.heard import regime_of, rules
from authz.prior_auths.models import Appeal, AppealEvent, Determination, PriorAuth
from authz.prior_auths.named_specialties import lacks_specialty
from authz.prior_auths.review_queue import MOST_PRESSING
from authz.prior_auths.visibility import roles_in_case, visible_to


class Onward(NamedTuple):
    """Who looks at what was upheld on appeal, by which rule; `confirmed` is whether its wording was read."""

    level: NextLevel
    citation: str
    confirmed: bool


def appeals(by: Actor) -> QuerySet[Appeal]:
    """Return the appeals of the requests that the organization may know, in the order of the review queue."""
    must_be_allowed(by, Action.READ_REQUESTS)
    known = PriorAuth.objects.filter(visible_to(by))
    return (
        Appeal.objects.filter(prior_auth__in=known)
        .select_related(
            "prior_auth__answers", "determination", "decision__decided_by", "decision__determination", "reviewer"
        )
        .prefetch_related("events", "prior_auth__events")
        .annotate(turn_at=F("due_at"), runs_out_on=F("prior_auth__runs_out_on"))
        .order_by(*MOST_PRESSING)
    )


def appeal(by: Actor, appeal_id: AppealId) -> Appeal:
    """Return one appeal.

    :raises NotFound: when the organization may know no such appeal.
    """
    found = appeals(by).filter(public_id=appeal_id).first()
    if found is None:
        raise NotFound("There is no such appeal.")
    return found


def appeals_of(by: Actor, prior_auth_id: PriorAuthId) -> QuerySet[Appeal]:
    """Return the appeals of one request.

    :raises NotFound: when the organization may know no such request.
    """
    return appeals(by).filter(prior_auth=selectors.prior_auth(by, prior_auth_id))


def events(by: Actor, appeal_id: AppealId) -> QuerySet[AppealEvent]:
    """Return what happened to an appeal, oldest first.

    :raises NotFound: when the organization may know no such appeal.
    """
    return AppealEvent.objects.filter(appeal=appeal(by, appeal_id)).order_by("sequence")


def happened(prior_auth: PriorAuth) -> list[Happened]:
    """Return what a request's clocks heed of its appeals."""
    rows = prior_auth.appeals.prefetch_related(Prefetch("events", AppealEvent.objects.order_by("sequence")))
    return [one for row in rows.order_by("pk") for one in _history(row)]


def clocks_of(appeal: Appeal, *, notices: Iterable[Happened] = ()) -> Clocks:
    """Return the clocks of an appeal: until when it could be filed, by when to decide it and, missed, to forward it.

    `notices` is when notice of the decision was sent and delivered, which this room does not know.
    """
    request = appeal.prior_auth
    before = history_of(request.events.all())
    return deadlines.appeal_clocks(
        [*(one for one in before if one.at <= appeal.filed_at), *notices, *_history(appeal)],
        **rules(request),
    )


def due(appeal: Appeal) -> Due | None:
    """Return when the decision on an appeal is due and why; None once it has ended, and where no rule gives a time."""
    clock = decide_by(appeal) if AppealState(appeal.state) in UNDECIDED else None
    return Due(clock.due_at, clock.why) if clock and clock.due_at else None


def decide_by(appeal: Appeal) -> Clock | None:
    """Return the clock of the decision on an appeal, None where the regime names no time."""
    return clocks_of(appeal).get(Kind.APPEAL_DECIDE_BY)


def onward(prior_auth: PriorAuth) -> Onward | None:
    """Return who looks at what the insurer upholds on appeal of a request; None where its regime names nobody."""
    regime = regime_of(prior_auth)
    if regime.appeal is None or regime.appeal.next_level is None:
        return None
    mark = regime.marks["appeal.next_level"]
    return Onward(regime.appeal.next_level, regime.sources[mark.source].cites, mark.confirmed)


def allowed_steps(appeal: Appeal, by: Actor) -> list[AppealStep]:
    """Return the steps this actor may take now, in the order of the table, without what is always refused them."""
    open_now = steps_for(state=AppealState(appeal.state), roles=roles_in_case(appeal.prior_auth, by))
    is_another = not UPHOLDING.isdisjoint(open_now) and lacks_specialty(appeal.prior_auth, by.person_id)
    return [step for step in open_now if not (is_another and step in UPHOLDING)]


def documents_of(appeal: Appeal) -> list[Attachment]:
    """Return what the clinic sent in with an appeal, without the bytes."""
    sheet = appeal.prior_auth.answers
    rows = documentation.attachments(sheet).filter(appeals=appeal) if sheet else Attachment.objects.none()
    return list(rows.prefetch_related("information_requests", "appeals"))


def in_force(prior_auth: PriorAuth) -> Determination | None:
    """Return the determination of a request that no other one supersedes."""
    return prior_auth.determinations.filter(superseded_by=None).first()


def deciders_of(prior_auth: PriorAuth) -> set[int | None]:
    """Return the keys of the people who determined a request at any time; none of them decides an appeal of it."""
    return set(prior_auth.determinations.exclude(decided_by=None).values_list("decided_by_id", flat=True))


def _history(appeal: Appeal) -> list[Happened]:
    return history_of_appeal(appeal.events.all(), urgency=Urgency(appeal.urgency))
