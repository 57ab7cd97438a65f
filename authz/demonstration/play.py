"""Let one patient's story happen: each fact and each step at its own moment, through the services real callers use."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from authz import clock
from authz.access.models import Organization
from authz.access.roles import Actor, Role
from authz.demonstration import people
from authz.demonstration.paths import PATHS, Players, Taken
from authz.demonstration.patients import Peg, Story, Supply
from authz.ids import FillId, PatientId, PlanId
from authz.pain import services as pain
from authz.pain.facts import PainScoreFacts
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.facts import CoverageFacts, ExemptionFacts, FillFacts, PatientFacts, PrescriptionFacts
from authz.prior_auths import selectors
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import intake
from authz.rules.pain_signal import Instrument

_COVERED_FOR = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everybody and everything the stories name, by the tables' keys."""

    places: Mapping[str, Organization]
    plans: Mapping[str, PlanId]
    actors: Mapping[str, Actor]

    def someone(self, role: Role, place: str) -> Actor:
        """Return the first person of that role there."""
        return next(self.actors[one.key] for one in people.log_ins() if one.place.key == place and role in one.roles)


@dataclass(frozen=True, slots=True)
class _Happening:
    """Something that is done at a moment, which it takes as `now`."""

    at: datetime
    do: Callable[..., object]


def play(story: Story, stage: Stage, now: datetime) -> None:
    """Let everything in the story happen, in the order of its moments."""
    staff = stage.someone(Role.STAFF, story.clinic)
    patient_id = _register(story, stage, staff, now)
    happenings = [*_records(story, patient_id, stage, now), *_steps(story, patient_id, stage, now)]
    for happening in sorted(happenings, key=lambda one: one.at):
        happening.do(now=happening.at)


def _register(story: Story, stage: Stage, staff: Actor, now: datetime) -> PatientId:
    begins = _days_before(now, max(supply.ago for supply in story.supplies), stage.places[story.clinic])
    plan_id = stage.plans.get(story.plan)
    facts = PatientFacts(
        identifier=story.number,
        family_name=story.family_name,
        given_name=story.given_name,
        birth_date=story.born,
        plan_id=plan_id,
        member_id=story.member if plan_id else "",
    )
    patient, _ = intake.register_patient(facts=facts, by=staff, now=begins)
    coverage = CoverageFacts(
        plan_id=plan_id,
        payer_name=story.payer,
        member_id=story.member,
        starts_on=(begins - _COVERED_FOR).date(),
        ends_on=None,
    )
    patient_id = PatientId(patient.public_id)
    intake.record_coverage(patient_id=patient_id, facts=coverage, by=staff, now=begins)
    return patient_id


def _records(story: Story, patient_id: PatientId, stage: Stage, now: datetime) -> Iterator[_Happening]:
    """Yield what was dispensed, reversed, ordered, excused and asked about pain."""
    place = stage.places[story.clinic]
    staff = stage.someone(Role.STAFF, story.clinic)
    for count, supply in enumerate(story.fills):
        yield from _dispensed(f"{story.number}-F{count + 1}", count, supply, patient_id, staff, place, now)
    for count, supply in enumerate(story.orders):
        at = _days_before(now, supply.ago, place)
        order = PrescriptionFacts(identifier=f"{story.number}-O{count + 1}", **_facts(supply, at, place))
        yield _Happening(at, partial(intake.record_prescription, patient_id=patient_id, facts=order, by=staff))
    if story.exempt is not None:
        told = story.exempt
        excuse = ExemptionFacts(category=told.category, starts_on=None, ends_on=None, evidence=told.evidence)
        at = _days_before(now, told.ago, place)
        yield _Happening(at, partial(intake.record_exemption, patient_id=patient_id, facts=excuse, by=staff))
    for count, peg in enumerate(story.pegs):
        at = _days_before(now, peg.ago, place)
        score = _score(f"{story.number}-P{count + 1}", peg, on=clock.day_in(place.time_zone, at=at))
        yield _Happening(at, partial(pain.record_score, patient_id=patient_id, facts=score, by=staff))


def _score(identifier: str, peg: Peg, *, on: date) -> PainScoreFacts:
    intensity, enjoyment, activity = peg.answers
    return PainScoreFacts(
        identifier=identifier,
        scored_on=on,
        instrument=Instrument.PEG,
        pain=intensity,
        enjoyment=enjoyment,
        activity=activity,
    )


def _dispensed(
    identifier: str,
    count: int,
    supply: Supply,
    patient_id: PatientId,
    staff: Actor,
    place: Organization,
    now: datetime,
) -> Iterator[_Happening]:
    at = _days_before(now, supply.ago, place)
    facts = FillFacts(identifier=identifier, fill_number=count, **_facts(supply, at, place))
    told_at = at if supply.told_ago is None else _days_before(now, supply.told_ago, place)
    yield _Happening(told_at, partial(intake.record_fill, patient_id=patient_id, facts=facts, by=staff))
    if supply.reversed_ago is not None:
        reversed_at = _days_before(now, supply.reversed_ago, place)
        yield _Happening(reversed_at, partial(_reverse, identifier=identifier, by=staff))


def _facts(supply: Supply, at: datetime, place: Organization) -> dict[str, Any]:
    return {
        "starts_on": clock.day_in(place.time_zone, at=at),
        "rxcui": supply.rxcui,
        "quantity": supply.quantity,
        "days_supply": supply.days,
        "prescriber_npi": next(one.npi for one in people.log_ins() if one.key == supply.prescriber),
    }


def _reverse(*, identifier: str, by: Actor, now: datetime) -> None:
    fill = prescriptions.fills(by).get(identifier=identifier)
    intake.reverse_fill(fill_id=FillId(fill.public_id), by=by, now=now)


def _steps(story: Story, patient_id: PatientId, stage: Stage, now: datetime) -> Iterator[_Happening]:
    """Yield what people did with the request, evenly spread between the first and the last hour."""
    if not story.reaches:
        return
    insurer = next(offer.insurer for offer in people.offers() if offer.key == story.plan)
    players = Players(
        staff=stage.someone(Role.STAFF, story.clinic),
        prescriber=stage.actors[story.prescriber],
        reviewer=stage.someone(Role.REVIEWER, insurer),
        physician=stage.someone(Role.PHYSICIAN, insurer),
        at_insurer=partial(stage.someone, place=insurer),
    )
    walk = _Walk(story, patient_id, players)
    path = PATHS[story.reaches]
    first, last = story.hours
    for place, step in enumerate(path):
        hours = first + (last - first) * place / (len(path) - 1)
        yield _Happening(now - timedelta(hours=hours), partial(walk.take, step))


@dataclass(slots=True)
class _Walk:
    """A request on its path; each step is taken on what the one before returned."""

    story: Story
    patient_id: PatientId
    players: Players
    prior_auth: PriorAuth | None = None

    def take(self, step: Taken, *, now: datetime) -> None:
        """Take one step; for the first one the request must have been opened by the records."""
        known = selectors.prior_auths(self.players.staff).filter(patient__public_id=self.patient_id)
        opened = self.prior_auth or known.earliest("pk")
        self.prior_auth = step(opened, self.story, self.players, now)


def _days_before(now: datetime, days: int, place: Organization) -> datetime:
    """Return the instant at the same time of day so many days before, by the clock on the organization's wall."""
    local = now.astimezone(ZoneInfo(place.time_zone))
    return (local - timedelta(days=days)).astimezone(UTC)
