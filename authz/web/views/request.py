"""One request: what it asks for and why, its questionnaire, the steps open to the reader, and what happened to it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from authz.access.roles import Role
from authz.documentation.standing import Standing
from authz.errors import AuthzError, Forbidden, NotFound, StaleVersion
from authz.ids import PriorAuthId
from authz.prior_auths import selectors
from authz.prior_auths.answer_sheet import standing_of
from authz.prior_auths.appeal_lifecycle import UNDECIDED as OPEN_APPEALS
from authz.prior_auths.authorizations import seen
from authz.prior_auths.deadlines import Clocks, Urgency
from authz.prior_auths.forwarding import is_with_independent_reviewer, was_forwarded
from authz.prior_auths.heard import open_questions
from authz.prior_auths.lifecycle import BEFORE_SUBMISSION, State, Step
from authz.prior_auths.models import Appeal, PriorAuth
from authz.prior_auths.outlook import outlook
from authz.prior_auths.packet import sent
from authz.prior_auths.record_words import sentences_told
from authz.prior_auths.services import request as clinic
from authz.prior_auths.services.steps import IllegalStep
from authz.web import rows, words
from authz.web.after_decision import appeal_rows, asking, call_rows, filing
from authz.web.answers_form import Answered, AnswersForm, answered, submitted
from authz.web.attach_form import AttachForm, Proves, of_appeal, of_insurer, of_questionnaire
from authz.web.clinic_follow_up_forms import AfterForm
from authz.web.clock_rows import clock_rows, clocks_told, to_appeal
from authz.web.decision_forms import StepForm
from authz.web.forms import Fault, PlainForm
from authz.web.meanwhile import changed_since
from authz.web.next_action import ANSWER_QUESTIONS
from authz.web.notices import waits_told
from authz.web.pages import Page, is_part
from authz.web.patient_names import name_in_case, names
from authz.web.step_forms import STEPS
from authz.web.why_asked import why_of

_CHANGED = "Somebody changed this request after you opened it. Look at it as it is now; what you wrote is kept below."
_BY_ADDRESS = {step.value.replace("_", "-"): step for step in STEPS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A step open to the reader. The next one stands open; so does one that was just refused."""

    step: Step
    address: str
    label: str
    says: str
    form: StepForm
    is_next: bool
    is_open: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """What was sent and not taken: the form as it was filled in, and why as a whole."""

    place: str
    form: PlainForm
    sentence: str = ""
    meanwhile: Sequence[str] = ()


