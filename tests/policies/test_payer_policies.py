"""Policies that an insurer holds itself: drafted by one person, activated by another, and then left alone."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from authz.access.roles import Actor
from authz.audit.models import AuditEntry
from authz.errors import Forbidden, InvalidInput, NotFound, StaleVersion
from authz.policies import selectors, services
from authz.policies.catalog import UnknownPolicy
from authz.policies.models import PayerPolicy, Plan
from authz.policies.services import PolicyClosed
from tests import cast as stage
from tests.cast import NOW, TODAY
from tests.policies.documents import limit, strict
from tests.policies.office import Office, admin, key_of

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


# -- drafting


def test_a_draft_keeps_what_it_was_given_and_who_wrote_it(office: Office) -> None:
    row = office.drafted()

    assert (row.insurer, row.state, row.author_id) == (office.cast.evergreen, "draft", office.ada.person_id)
    assert (row.code, row.version, row.title, row.in_force_from) == ("evergreen", "1", "Three days", date(2025, 1, 1))
    assert selectors.version_of(row).parameters.limit_days == 3
    assert AuditEntry.objects.filter(action="draft", subject_id=row.public_id).count() == 1


def test_a_draft_can_be_rewritten_and_its_last_writer_is_its_author(office: Office) -> None:
    first = office.drafted()

    second = services.rewrite_policy(policy_id=key_of(first), document=limit(5), by=office.ben, now=NOW)

    assert (second.pk, second.author_id, second.edition) == (first.pk, office.ben.person_id, 2)
    assert selectors.version_of(PayerPolicy.objects.get()).parameters.limit_days == 5
    with pytest.raises(Forbidden):
        services.activate_policy(policy_id=key_of(second), by=office.ben, now=NOW)


def test_a_draft_is_not_drafted_over(office: Office) -> None:
    office.drafted()

    with pytest.raises(InvalidInput) as refused:
        services.draft_policy(document=limit(5), by=office.ben, now=NOW)

    assert list(refused.value.fields) == ["version"]
    assert selectors.version_of(PayerPolicy.objects.get()).parameters.limit_days == 3


def test_a_draft_keeps_its_code_and_version(office: Office) -> None:
    row = office.drafted()

    with pytest.raises(InvalidInput) as refused:
        services.rewrite_policy(
            policy_id=key_of(row), document=strict(code="other", version="2"), by=office.ben, now=NOW
        )

    assert sorted(refused.value.fields) == ["code", "version"]
    assert PayerPolicy.objects.get().author_id == office.ada.person_id


def test_nobody_signs_what_they_have_not_read(office: Office) -> None:
    read = office.drafted()
    services.rewrite_policy(policy_id=key_of(read), document=limit(30), by=office.ada, now=NOW)

    with pytest.raises(StaleVersion, match="at version 2 now; you read version 1"):
        services.activate_policy(policy_id=key_of(read), by=office.ben, now=NOW, expected_edition=read.edition)
    with pytest.raises(StaleVersion):
        services.rewrite_policy(
            policy_id=key_of(read), document=limit(4), by=office.ben, now=NOW, expected_edition=read.edition
        )

    assert (PayerPolicy.objects.get().state, PayerPolicy.objects.get().drafts) == ("draft", 2)


def test_each_change_is_an_edition_of_its_own(office: Office) -> None:
    row = office.drafted()
    editions = [row.edition]

    for act in (
        lambda key: services.rewrite_policy(policy_id=key, document=strict(), by=office.ada, now=NOW),
        lambda key: services.activate_policy(policy_id=key, by=office.ben, now=NOW),
        lambda key: services.retire_policy(policy_id=key, retired_on=TOMORROW, by=office.ben, now=NOW),
    ):
        editions.append(act(key_of(row)).edition)

    assert editions == [1, 2, 3, 4]


def test_a_document_that_is_wrong_is_refused_and_leaves_nothing(office: Office) -> None:
    with pytest.raises(InvalidInput) as refused:
        office.drafted(strict(parameters={"limit_dayz": {"value": 3, "source": "handbook", "confirmed": True}}))

    assert list(refused.value.fields) == ["parameters.limit_dayz"]
    assert not PayerPolicy.objects.exists()


def test_a_version_of_the_catalog_keeps_its_name(office: Office) -> None:
    with pytest.raises(InvalidInput) as refused:
        office.drafted(strict(code="part_d_2019", version="2"))

    assert list(refused.value.fields) == ["version"]
    assert office.drafted(strict(code="part_d_2019", version="own-1")).state == "draft"


# -- who may


@pytest.mark.parametrize("name", ["rae", "patel", "stella", "jones"])
def test_only_an_insurers_administrator_decides_on_policies(office: Office, name: str) -> None:
    actor: Actor = getattr(office.cast, name)
    row = office.drafted()

    acts: list[Callable[[], object]] = [
        lambda: services.draft_policy(document=strict(version="2"), by=actor, now=NOW),
        lambda: services.rewrite_policy(policy_id=key_of(row), document=limit(5), by=actor, now=NOW),
        lambda: services.activate_policy(policy_id=key_of(row), by=actor, now=NOW),
        lambda: services.retire_policy(policy_id=key_of(row), retired_on=TOMORROW, by=actor, now=NOW),
    ]

    for act in acts:
        with pytest.raises(Forbidden, match="decide on policies"):
            act()
    assert [policy.state for policy in PayerPolicy.objects.all()] == ["draft"]


def test_a_machine_has_no_eyes(office: Office) -> None:
    row = office.drafted()
    machine = stage.machine_of(office.ben)

    with pytest.raises(Forbidden, match="Only a person"):
        services.draft_policy(document=strict(version="2"), by=machine, now=NOW)
    with pytest.raises(Forbidden, match="Only a person"):
        services.activate_policy(policy_id=key_of(row), by=machine, now=NOW)


def test_another_insurer_knows_nothing_of_it(office: Office) -> None:
    row = office.drafted()

    assert list(selectors.payer_policies(office.sue)) == []
    with pytest.raises(NotFound):
        selectors.payer_policy(office.sue, key_of(row))
    with pytest.raises(NotFound):
        services.activate_policy(policy_id=key_of(row), by=office.sue, now=NOW)
    assert services.draft_policy(document=strict(), by=office.sue, now=NOW).insurer == office.cast.summit
    assert PayerPolicy.objects.get(pk=row.pk).state == "draft"


def test_its_own_people_read_it_and_a_clinic_does_not(office: Office) -> None:
    row = office.drafted()

    assert selectors.payer_policy(office.cast.rae, key_of(row)) == row
    with pytest.raises(Forbidden):
        selectors.payer_policies(office.cast.stella)


# -- activating


def test_a_second_person_activates_it(office: Office) -> None:
    row = office.active()

    assert (row.state, row.activated_by_id, row.activated_at) == ("active", office.ben.person_id, NOW)
    assert AuditEntry.objects.filter(action="activate", subject_id=row.public_id).count() == 1


def test_its_author_does_not_activate_it(office: Office) -> None:
    row = office.drafted()

    with pytest.raises(Forbidden, match="other than its author"):
        services.activate_policy(policy_id=key_of(row), by=office.ada, now=NOW)

    assert PayerPolicy.objects.get().state == "draft"


def test_a_policy_that_fails_its_own_examples_is_not_activated(office: Office) -> None:
    document = strict()
    document["parameters"]["limit_days"]["value"] = 4
    row = office.drafted(document)

    with pytest.raises(InvalidInput) as refused:
        services.activate_policy(policy_id=key_of(row), by=office.ben, now=NOW)

    assert refused.value.fields == {"examples[1]": ["The fourth day needs authorization: it requires none."]}
    assert PayerPolicy.objects.get().state == "draft"


def test_it_is_activated_once(office: Office) -> None:
    row = office.active()

    with pytest.raises(PolicyClosed, match="not draft but active"):
        services.activate_policy(policy_id=key_of(row), by=office.ben, now=NOW)
    with pytest.raises(PolicyClosed):
        services.rewrite_policy(policy_id=key_of(row), document=limit(5), by=office.ada, now=NOW)
    assert selectors.version_of(PayerPolicy.objects.get()).parameters.limit_days == 3


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        (("2025-01-01", None), ("2026-01-01", None), True),
        (("2025-01-01", "2025-12-31"), ("2025-12-31", None), True),
        (("2025-01-01", "2025-12-31"), ("2026-01-01", None), False),
        (("2026-01-01", None), ("2025-01-01", "2025-12-31"), False),
        (("2026-01-01", None), ("2025-01-01", "2026-01-01"), True),
        (("2026-01-01", None), ("2025-01-01", None), True),
    ],
)
def test_two_versions_never_hold_on_one_day(office: Office, first: Any, second: Any, is_refused: bool) -> None:
    office.active(strict(in_force_from=first[0], in_force_until=first[1]))
    row = office.drafted(strict(version="2", in_force_from=second[0], in_force_until=second[1]))

    try:
        services.activate_policy(policy_id=key_of(row), by=office.ben, now=NOW)
        told = []
    except InvalidInput as refused:
        told = list(refused.fields)

    assert told == (["in_force_from"] if is_refused else [])


def test_another_code_or_another_insurer_is_another_policy(office: Office) -> None:
    office.active()
    office.active(strict(code="other"))
    row = services.draft_policy(document=strict(), by=office.sue, now=NOW)
    services.activate_policy(policy_id=key_of(row), by=admin("sam", office.cast.summit), now=NOW)

    assert PayerPolicy.objects.filter(state="active").count() == 3


# -- retiring


def test_a_retired_policy_keeps_the_days_on_which_it_held(office: Office) -> None:
    row = office.retired(TOMORROW)
    rules = selectors.PlanRules(code="evergreen", own=(selectors.version_of(row),))

    assert (row.state, row.retired_by_id) == ("retired", office.ada.person_id)
    assert [rules.on(day).code for day in (date(2025, 1, 1), TODAY, TOMORROW)] == ["evergreen", "evergreen", "default"]


def test_what_held_in_the_past_held(office: Office) -> None:
    row = office.active()

    with pytest.raises(InvalidInput) as refused:
        services.retire_policy(policy_id=key_of(row), retired_on=YESTERDAY, by=office.ada, now=NOW)

    assert list(refused.value.fields) == ["retired_on"]
    assert services.retire_policy(policy_id=key_of(row), retired_on=TODAY, by=office.ada, now=NOW).state == "retired"


def test_a_policy_retired_before_its_first_day_never_holds(office: Office) -> None:
    row = office.retired(TODAY, strict(in_force_from="2026-01-01"))
    own_plan = services.create_plan(insurer=office.cast.evergreen, code="P2", name="P2", policy="evergreen")

    assert row.retired_on == date(2026, 1, 1)
    assert selectors.policy_for(own_plan, date(2026, 6, 1)).code == "default"
    assert office.active(strict(version="2", in_force_from="2025-06-01")).state == "active"


def test_only_an_active_policy_is_retired_and_only_once(office: Office) -> None:
    draft = office.drafted(strict(code="other"))
    retired = office.retired(TOMORROW)

    for row in (draft, retired):
        with pytest.raises(PolicyClosed):
            services.retire_policy(policy_id=key_of(row), retired_on=TOMORROW, by=office.ada, now=NOW)


def test_the_next_version_takes_over_on_the_day_the_last_one_was_retired(office: Office) -> None:
    office.retired(TOMORROW)

    assert office.active(limit(5, version="2", in_force_from=TOMORROW.isoformat())).state == "active"


# -- which version holds


def test_a_payers_own_version_goes_before_the_catalogs_on_its_days(office: Office) -> None:
    cast = office.cast
    plan = services.create_plan(insurer=cast.evergreen, code="D", name="Part D", policy="part_d_2019")
    office.active(strict(code="part_d_2019", version="own-1", in_force_from="2025-02-01", in_force_until="2025-02-28"))
    days = [date(2018, 1, 1), date(2019, 6, 1), date(2025, 1, 31), date(2025, 2, 1), date(2025, 2, 28), TODAY]

    keys = [selectors.policy_for(plan, day).key for day in days]

    part_d = "part_d_2019"
    assert keys == [("default", "1"), (part_d, "1"), (part_d, "2"), (part_d, "own-1"), (part_d, "own-1"), (part_d, "2")]


def test_a_draft_holds_for_nobody(office: Office) -> None:
    office.drafted(strict(code="default", version="own"))

    assert selectors.policy_for(office.cast.plan, TODAY).key == ("default", "1")


def test_a_payers_own_default_holds_for_its_plans_and_for_nobody_else(office: Office) -> None:
    office.active(strict(code="default", version="own"))
    elsewhere = services.create_plan(insurer=office.cast.summit, code="S", name="S")

    assert selectors.policy_for(office.cast.plan, TODAY).key == ("default", "own")
    assert selectors.policy_for(elsewhere, TODAY).key == ("default", "1")
    assert selectors.policy_for(None, TODAY).key == ("default", "1")


def test_a_plan_names_a_policy_that_is_there(office: Office) -> None:
    office.drafted()
    with pytest.raises(UnknownPolicy):
        services.create_plan(insurer=office.cast.evergreen, code="P2", name="P2", policy="evergreen")
    services.activate_policy(policy_id=key_of(PayerPolicy.objects.get()), by=office.ben, now=NOW)

    plan = services.create_plan(insurer=office.cast.evergreen, code="P2", name="P2", policy="evergreen")

    assert selectors.policy_for(plan, TODAY).key == ("evergreen", "1")
    with pytest.raises(UnknownPolicy):
        services.create_plan(insurer=office.cast.summit, code="S2", name="S2", policy="evergreen")


def open_plan(by: Actor, **changes: Any) -> Plan:
    facts = {"code": "P3", "name": "Third", "policy": "part_d_2019", "regime": "generic"} | changes
    return services.open_plan(**facts, by=by, now=NOW)


def test_an_administrator_opens_a_plan_in_the_insurers_calendar(office: Office) -> None:
    plan = open_plan(office.ada)

    assert (plan.insurer, plan.policy, plan.time_zone) == (office.cast.evergreen, "part_d_2019", "America/New_York")
    assert AuditEntry.objects.filter(action="create", subject_id=plan.public_id).count() == 1


def test_everything_that_is_wrong_with_a_plan_is_told_at_once(office: Office) -> None:
    with pytest.raises(InvalidInput) as refused:
        open_plan(office.ada, code="EV-PPO", policy="nothing", regime="none", time_zone="Mars/Olympus")

    assert set(refused.value.fields) == {"code", "policy", "regime", "time_zone"}
    with pytest.raises(Forbidden):
        open_plan(office.cast.rae)
