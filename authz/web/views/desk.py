"""The reviewer's desk: the queue, the case that is open, and what can be decided about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from authz.access.roles import Role
from authz.errors import AuthzError, Forbidden, NotFound, StaleVersion
from authz.ids import AppealId, CallId, PatientId, PriorAuthId
from authz.policies.history import Kind
from authz.prior_auths import appeals, calls, review_queue, selectors
from authz.prior_auths.appeal_lifecycle import UNDECIDED as OPEN_APPEALS
from authz.prior_auths.authorizations import seen
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.heard import clocks_if_asked
from authz.prior_auths.lifecycle import State, Step
from authz.prior_auths.models import Event, PriorAuth
from authz.prior_auths.opioid_use import known_patient, use_of
from authz.prior_auths.record_words import sentences_told
from authz.prior_auths.review_queue import Part
from authz.prior_auths.services import queue
from authz.prior_auths.services.queue import NotInHand
from authz.prior_auths.services.rehearsal import notice_of
from authz.prior_auths.services.steps import IllegalStep
from authz.web import rows, words
from authz.web.after_decision import appeal_rows, call_rows
from authz.web.answers_form import submitted
from authz.web.deeds import APPEAL_STEPS, CALL_STEPS, Deed, of_appeal, of_call, of_request, to_offer_call, to_skip
from authz.web.desk_case import PARTS, counted, is_aside, judged, shown
from authz.web.drawn_use import drawn_use
from authz.web.forms import Fault
from authz.web.offered_deeds import is_held_by, is_held_by_another, offered
from authz.web.pages import Page, is_part
from authz.web.patient_names import name_in_case, names
from authz.web.step_forms import STEPS
from authz.web.why_asked import why_of

PER_PAGE: Final = 20
APPEALS: Final = "appeals"
_REVIEWS: Final = frozenset({Role.REVIEWER, Role.PHYSICIAN})
_SWITCHED_OFF: Final = "shortcuts_off"
_CHANGED: Final = "Somebody changed this case after you opened it. Look at it as it is now; what you wrote is kept."


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What was sent and not done: refused, with a sentence where it is about no field, or first shown as a notice.

    `since` is what happened after the version that the reader saw.
    """

    deed: Deed
    version: int
    sentence: str = ""
    since: tuple[Event, ...] = ()
    notice: Mapping[str, Any] | None = None


class DeskPage(Page):
    """What all of the desk shares: the queue of an insurer, and how the next case is taken."""

    def desk(self, template: str, *, status: int = 200, **case: Any) -> HttpResponse:
        """Return the desk: the queue, and what else there is."""
        if self.is_clinic:
            raise PermissionDenied("The desk is the insurer's.")
        said = self.request.GET.get("part", "")
        part = Part(said) if said in set(Part) else Part.ALL
        counts = review_queue.counts(self.actor, now=self.now)
        open_appeals = self._open_appeals()
        return self.show(
            template,
            status=status,
            parts=[(one.value, PARTS[one], counts[one]) for one in Part],
            part=APPEALS if said == APPEALS else part.value,
            appeals_count=open_appeals.count(),
            queue_appeals=list(open_appeals[:PER_PAGE]) if said == APPEALS else [],
            **self._listed(part),
            reviews=not self.actor.roles.isdisjoint(_REVIEWS),
            shortcuts=not self.request.session.get(_SWITCHED_OFF, False),
            kept=f"?part={said}" if said in {*set(Part), APPEALS} else "",
            **case,
        )

    def _listed(self, part: Part) -> dict[str, Any]:
        page = Paginator(review_queue.desk_queue(self.actor, part, now=self.now), PER_PAGE).get_page(
            self.request.GET.get("page", "1")
        )
        found: Any = page.object_list
        return {"listed": page, "queue_rows": rows.rows(found, self.actor, today=self.today())}

    def _open_appeals(self) -> Any:
        return appeals.appeals(self.actor).filter(
            prior_auth__insurer_id=self.actor.organization, state__in=[state.value for state in OPEN_APPEALS]
        )

    def open_next(self) -> HttpResponse:
        """Lead to the next case, or say that none waits."""
        taken = queue.claim_next(by=self.actor, now=self.now)
        if taken is None:
            messages.info(self.request, "Nothing waits for you now.")
            return redirect("desk")
        return redirect("desk-case", prior_auth_id=taken.public_id)