class RequestPage(Page):
    """The page of one request. Refusals of what is sent from it come back here, with everything that was typed."""

    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId) -> HttpResponse:
        return self.page(selectors.prior_auth(self.actor, prior_auth_id))

    def page(self, prior_auth: PriorAuth, refused: Refused | None = None, *, status: int = 200) -> HttpResponse:
        """Return the page, with what was refused where it belongs."""
        known = names(self.actor, [prior_auth.patient_id])
        asked = rows.asked_of(prior_auth)
        action = rows.action_for(prior_auth, self.actor, asked=asked, today=self.today())
        place = action.place if action else ""
        offers = self._offers(prior_auth, place, refused)
        answers = self._answers_form(prior_auth, refused)
        standing = words.status(State(prior_auth.state), rows.outcome_of(prior_auth))
        clocks = clocks_told(prior_auth)
        acts = {refused.place: refused.form} if refused and isinstance(refused.form, AfterForm) else {}
        return self.show(
            "pages/request.html",
            status=status,
            prior_auth=prior_auth,
            patient=name_in_case(prior_auth, known),
            is_patient_known=prior_auth.patient_id in known,
            standing=standing,
            ball=rows.ball(prior_auth, standing, asked=asked),
            action=action,
            waits=[] if action else waits_told(prior_auth, self.actor),
            urgency=words.URGENCY[Urgency(prior_auth.urgency)],
            due=selectors.due(prior_auth),
            run_out=selectors.run_out_of(prior_auth),
            sentences=sentences_told(prior_auth.explanation),
            why=why_of(prior_auth),
            offers=offers,
            answers_form=answers,
            attach_form=self._attach_form(prior_auth, refused),
            documents=selectors.attachments(self.actor, prior_auth),
            sent=set(sent(prior_auth)),
            answers_are_next=place == ANSWER_QUESTIONS,
            answered=self._to_read(prior_auth, [*([answers] if answers else []), *(offer.form for offer in offers)]),
            asked_prescriber=_asked_prescriber(prior_auth),
            held_by=self._held_by(prior_auth),
            events=selectors.events(self.actor, PriorAuthId(prior_auth.public_id)),
            outlook=outlook(prior_auth, on=self.today(), now=self.now) if answers else None,
            clocks=clock_rows(clocks, now=self.now),
            rights=seen(prior_auth, now=self.now),
            appeals=appeal_rows(prior_auth, self.actor, acts),
            calls=call_rows(prior_auth, self.actor, acts),
            asking=asking(prior_auth, self.actor, acts),
            to_appeal=to_appeal(clocks),
            filing=filing(prior_auth, acts) if self._may_appeal(prior_auth, clocks) else None,
            faults=list(_faults(refused)),
            unsent=_unsent(refused, offers, answers),
            meanwhile=refused.meanwhile if refused else [],
        )

    def _may_appeal(self, prior_auth: PriorAuth, clocks: Clocks | None) -> bool:
        return self._is_clinical(prior_auth) and bool(to_appeal(clocks)) and not was_forwarded(prior_auth)

    def _offers(self, prior_auth: PriorAuth, place: str, refused: Refused | None) -> list[Offer]:
        """Return the steps open to the reader, the next one first."""
        allowed = selectors.allowed_steps(prior_auth, self.actor)
        if Step.RECORD_INDEPENDENT_REVIEW in allowed and not is_with_independent_reviewer(prior_auth):
            allowed.remove(Step.RECORD_INDEPENDENT_REVIEW)
        listed = [_offer(prior_auth, step, place, refused) for step in allowed if step in STEPS]
        return sorted(listed, key=lambda offer: not offer.is_next)

    def _answers_form(self, prior_auth: PriorAuth, refused: Refused | None) -> AnswersForm | None:
        """Return the questionnaire to fill in; None where it is only to be read."""
        if not self._may_answer(prior_auth):
            return None
        if refused and isinstance(refused.form, AnswersForm):
            return refused.form
        return AnswersForm(self.questions(prior_auth))

    def _attach_form(self, prior_auth: PriorAuth, refused: Refused | None) -> AttachForm | None:
        """Return the form that attaches a document; None where none can be attached."""
        is_open = self._may_answer(prior_auth) or self._is_asked(prior_auth) or self._open_appeal(prior_auth)
        if not is_open:
            return None
        if refused and isinstance(refused.form, AttachForm):
            return refused.form
        return AttachForm(self.proves(prior_auth))

    def proves(self, prior_auth: PriorAuth) -> Proves:
        """Return what a document can prove now: answers, what the insurer asks, or what an open appeal is about."""
        if self._is_asked(prior_auth):
            return of_insurer(prior_auth.information_requests.all())
        if appeal := self._open_appeal(prior_auth):
            return of_appeal(appeal, self.questions(prior_auth))
        return of_questionnaire(self.questions(prior_auth))

    def _is_asked(self, prior_auth: PriorAuth) -> bool:
        return self._is_clinical(prior_auth) and bool(open_questions(prior_auth))

    def _open_appeal(self, prior_auth: PriorAuth) -> Appeal | None:
        """Return the appeal that documents can be sent in with."""
        rows = prior_auth.appeals.filter(state__in=[state.value for state in OPEN_APPEALS])
        return rows.first() if self._is_clinical(prior_auth) else None

    def _may_answer(self, prior_auth: PriorAuth) -> bool:
        is_open = prior_auth.answers is not None and State(prior_auth.state) in BEFORE_SUBMISSION
        return is_open and self._is_clinical(prior_auth)

    def _is_clinical(self, prior_auth: PriorAuth) -> bool:
        is_ours = self.actor.organization_id == prior_auth.clinic_id
        return is_ours and not self.actor.roles.isdisjoint({Role.STAFF, Role.PRESCRIBER})

    def questions(self, prior_auth: PriorAuth) -> list[Standing]:
        """Return the questions to answer here: the prescriber's own stand in their step while it is open."""
        has_step = Step.ANSWER_PRESCRIBER in selectors.allowed_steps(prior_auth, self.actor)
        with_own = Role.PRESCRIBER in self.actor.roles and not has_step
        asked = standing_of(prior_auth, on=self.today())
        return [one for one in asked if with_own or not one.question.only_prescriber]

    def _to_read(self, prior_auth: PriorAuth, forms: list[PlainForm]) -> list[Answered]:
        """Return the answers that are shown only: those submitted, or so far those which are in no form of the page."""
        if prior_auth.packet:
            return submitted(prior_auth)
        shown = {name for form in forms for name in form.questions_shown()}
        return [one for one in answered(prior_auth, on=self.today()) if one.link_id not in shown]

    def _held_by(self, prior_auth: PriorAuth) -> str:
        """Return who else has the request in hand, empty when nobody has."""
        is_held = prior_auth.leased_until is not None and prior_auth.leased_until > self.now
        return str(prior_auth.reviewer) if is_held and prior_auth.reviewer_id != self.actor.person_id else ""

    def refuse(self, prior_auth_id: PriorAuthId, place: str, form: PlainForm, error: AuthzError) -> HttpResponse:
        """Return the page as the request is now, with a service's refusal in it.

        :raises NotFound: when the request is none of the reader's.
        :raises Forbidden: when it is not the reader's to do.
        """
        if isinstance(error, NotFound | Forbidden):
            raise error
        prior_auth = selectors.prior_auth(self.actor, prior_auth_id)
        fields: Mapping[str, list[str]] = getattr(error, "fields", {})
        form.refuse(fields)
        sentence = "" if fields else _sentence(error, prior_auth)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if fields else HTTPStatus.CONFLICT
        meanwhile = self._meanwhile(prior_auth) if isinstance(error, StaleVersion) else []
        return self.page(prior_auth, Refused(place, form, sentence, meanwhile), status=status)

    def _meanwhile(self, prior_auth: PriorAuth) -> list[str]:
        """Return in words what has changed since the reader was shown the request; empty when that is not known."""
        seen_at = parse_datetime(self.request.POST.get("seen_at", "")[:40])
        return list(changed_since(prior_auth, seen_at)) if seen_at and timezone.is_aware(seen_at) else []

    def version(self, request: HttpRequest) -> int:
        """Return the version the reader saw. Without one, nothing matches, and the page asks to look again."""
        sent = request.POST.get("version", "")
        return int(sent) if sent.isdecimal() and len(sent) < 10 else -1


