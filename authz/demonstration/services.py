"""Bring the demonstration into an empty database: every write goes through the services that real callers use.

Each thing happens at its own moment in the past, so deadlines, ages and the order of events are what they would be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from authz.access import selectors as access_selectors
from authz.access import services as access
from authz.access.machines import services as machines
from authz.access.models import Organization, Person
from authz.access.roles import Actor, Role
from authz.administration.services.contact import set_contact
from authz.demonstration import people, policies
from authz.demonstration.patients import Story, stories
from authz.demonstration.people import LogIn, Offer
from authz.demonstration.play import Stage, play
from authz.demonstration.policies import Held
from authz.ids import PayerPolicyId, PlanId
from authz.notifications import services as notifications
from authz.notifications.decisions_told import DECISION_TOPICS
from authz.outbox import services as outbox
from authz.pain import services as pain
from authz.policies.models import Plan
from authz.policies.services import activate_policy, create_plan, draft_policy
from authz.prescriptions.services import link_log_in, record_prescriber

# What happened before then is told to nobody, decisions apart; otherwise the first start would send weeks of notices.
TOLD_BEFORE = timedelta(hours=36)
_LICENSED_FROM = date(2015, 1, 1)
_LICENSED_UNTIL = date(2099, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeMachine:
    """An API client just made. Its secret is known now and never again."""

    name: str
    organization: str
    client_id: UUID
    secret: str


def is_loaded() -> bool:
    """Say whether the demonstration is in this database already."""
    return Organization.objects.filter(name__in=[place.name for place in people.places()]).exists()


def load(*, now: datetime, patients: Sequence[Story] | None = None) -> list[MadeMachine]:
    """Load the demonstration as of now, all or nothing, and return the API clients made; loaded already: do nothing.

    Everybody comes; of the patients all, unless `patients` says who.
    """
    if is_loaded():
        return []
    with transaction.atomic():
        stage = _set_stage(now)
        for place in people.places():
            if place.pain_signal:
                pain.switch(is_on=True, by=stage.someone(Role.CLINIC_ADMIN, place.key), now=now)
            if place.contact:
                set_contact(contact=place.contact, by=stage.someone(Role.INSURER_ADMIN, place.key), now=now)
        for story in stories() if patients is None else patients:
            play(story, stage, now)
        made = _make_machines(stage)
    _tell_news(now=now)
    return made


# -- who is there -----------------------------------------------------------------------------------------------------
def _set_stage(now: datetime) -> Stage:
    places = {
        place.key: access.create_organization(
            kind=place.kind, name=place.name, time_zone=place.time_zone, identifier_system=place.identifier_system
        )
        for place in people.places()
    }
    actors = {one.key: _bring_in(one, places[one.place.key], now) for one in people.log_ins()}
    for policy in policies.held():
        _bring_in_force(policy, actors, now)
    plans = {offer.key: _open(offer, places[offer.insurer]) for offer in people.offers()}
    return Stage(
        places=places,
        plans={key: PlanId(plan.public_id) for key, plan in plans.items()},
        actors=actors,
    )


def _bring_in(one: LogIn, organization: Organization, now: datetime) -> Actor:
    person = access.create_person(
        email=one.email, full_name=one.name, password=people.password(), time_zone=one.place.time_zone
    )
    for role in one.roles:
        access.add_membership(person=person, organization=organization, role=role)
    actor = access_selectors.actor_for(person=person, organization=organization)
    if one.licence is not None:
        access.record_licence(
            person=person,
            number=one.licence.number,
            state=one.licence.state,
            specialty=one.licence.specialty,
            valid_from=_LICENSED_FROM,
            valid_until=_LICENSED_UNTIL,
        )
    if one.npi:
        _register_prescriber(one, person, actor, now)
    return actor


def _bring_in_force(policy: Held, actors: Mapping[str, Actor], now: datetime) -> None:
    first_day = (now - timedelta(days=policy.in_force_ago)).date()
    draft = draft_policy(
        document=policy.document | {"in_force_from": first_day},
        by=actors[policy.drafted_by],
        now=now - timedelta(days=policy.drafted_ago),
    )
    activate_policy(
        policy_id=PayerPolicyId(draft.public_id),
        by=actors[policy.activated_by],
        now=now - timedelta(days=policy.activated_ago),
    )


def _open(offer: Offer, insurer: Organization) -> Plan:
    return create_plan(insurer=insurer, code=offer.code, name=offer.name, policy=offer.policy, regime=offer.regime)


def _register_prescriber(one: LogIn, person: Person, actor: Actor, now: datetime) -> None:
    given_name, family_name = one.name.removeprefix("Dr ").split(" ", maxsplit=1)
    record_prescriber(npi=one.npi, family_name=family_name, given_name=given_name, by=actor, now=now)
    link_log_in(npi=one.npi, person=person, by=actor, now=now)


def _make_machines(stage: Stage) -> list[MadeMachine]:
    made = []
    for machine in people.machines():
        organization = stage.places[machine.place.key]
        client, secret = machines.create_client(organization=organization, name=machine.name, roles=set(machine.roles))
        made.append(
            MadeMachine(name=client.name, organization=organization.name, client_id=client.public_id, secret=secret)
        )
    return made


# -- what need not be told any more -----------------------------------------------------------------------------------
def _tell_news(*, now: datetime) -> None:
    """Tell each fact at its own moment, as workers would have: into inboxes; what leaves the house waits for them.

    A decision told only when the first worker starts would have its notice late.
    """
    while messages := outbox.lease(at_most=100, now=now):
        for message in messages:
            is_told = message.announced_at > now - TOLD_BEFORE or message.topic in DECISION_TOPICS
            tell = notifications.fan_out if is_told else outbox.settle
            tell([message], now=message.announced_at)
