"""Insurers' plans and the policies they hold themselves: every write."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from authz import clock
from authz.access.models import Organization
from authz.access.roles import Action, Actor, must_be_allowed
from authz.audit import services as audit
from authz.errors import AuthzError, Forbidden, InvalidInput, NotFound
from authz.ids import PayerPolicyId
from authz.policies import catalog
from authz.policies.examples import failures
from authz.policies.models import PayerPolicy, Plan, PolicyState
from authz.policies.schema import TERMS, read_policy, to_document
from authz.policies.selectors import last_day_of, version_of
from authz.policies.version import PolicyVersion


class PolicyClosed(AuthzError):
    """An activated policy is never changed, and a retired one never comes back: draft a new version."""

    code = "policy-closed"


@transaction.atomic
def create_plan(
    *,
    insurer: Organization,
    code: str,
    name: str,
    policy: str = catalog.DEFAULT,
    regime: str = "generic",
    time_zone: str = "America/New_York",
) -> Plan:
    """Create a plan of an insurer under a policy, its own or of the catalog, and a regime of the catalog.

    :raises UnknownPolicy: when there is no such policy or regime; a draft is none yet.
    """
    own = PayerPolicy.objects.filter(insurer=insurer, code=policy).exclude(state=PolicyState.DRAFT.value)
    if not own.exists():
        catalog.versions(policy)
    catalog.regime(regime)
    return Plan.objects.create(insurer=insurer, code=code, name=name, policy=policy, regime=regime, time_zone=time_zone)


@transaction.atomic
def draft_policy(*, document: Mapping[str, Any], by: Actor, now: datetime) -> PayerPolicy:
    """Draft a version of a policy for the actor's insurer, or rewrite its draft of that code and version.

    `document` is what a file of the catalog holds. Whoever writes last is the author.

    :raises InvalidInput: naming by path what is wrong with the document, or that the catalog has that version.
    :raises PolicyClosed: when that version is active or retired.
    """
    author = _person(by)
    version = read_policy(document)
    if any(version.key == shipped.key for shipped in catalog.policies().get(version.code, ())):
        raise InvalidInput({"version": ["The catalog has a version of that name: give it another one."]})
    insurer = _locked_insurer(by)
    row = PayerPolicy.objects.filter(insurer=insurer, code=version.code, version=version.version).first()
    row = row or PayerPolicy(insurer=insurer, code=version.code, version=version.version)
    _must_be(PolicyState.DRAFT, row)
    _write(row, version)
    row.author_id, row.drafted_at = author, now
    row.save()
    audit.record(by=by, action="draft", subject_kind="policy", subject_id=row.public_id, now=now)
    return row


@transaction.atomic
def activate_policy(*, policy_id: PayerPolicyId, by: Actor, now: datetime) -> PayerPolicy:
    """Bring a draft in force for its days. From then on it can never be changed.

    :raises NotFound: when the actor's insurer holds no such policy.
    :raises Forbidden: for its author: a second person must look at it.
    :raises PolicyClosed: when it is no draft any more.
    :raises InvalidInput: naming each example that it does not agree with, or the version that holds on its days.
    """
    activator = _person(by)
    row = _locked(policy_id, by)
    _must_be(PolicyState.DRAFT, row)
    if row.author_id == activator:
        raise Forbidden("Somebody other than its author activates a policy.")
    version = version_of(row)
    _must_agree_with_its_examples(version)
    _must_not_meet_another(row, version)
    row.state, row.activated_by_id, row.activated_at = PolicyState.ACTIVE.value, activator, now
    row.save()
    audit.record(by=by, action="activate", subject_kind="policy", subject_id=row.public_id, now=now)
    return row


@transaction.atomic
def retire_policy(*, policy_id: PayerPolicyId, retired_on: date, by: Actor, now: datetime) -> PayerPolicy:
    """End an active policy: `retired_on` is the first day on which it no longer holds, or never holds.

    :raises NotFound: when the actor's insurer holds no such policy.
    :raises PolicyClosed: when it is a draft, or retired already.
    :raises InvalidInput: when that day is before today in the insurer's calendar: what held, held.
    """
    person = _person(by)
    row = _locked(policy_id, by)
    _must_be(PolicyState.ACTIVE, row)
    if retired_on < clock.day_in(row.insurer.time_zone, at=now):
        raise InvalidInput({"retired_on": ["It lies in the past, where the policy has held already."]})
    row.state, row.retired_by_id = PolicyState.RETIRED.value, person
    row.retired_on = max(retired_on, row.in_force_from)
    row.save()
    audit.record(by=by, action="retire", subject_kind="policy", subject_id=row.public_id, now=now)
    return row


def _person(by: Actor) -> int:
    """Return the key of the person acting: four eyes are two people's."""
    must_be_allowed(by, Action.DECIDE_POLICIES)
    if by.person_id is None:
        raise Forbidden("Only a person, not a machine, decides on policies.")
    return by.person_id


def _locked_insurer(by: Actor) -> Organization:
    """Lock the insurer, so that its policies change one at a time."""
    return Organization.objects.select_for_update().get(pk=by.organization)


def _locked(policy_id: PayerPolicyId, by: Actor) -> PayerPolicy:
    insurer = _locked_insurer(by)
    row = PayerPolicy.objects.filter(insurer=insurer, public_id=policy_id).select_related("insurer").first()
    if row is None:
        raise NotFound("There is no such policy.")
    return row


def _must_be(state: PolicyState, row: PayerPolicy) -> None:
    if row.state != state.value:
        raise PolicyClosed(f"The policy is not {state.value} but {row.state}.")


def _write(row: PayerPolicy, version: PolicyVersion) -> None:
    document = to_document(version)
    row.title = version.title
    row.in_force_from, row.in_force_until = version.in_force_from, version.in_force_until
    row.terms = {name: document[name] for name in TERMS}


def _must_agree_with_its_examples(version: PolicyVersion) -> None:
    wrong: dict[str, list[str]] = {}
    for path, sentence in failures(version):
        wrong.setdefault(path, []).append(sentence)
    if wrong:
        raise InvalidInput(wrong, detail="The policy does not agree with its own examples.")


def _must_not_meet_another(row: PayerPolicy, version: PolicyVersion) -> None:
    """Refuse a day with two rules; the database would refuse it too, in words for nobody."""
    others = PayerPolicy.objects.filter(insurer_id=row.insurer_id, code=row.code).exclude(pk=row.pk)
    for other in others.exclude(state=PolicyState.DRAFT.value):
        last = last_day_of(other)
        begins_before_it_ends = last is None or version.in_force_from <= last
        ends_after_it_begins = version.in_force_until is None or other.in_force_from <= version.in_force_until
        holds_at_all = last is None or other.in_force_from <= last
        if holds_at_all and begins_before_it_ends and ends_after_it_begins:
            days = f"from {other.in_force_from} {f'to {last}' if last else 'on'}"
            raise InvalidInput({"in_force_from": [f"Version {other.version!r} of {other.code!r} holds {days}."]})
