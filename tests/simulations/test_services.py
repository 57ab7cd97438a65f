"""A simulation is asked for by an insurer, run by a worker, and tells figures only."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection

from authz.access import selectors as access_selectors
from authz.access import services as access
from authz.access.roles import Actor, Role
from authz.errors import Forbidden, InvalidInput, NotFound
from authz.ids import PayerPolicyId, PlanId
from authz.policies.services import create_plan, draft_policy, rewrite_policy
from authz.rules.formulary import packaged
from authz.rules.policy import Policy
from authz.simulations import selectors, services
from authz.simulations.history import histories
from authz.simulations.models import Simulation, SimulationState
from tests.cast import NOW, TODAY, Cast, fill, later, register
from tests.policies.documents import limit


def clock() -> datetime:
    return NOW


@pytest.fixture
def noor(cast: Cast) -> Actor:
    """Return the administrator of Evergreen, who drafts."""
    return administrator(cast, "noor")


def administrator(cast: Cast, name: str) -> Actor:
    person = access.create_person(email=f"{name}@example.org", full_name=name, password="a long enough password")
    access.add_membership(person=person, organization=cast.evergreen, role=Role.INSURER_ADMIN)
    return access_selectors.actor_for(person=person, organization=cast.evergreen)


_versions = count(1)


def drafted(noor: Actor, limit_days: int) -> PayerPolicyId:
    """Return a draft that differs from the default in its limit alone."""
    wanted = limit(limit_days, thresholds=[], version=f"v{next(_versions)}")
    return PayerPolicyId(draft_policy(document=wanted, by=noor, now=NOW).public_id)


def asked(cast: Cast, noor: Actor, limit_days: int = 3, **more: Any) -> Simulation:
    wanted: dict[str, Any] = {"since": TODAY - timedelta(27), "until": TODAY, "plans": [PlanId(cast.plan.public_id)]}
    return services.ask(policy_id=drafted(noor, limit_days), **(wanted | more), by=noor, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_a_stricter_draft_catches_patients_and_tells_how_many_and_when(cast: Cast, noor: Actor) -> None:
    five_days, ten_days, two_days, running = (register(cast) for _ in range(4))
    fill(cast, five_days, 5)
    fill(cast, ten_days, 10)
    fill(cast, two_days, 2)
    fill(cast, running, 2, on=TODAY - timedelta(29))
    fill(cast, running, 2, on=TODAY - timedelta(8))
    simulation = asked(cast, noor)

    assert services.run_next(clock=clock)

    simulation.refresh_from_db()
    report = simulation.report
    assert simulation.state is SimulationState.DONE
    assert (report["members"], report["members_with_use"]) == (4, 4)
    assert (report["newly_caught"], report["caught_by_both"], report["released"]) == (2, 1, 0)
    assert report["newly_caught_in_mid_therapy"] == 1
    assert (report["in_force"]["requests"], report["draft"]["requests"]) == (1, 3)
    assert (report["draft"]["requests_a_week"], report["draft"]["reviewer_hours"]) == ("0.75", "0.75")
    weeks = {row["week_of"]: (row["in_force"], row["draft"]) for row in report["by_week"]}
    assert weeks == {
        "2025-02-03": (0, 0), "2025-02-10": (0, 0), "2025-02-17": (0, 1), "2025-02-24": (0, 0), "2025-03-03": (1, 2),
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_laxer_draft_releases_patients(cast: Cast, noor: Actor) -> None:
    fill(cast, register(cast), 10)
    simulation = asked(cast, noor, limit_days=14)

    services.run_next(clock=clock)

    simulation.refresh_from_db()
    assert (simulation.report["released"], simulation.report["draft"]["requests"]) == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_only_the_plans_own_members_and_days_are_counted(cast: Cast, noor: Actor) -> None:
    fill(cast, register(cast, insured=False), 10)
    other = create_plan(insurer=cast.evergreen, code="EV-HMO", name="Evergreen HMO")
    simulation = asked(cast, noor, plans=[PlanId(other.public_id)])
    fill(cast, register(cast), 10)

    services.run_next(clock=clock)

    simulation.refresh_from_db()
    assert (simulation.report["members"], simulation.report["draft"]["requests"]) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_run_whose_worker_died_begins_anew_after_its_lease_and_counts_nothing_twice(cast: Cast, noor: Actor) -> None:
    fill(cast, register(cast), 5)
    simulation = asked(cast, noor)
    Simulation.objects.update(attempts=1, due_at=later(1))  # leased by a worker that will not come back

    assert not services.run_next(clock=clock)
    assert services.run_next(clock=lambda: later(2))

    simulation.refresh_from_db()
    assert simulation.report["draft"]["requests"] == 1
    assert not services.run_next(clock=lambda: later(3))


@pytest.mark.django_db(transaction=True)
def test_while_history_is_read_no_transaction_hides_how_far_a_run_is_nor_does_a_setting_stay(cast: Cast) -> None:
    fill(cast, register(cast), 5)

    for _ in histories([cast.plan.pk], policy=Policy.default(), formulary=packaged(), as_of=TODAY):
        assert not connection.in_atomic_block

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_settings WHERE name = 'work_mem' AND source = 'session'")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_a_draft_rewritten_meanwhile_is_simulated_as_it_was_when_asked(cast: Cast, noor: Actor) -> None:
    fill(cast, register(cast), 5)
    simulation = asked(cast, noor, limit_days=3)
    laxer = limit(20, thresholds=[], version=simulation.policy.version)
    rewrite_policy(policy_id=PayerPolicyId(simulation.policy.public_id), document=laxer, by=noor, now=NOW)

    services.run_next(clock=clock)

    simulation.refresh_from_db()
    assert simulation.report["draft"]["requests"] == 1


def test_what_cannot_be_simulated_is_refused_by_name(cast: Cast, noor: Actor) -> None:
    summits = create_plan(insurer=cast.summit, code="S", name="S")
    part_d = create_plan(insurer=cast.evergreen, code="D", name="D", policy="part_d_2019")
    refused = {
        "since after until": ({"since": TODAY, "until": TODAY - timedelta(1)}, "until"),
        "another insurer's plan": ({"plans": [PlanId(summits.public_id)]}, "plans"),
        "no plan that names the code": ({"plans": []}, "plans"),
        "plans under two policies": ({"plans": [PlanId(part_d.public_id), PlanId(cast.plan.public_id)]}, "plans"),
        "no time at all": ({"minutes_a_request": 0}, "minutes_a_request"),
    }

    for what, (wish, field) in refused.items():
        with pytest.raises(InvalidInput) as error:
            asked(cast, noor, **wish)
        assert list(error.value.fields) == [field], what
    assert not Simulation.objects.exists()


def test_nobody_else_asks_or_sees(cast: Cast, noor: Actor) -> None:
    simulation = asked(cast, noor)
    key = PayerPolicyId(simulation.policy.public_id)

    for stranger in (cast.oscar, cast.rae, cast.stella):
        with pytest.raises((Forbidden, NotFound)):
            services.ask(policy_id=key, since=TODAY, until=TODAY, by=stranger, now=NOW)
    with pytest.raises(NotFound):
        selectors.simulation(cast.oscar, key, simulation.public_id)
    assert selectors.simulation(cast.rae, key, simulation.public_id) == simulation
    assert Simulation.objects.count() == 1