class AnswersPage(RequestPage):
    """Takes answers to the questionnaire: all at once, or as they are typed, when only what it came to is shown."""

    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId) -> HttpResponse:
        return redirect("request", prior_auth_id=prior_auth_id)

    def post(self, request: HttpRequest, prior_auth_id: PriorAuthId) -> HttpResponse:
        prior_auth = selectors.prior_auth(self.actor, prior_auth_id)
        form = AnswersForm(self.questions(prior_auth), request.POST)
        if not form.is_valid():
            return (
                self._not_saved(prior_auth, [*form.faults()])
                if is_part(request)
                else self.page(prior_auth, Refused(ANSWER_QUESTIONS, form), status=HTTPStatus.UNPROCESSABLE_ENTITY)
            )
        try:
            clinic.answer_questions(
                prior_auth_id=prior_auth_id,
                answers=form.answers(),
                by=self.actor,
                now=self.now,
                expected_version=self.version(request),
            )
        except AuthzError as error:
            answer = self.refuse(prior_auth_id, ANSWER_QUESTIONS, form, error)
            faults = list(_faults(Refused(ANSWER_QUESTIONS, form, _told(error))))
            return self._not_saved(prior_auth, faults) if is_part(request) else answer
        if is_part(request):
            return self._saved(prior_auth_id, form)
        messages.success(request, "The answers are saved.")
        return redirect("request", prior_auth_id=prior_auth_id)

    def _not_saved(self, prior_auth: PriorAuth, faults: list[Fault]) -> HttpResponse:
        return render(self.request, "parts/saved.html", {"prior_auth": prior_auth, "faults": faults})

    def _saved(self, prior_auth_id: PriorAuthId, form: AnswersForm) -> HttpResponse:
        """Tell that it was saved, how it will pass now, and how many questions apply that the form does not show."""
        prior_auth = selectors.prior_auth(self.actor, prior_auth_id)
        asked = AnswersForm(self.questions(prior_auth))
        context = {
            "prior_auth": prior_auth,
            "now": self.now,
            "more": len({*asked.questions_shown()} - {*form.questions_shown()}),
            "outlook": outlook(prior_auth, on=self.today(), now=self.now),
            "places": [ANSWER_QUESTIONS, *(offer.step.value for offer in self._offers(prior_auth, "", None))],
            "is_saved": True,
        }
        return render(self.request, "parts/saved.html", context)


