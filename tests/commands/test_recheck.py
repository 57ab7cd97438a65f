"""An operator has patients rechecked after a change that concerns them all."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from authz.policies.models import Plan
from authz.prior_auths.models import PriorAuth
from tests import cast as stage
from tests.cast import Cast


def rechecked(*options: str) -> str:
    told = StringIO()
    call_command("recheck", *options, stdout=told)
    return told.getvalue().strip()


def test_everybody_is_rechecked_as_of_today(cast: Cast) -> None:
    long_over = stage.detected(cast)
    stage.register(cast, insured=False)

    assert rechecked("--all") == "Patients asked for: 2; still to be rechecked: 0."

    assert PriorAuth.objects.get(pk=long_over.pk).state == "lapsed"


def test_or_only_the_patients_of_a_plan(cast: Cast) -> None:
    stage.register(cast)
    stage.register(cast, insured=False)

    assert rechecked("--plan", "EV-PPO") == "Patients asked for: 1; still to be rechecked: 0."


def test_a_plan_that_covers_nobody_is_named(cast: Cast) -> None:
    assert Plan.objects.exists()

    with pytest.raises(CommandError, match="No plan 'EV-PPO' covers anybody"):
        rechecked("--plan", "EV-PPO")
