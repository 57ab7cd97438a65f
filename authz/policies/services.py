"""Insurers' plans and the policies they hold themselves: every write.

A policy that comes into force or ends is announced: the patients of its plans are then rechecked.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction

from authz import clock
from authz.access.models import Organization
from authz.access.roles import Action, Actor, must_be_allowed
from authz.audit import services as audit
from authz.errors import AuthzError, Forbidden, InvalidInput, NotFound, StaleVersion
from authz.ids import PayerPolicyId
from authz.outbox.services import announce
from authz.policies import catalog, regimes
from authz.policies.examples import failures
from authz.policies.models import PayerPolicy, PayerReason, Plan, PolicyState
from authz.policies.reasons import LibraryReason
from authz.policies.schema import TERMS, read_policy, to_document
from authz.policies.selectors import last_day_of, version_of
from authz.policies.stillness import change_policies
from authz.policies.version import PolicyVersion

ACTIVATED = "policy.activated"
RETIRED = "policy.retired"


class PolicyClosed(AuthzError):
    """An activated policy is never changed, and a retired one never comes back: draft a new version."""

    code = "policy-closed"


class RegimeNotForDrugs(AuthzError):
    """The regime's clocks are not those of drugs, which are all that is decided here."""

    code = "regime-not-for-drugs"


@transaction.atomic
def create_plan(
    *,
    insurer: Organization,
    code: str,
    name: str,
    policy: str = catalog.DEFAULT,
    regime: str = regimes.GENERIC,
    time_zone: str = "America/New_York",
) -> Plan:
    """Create a plan of an insurer under a policy, its own or of the catalog, and a regime.

    :raises UnknownPolicy: when there is no such policy; a draft is none yet.
    :raises UnknownRegime: when there is no such regime.
    :raises RegimeNotForDrugs: when the regime is for something else.
    """
    _must_be_known(insurer, policy)
    _must_be_for_drugs(regime)
    return Plan.objects.create(insurer=insurer, code=code, name=name, policy=policy, regime=regime, time_zone=time_zone)


@transaction.atomic
def open_plan(
    *, code: str, name: str, policy: str, regime: str, time_zone: str | None = None, by: Actor, now: datetime
) -> Plan:
    """Create a plan of the actor's insurer, in the insurer's own calendar unless said.

    :raises InvalidInput: when the insurer has a plan of that code, or there is no such policy, regime or time zone.
    """
    must_be_allowed(by, Action.DECIDE_POLICIES)
    insurer = _locked_insurer(by)
    zone = time_zone or insurer.time_zone
    wrong: dict[str, list[str]] = {}
    if insurer.plans.filter(code=code).exists():
        wrong["code"] = [f"There is a plan {code!r} already."]
    if zone not in available_timezones():
        wrong["time_zone"] = ["An IANA time zone such as America/Chicago is needed."]
    with _unknown_as(wrong, "policy"):
        _must_be_known(insurer, policy)
    with _unknown_as(wrong, "regime"):
        _must_be_for_drugs(regime)
    if wrong:
        raise InvalidInput(wrong)
    plan = create_plan(insurer=insurer, code=code, name=name, policy=policy, regime=regime, time_zone=zone)
    audit.record(by=by, action="create", subject_kind="plan", subject_id=plan.public_id, now=now)
    return plan


@transaction.atomic
def draft_policy(*, document: Mapping[str, Any], by: Actor, now: datetime) -> PayerPolicy:
    """Draft a version of a policy for the actor's insurer. `document` is what a file of the catalog holds.

    :raises InvalidInput: naming by path what is wrong with the document, or that there is that version already.
    """
    author = _person(by)
    version = read_policy(document)
    if any(version.key == shipped.key for shipped in catalog.policies().get(version.code, ())):
        raise InvalidInput({"version": ["The catalog has a version of that name: give it another one."]})
    insurer = _locked_insurer(by)
    there = PayerPolicy.objects.filter(insurer=insurer, code=version.code, version=version.version).first()
    if there is not None:
        raise InvalidInput({"version": [f"There is a version of that name, {there.state}: give it another one."]})
    row = PayerPolicy(insurer=insurer, code=version.code, version=version.version)
    _write(row, version, author, now)
    audit.record(by=by, action="draft", subject_kind="policy", subject_id=row.public_id, now=now)
    return row


@transaction.atomic
def rewrite_policy(
    *,
    policy_id: PayerPolicyId,
    document: Mapping[str, Any],
    by: Actor,
    now: datetime,
    expected_edition: int | None = None,
) -> PayerPolicy:
    """Put another document in place of a draft's. It keeps its code and version, and whoever writes last is its author.

    :raises NotFound: when the actor's insurer holds no such policy.
    :raises StaleVersion: when the caller read another edition.
    :raises PolicyClosed: when it is active or retired.
    :raises InvalidInput: naming by path what is wrong with the document.
    """
    author = _person(by)
    row = _locked(policy_id, by, expected_edition)
    _must_be(PolicyState.DRAFT, row)
    version = read_policy(document)
    moved = {
        name: [f"A draft keeps its {name}: it is {kept!r}."]
        for name, kept, given in (("code", row.code, version.code), ("version", row.version, version.version))
        if kept != given
    }
    if moved:
        raise InvalidInput(moved)
    row.drafts += 1
    _write(row, version, author, now)
    audit.record(by=by, action="rewrite", subject_kind="policy", subject_id=row.public_id, now=now)
    return row


