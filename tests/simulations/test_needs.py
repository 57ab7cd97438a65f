"""Read in SQL and walked, recorded history says of every patient what the rule says."""

from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest

from authz.policies import catalog
from authz.policies.version import PolicyVersion
from authz.prescriptions.models import Patient
from authz.rules.formulary import packaged
from authz.rules.policy import Policy
from authz.simulations.history import histories
from authz.simulations.needs import needs_by_rule, needs_of
from authz.simulations.report import Period
from tests.cast import Cast
from tests.simulations.recorded import record_random_patients

WHOLE = Period(since=date(2020, 1, 1), until=date(2024, 3, 20))
LATE = Period(since=date(2024, 2, 10), until=date(2024, 2, 25))


def policy_with(**settings: Any) -> PolicyVersion:
    """Return the default policy with some settings changed."""
    default = catalog.policy(catalog.DEFAULT, date(2024, 1, 1))
    return replace(default, parameters=Policy.from_mapping(settings))


DEFAULT = policy_with(gap_days=9)
POLICIES = {
    "default": DEFAULT,
    "three days": policy_with(limit_days=3, gap_days=5, count_written=False),
    "minors": policy_with(gap_days=9, minor_limit_days=3),
    "in a window": policy_with(limit_days=5, window_days=10, gap_days=9, count_pain_buprenorphine=True),
    "days' supply": policy_with(overlap="sum", gap_days=9, exempt_categories=["cancer"]),
    "per fill": policy_with(mode="per_fill_naive", limit_days=5, gap_days=9, gap_anchor="fill_date"),
    "left to the rule": policy_with(overlap="shift", gap_days=9),
    "by dose too": catalog.policy("in_medicaid_2016", date(2024, 1, 1)),
}


def walked_and_by_rule(
    cast: Cast, policy: PolicyVersion, period: Period, patients: list[int]
) -> tuple[dict[int, Any], dict[int, Any]]:
    read = histories({cast.plan.pk}, policy=policy.parameters, formulary=packaged(), as_of=period.until)
    wanted = ([history for history in piece if history.patient in set(patients)] for piece in read)
    walked = [needs_of(piece, policy, formulary=packaged(), period=period) for piece in wanted]
    by_rule = needs_by_rule(patients, policy, formulary=packaged(), period=period)
    return {patient: needs for piece in walked for patient, needs in piece.items()}, by_rule


@pytest.mark.thorough
def test_history_read_in_sql_gives_the_needs_that_the_rule_gives(cast: Cast) -> None:
    record_random_patients(cast, Random(7), 5_000)
    patients = list(Patient.objects.order_by("pk").values_list("pk", flat=True))

    walked, by_rule = walked_and_by_rule(cast, DEFAULT, WHOLE, patients)

    assert len(by_rule) > 1_000
    assert walked == by_rule
    for name, policy in POLICIES.items():
        walked, by_rule = walked_and_by_rule(cast, policy, LATE, patients[:300])
        assert len(by_rule) > 5, name
        assert walked == by_rule, name