class Desk(DeskPage):
    """The desk without a case on it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.desk("pages/desk.html")


class DeskCase(DeskPage):
    """The desk with a case on it."""

    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId, **rest: Any) -> HttpResponse:
        return self.case(self.found(prior_auth_id))

    def found(self, prior_auth_id: PriorAuthId) -> PriorAuth:
        """Return the case.

        :raises NotFound: when it is none of the insurer's.
        """
        found = selectors.prior_auth(self.actor, prior_auth_id)
        if found.insurer_id != self.actor.organization_id:
            raise NotFound("There is no such request.")
        return found

    def case(self, prior_auth: PriorAuth, attempt: Attempt | None = None, *, status: int = 200) -> HttpResponse:
        """Return the desk with a case; what was attempted stands where it belongs."""
        known = names(self.actor, [prior_auth.patient_id])
        standing = words.status(State(prior_auth.state), rows.outcome_of(prior_auth))
        documents = selectors.attachments(self.actor, prior_auth)
        criteria = judged(prior_auth, documents)
        use = use_of(
            known_patient(self.actor, PatientId(prior_auth.patient.public_id), now=self.now, reader=self.organization)
        )
        offers = offered(prior_auth, self.actor, now=self.now)
        return self.desk(
            "pages/desk.html",
            status=status,
            prior_auth=prior_auth,
            patient=name_in_case(prior_auth, known),
            standing=standing,
            urgency=words.URGENCY[Urgency(prior_auth.urgency)],
            due=selectors.due(prior_auth),
            run_out=selectors.run_out_of(prior_auth),
            sentences=sentences_told(prior_auth.explanation),
            why=why_of(prior_auth),
            use=use,
            drawn=drawn_use(use, today=self.today()),
            criteria=[one for one in criteria if not is_aside(one)],
            criteria_aside=[one for one in criteria if is_aside(one)],
            criteria_counts=counted(criteria),
            documents=shown(self.actor, prior_auth, documents),
            answered=submitted(prior_auth),
            events=selectors.events(self.actor, PriorAuthId(prior_auth.public_id)),
            rights=seen(prior_auth, now=self.now),
            appeals=appeal_rows(prior_auth, self.actor, {}),
            calls=call_rows(prior_auth, self.actor, {}),
            offers=offers,
            clocks_if_asked=self._clocks_if_asked(prior_auth, offers.decisions),
            attempt=attempt,
            is_kept=attempt is not None and attempt.deed.key not in {deed.key for deed in offers.all},
            faults=_faults(attempt),
            **self.lease(prior_auth),
        )

    def lease(self, prior_auth: PriorAuth) -> dict[str, Any]:
        """Return who has the case in hand."""
        return {
            "is_mine": is_held_by(prior_auth, self.actor, now=self.now),
            "is_anothers": is_held_by_another(prior_auth, self.actor, now=self.now),
        }

    def _clocks_if_asked(self, prior_auth: PriorAuth, decisions: list[Deed]) -> list[tuple[str, str]]:
        """Return what the clocks would say if the clinic were asked now; empty where it cannot be asked."""
        if all(deed.key != Step.ASK.value for deed in decisions):
            return []
        told = clocks_if_asked(prior_auth, now=self.now)
        clocks = [(name, told.get(kind)) for kind, name in _IF_ASKED.items()]
        return [(name, clock.why) for name, clock in clocks if clock is not None]


_IF_ASKED: Final[Mapping[Kind, str]] = {
    Kind.DECIDE_BY: "The decision",
    Kind.INFORMATION_REPLY_BY: "The clinic's answers",
}


class Lease(DeskCase):
    """Who has the case in hand, for how long: asked for again and again while the page is open."""

    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId, **rest: Any) -> HttpResponse:
        return self._part(prior_auth_id)

    def post(self, request: HttpRequest, prior_auth_id: PriorAuthId) -> HttpResponse:
        """Keep it for another half an hour."""
        try:
            queue.renew_lease(prior_auth_id=prior_auth_id, by=self.actor, now=self.now)
        except NotInHand as refusal:
            if not is_part(request):
                messages.error(request, refusal.detail)
        return self._part(prior_auth_id) if is_part(request) else redirect("desk-case", prior_auth_id=prior_auth_id)

    def _part(self, prior_auth_id: PriorAuthId) -> HttpResponse:
        prior_auth = self.found(prior_auth_id)
        context = {"prior_auth": prior_auth, "now": self.now, **self.lease(prior_auth)}
        return render(self.request, "parts/lease.html", context)


class Next(DeskPage):
    """Takes in hand the most pressing case that the reader may take."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect("desk")

    def post(self, request: HttpRequest) -> HttpResponse:
        return self.open_next()