@transaction.atomic
def activate_policy(
    *, policy_id: PayerPolicyId, by: Actor, now: datetime, expected_edition: int | None = None
) -> PayerPolicy:
    """Bring a draft in force for its days. From then on it can never be changed.

    :raises NotFound: when the actor's insurer holds no such policy.
    :raises StaleVersion: when the caller read another edition, and so has not looked at what would come into force.
    :raises Forbidden: for its author: a second person must look at it.
    :raises PolicyClosed: when it is no draft any more.
    :raises InvalidInput: naming each example that it does not agree with, or the version that holds on its days.
    """
    activator = _person(by)
    change_policies()
    row = _locked(policy_id, by, expected_edition)
    _must_be(PolicyState.DRAFT, row)
    if row.author_id == activator:
        raise Forbidden("Somebody other than its author activates a policy.")
    version = version_of(row)
    _must_agree_with_its_examples(version)
    _must_not_meet_another(row, version)
    row.state, row.activated_by_id, row.activated_at = PolicyState.ACTIVE.value, activator, now
    row.save()
    audit.record(by=by, action="activate", subject_kind="policy", subject_id=row.public_id, now=now)
    announce(topic=ACTIVATED, subject_id=row.public_id, now=now)
    return row


@transaction.atomic
def retire_policy(
    *, policy_id: PayerPolicyId, retired_on: date, by: Actor, now: datetime, expected_edition: int | None = None
) -> PayerPolicy:
    """End an active policy: `retired_on` is the first day on which it no longer holds, or never holds.

    :raises NotFound: when the actor's insurer holds no such policy.
    :raises StaleVersion: when the caller read another edition.
    :raises PolicyClosed: when it is a draft, or retired already.
    :raises InvalidInput: when that day is before today in the insurer's calendar: what held, held.
    """
    person = _person(by)
    change_policies()
    row = _locked(policy_id, by, expected_edition)
    _must_be(PolicyState.ACTIVE, row)
    if retired_on < clock.day_in(row.insurer.time_zone, at=now):
        raise InvalidInput({"retired_on": ["It lies in the past, where the policy has held already."]})
    row.state, row.retired_by_id = PolicyState.RETIRED.value, person
    row.retired_on = max(retired_on, row.in_force_from)
    row.save()
    audit.record(by=by, action="retire", subject_kind="policy", subject_id=row.public_id, now=now)
    announce(topic=RETIRED, subject_id=row.public_id, now=now)
    return row


def _person(by: Actor) -> int:
    """Return the key of the person acting: four eyes are two people's."""
    must_be_allowed(by, Action.DECIDE_POLICIES)
    if by.person_id is None:
        raise Forbidden("Only a person, not a machine, decides on policies.")
    return by.person_id


@contextmanager
def _unknown_as(wrong: dict[str, list[str]], field: str) -> Iterator[None]:
    try:
        yield
    except (catalog.UnknownPolicy, regimes.UnknownRegime, RegimeNotForDrugs) as unknown:
        wrong[field] = [unknown.detail]


def _must_be_for_drugs(regime: str) -> None:
    newest = regimes.versions(regime)[-1]
    if not newest.covers_drugs:
        raise RegimeNotForDrugs(f"The regime {regime!r} is not for drugs: {newest.notes[0]}")


def _must_be_known(insurer: Organization, policy: str) -> None:
    own = PayerPolicy.objects.filter(insurer=insurer, code=policy).exclude(state=PolicyState.DRAFT.value)
    if not own.exists():
        catalog.versions(policy)


def _locked_insurer(by: Actor) -> Organization:
    """Lock the insurer, so that its plans and drafts are made one at a time."""
    return Organization.objects.select_for_update(no_key=True).get(pk=by.organization)


def _locked(policy_id: PayerPolicyId, by: Actor, expected_edition: int | None) -> PayerPolicy:
    rows = PayerPolicy.objects.select_for_update(of=("self",)).select_related("insurer")
    row = rows.filter(insurer_id=by.organization, public_id=policy_id).first()
    if row is None:
        raise NotFound("There is no such policy.")
    if expected_edition is not None and expected_edition != row.edition:
        raise StaleVersion(f"The policy is at version {row.edition} now; you read version {expected_edition}.")
    return row


def _must_be(state: PolicyState, row: PayerPolicy) -> None:
    if row.state != state.value:
        raise PolicyClosed(f"The policy is not {state.value} but {row.state}.")


def _write(row: PayerPolicy, version: PolicyVersion, author: int, now: datetime) -> None:
    document = to_document(version)
    row.title = version.title
    row.in_force_from, row.in_force_until = version.in_force_from, version.in_force_until
    row.terms = {name: document[name] for name in TERMS}
    row.author_id, row.drafted_at = author, now
    row.save()


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


@transaction.atomic
def record_reason(*, reason: LibraryReason, by: Actor, now: datetime) -> PayerReason:
    """Say a reason in the insurer's own words, or add one. What was decided before keeps the words it was told in.

    :raises Forbidden: when the actor may not decide on policies.
    """
    must_be_allowed(by, Action.DECIDE_POLICIES)
    said = {"text": reason.text, "criterion": reason.criterion, "would_change": reason.would_change}
    row, _ = PayerReason.objects.update_or_create(
        insurer_id=by.organization, code=reason.code, defaults={**said, "recorded_at": now}
    )
    audit.record(by=by, action="record", subject_kind="reason", subject_id=row.public_id, now=now)
    return row