class StepTaken(RequestPage):
    """Takes one step."""

    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId, step: str = "") -> HttpResponse:
        return redirect("request", prior_auth_id=prior_auth_id)

    def post(self, request: HttpRequest, prior_auth_id: PriorAuthId, step: str) -> HttpResponse:
        taken = _BY_ADDRESS.get(step)
        if taken is None:
            raise Http404
        prior_auth = selectors.prior_auth(self.actor, prior_auth_id)
        form = STEPS[taken].form(prior_auth, taken, request.POST)
        if not form.is_valid():
            return self.page(prior_auth, Refused(taken.value, form), status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            STEPS[taken].take(
                prior_auth_id=prior_auth_id,
                by=self.actor,
                now=self.now,
                expected_version=self.version(request),
                **form.arguments(),
            )
        except AuthzError as error:
            return self.refuse(prior_auth_id, taken.value, form, error)
        messages.success(request, f"{words.DONE[taken]}.")
        # What is signed in the inbox leads back to the rest of it.
        return redirect("inbox") if request.POST.get("back") == "inbox" else redirect("request", prior_auth_id)


def _offer(prior_auth: PriorAuth, step: Step, place: str, refused: Refused | None) -> Offer:
    was_refused = refused is not None and refused.place == step.value
    form = refused.form if refused and was_refused else None
    return Offer(
        step=step,
        address=step.value.replace("_", "-"),
        label=words.ACTION[step],
        says=STEPS[step].says,
        form=form if isinstance(form, StepForm) else STEPS[step].form(prior_auth, step),
        is_next=step.value == place,
        is_open=was_refused,
    )


def _asked_prescriber(prior_auth: PriorAuth) -> str:
    """Return what the prescriber was last asked, empty when nothing is open."""
    if State(prior_auth.state) is not State.AWAITING_PRESCRIBER:
        return ""
    asked = prior_auth.events.filter(step=Step.ASK_PRESCRIBER.value).order_by("-sequence").first()
    return asked.note if asked else ""


def _sentence(error: AuthzError, prior_auth: PriorAuth) -> str:
    if isinstance(error, StaleVersion):
        return _CHANGED
    if isinstance(error, IllegalStep):
        standing = words.status(State(prior_auth.state), rows.outcome_of(prior_auth))
        return f"This cannot be done now. Where the request is: {standing.words}."
    return error.detail


def _told(error: AuthzError) -> str:
    if isinstance(error, StaleVersion):
        return "Somebody changed this request meanwhile. Save by the button below to see what: what you wrote is kept."
    return "" if getattr(error, "fields", None) else error.detail


def _faults(refused: Refused | None) -> Iterator[Fault]:
    if refused is None:
        return
    if refused.sentence:
        yield Fault(refused.sentence, "")
    yield from refused.form.faults()


def _unsent(refused: Refused | None, offers: list[Offer], answers: AnswersForm | None) -> list[tuple[str, str]]:
    """Return what was typed into a form that the page has no more."""
    if refused is None or refused.form is answers or any(refused.form is offer.form for offer in offers):
        return []
    return refused.form.typed()