class Shortcuts(Page):
    """Switches the keyboard shortcuts off, or on again, for as long as the session lasts."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect("desk")

    def post(self, request: HttpRequest) -> HttpResponse:
        request.session[_SWITCHED_OFF] = request.POST.get("shortcuts") == "off"
        case = request.POST.get("case", "")
        return redirect("desk-case", prior_auth_id=UUID(case)) if _is_id(case) else redirect("desk")


class DeedDone(DeskCase):
    """Does one thing with a case; what decides against it is first shown as the notice that would go out."""

    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId, **rest: Any) -> HttpResponse:
        return redirect("desk-case", prior_auth_id=prior_auth_id)

    def post(self, request: HttpRequest, prior_auth_id: PriorAuthId, **rest: Any) -> HttpResponse:
        prior_auth = self.found(prior_auth_id)
        deed = self.deed(prior_auth, **rest)
        version = _version(request)
        if not deed.form.is_valid() or "change" in request.POST:
            return self.case(prior_auth, Attempt(deed=deed, version=version), status=HTTPStatus.UNPROCESSABLE_ENTITY)
        arguments = deed.arguments(by=self.actor, now=self.now, version=version)
        try:
            if deed.has_notice and "confirm" not in request.POST:
                notice = notice_of(deed.take, **arguments)
                return self.case(prior_auth, Attempt(deed=deed, version=version, notice=notice.to_json()))
            deed.take(**arguments)
        except AuthzError as error:
            return self._refuse(prior_auth_id, deed, version, error)
        messages.success(request, f"{prior_auth.number}: {deed.done}.")
        if request.POST.get("then") == "next" and not self.actor.roles.isdisjoint(_REVIEWS):
            return self.open_next()
        return redirect("desk-case", prior_auth_id=prior_auth_id)

    def deed(self, prior_auth: PriorAuth, **rest: Any) -> Deed:
        """Return what the address names, with what was sent."""
        step = _step(rest["step"], {step.value: step for step in STEPS})
        return of_request(prior_auth, step, self.request.POST)

    def _refuse(self, prior_auth_id: PriorAuthId, deed: Deed, version: int, error: AuthzError) -> HttpResponse:
        """Return the desk as the case is now, with the refusal and everything that was typed."""
        if isinstance(error, NotFound | Forbidden):
            raise error
        prior_auth = self.found(prior_auth_id)
        fields: Mapping[str, list[str]] = getattr(error, "fields", {})
        deed.form.refuse(fields)
        is_stale = isinstance(error, StaleVersion)
        attempt = Attempt(
            deed=deed,
            version=deed.version or 0 if is_stale else version,
            sentence="" if fields else _CHANGED if is_stale else _sentence(error, prior_auth),
            since=_since(prior_auth, version) if is_stale and "prior_auth_id" in deed.subject else (),
        )
        status = HTTPStatus.UNPROCESSABLE_ENTITY if fields else HTTPStatus.CONFLICT
        return self.case(prior_auth, attempt, status=status)


class Skipped(DeedDone):
    def deed(self, prior_auth: PriorAuth, **rest: Any) -> Deed:
        return to_skip(prior_auth, self.request.POST)


class CallOffered(DeedDone):
    def deed(self, prior_auth: PriorAuth, **rest: Any) -> Deed:
        return to_offer_call(prior_auth, self.request.POST)


class AppealDeed(DeedDone):
    def deed(self, prior_auth: PriorAuth, **rest: Any) -> Deed:
        appeal = appeals.appeals_of(self.actor, PriorAuthId(prior_auth.public_id)).filter(
            public_id=AppealId(rest["appeal_id"])
        )
        step = _step(rest["step"], {step.value: step for step in APPEAL_STEPS})
        return of_appeal(_one(appeal), step, self.request.POST)


class CallDeed(DeedDone):
    def deed(self, prior_auth: PriorAuth, **rest: Any) -> Deed:
        call = calls.calls_of(self.actor, PriorAuthId(prior_auth.public_id)).filter(public_id=CallId(rest["call_id"]))
        step = _step(rest["step"], {step.value: step for step in CALL_STEPS})
        return of_call(_one(call), step, self.request.POST)


def _one(found: Any) -> Any:
    row = found.first()
    if row is None:
        raise Http404
    return row


def _step(address: str, steps: Mapping[str, Any]) -> Any:
    step = steps.get(address.replace("-", "_"))
    if step is None:
        raise Http404
    return step


def _version(request: HttpRequest) -> int:
    """Return the version the reader saw. Without one, nothing matches, and the page asks to look again."""
    sent = request.POST.get("version", "")
    return int(sent) if sent.isdecimal() and len(sent) < 10 else -1


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _sentence(error: AuthzError, prior_auth: PriorAuth) -> str:
    if isinstance(error, IllegalStep):
        standing = words.status(State(prior_auth.state), rows.outcome_of(prior_auth))
        return f"This cannot be done now. Where the request is: {standing.words}."
    return error.detail


def _since(prior_auth: PriorAuth, version: int) -> tuple[Event, ...]:
    return tuple(prior_auth.events.filter(sequence__gt=version).order_by("sequence"))


def _faults(attempt: Attempt | None) -> list[Fault]:
    if attempt is None or attempt.notice is not None:
        return []
    whole = [Fault(attempt.sentence, "")] if attempt.sentence else []
    since = [Fault(f"{words.DONE[Step(event.step)]} by {event.actor_name}.", "") for event in attempt.since]
    return [*whole, *since, *attempt.deed.form.faults()]
