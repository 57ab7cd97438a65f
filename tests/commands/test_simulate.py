"""`manage.py simulate`: figures of a draft in a file, or a sentence that says what is wrong."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from authz.policies import catalog
from tests.cast import TODAY, Cast, fill, register

SHIPPED = Path(catalog.__file__).parent / "fl_law_2018-1.toml"
DAYS = ["--from", str(TODAY - timedelta(6)), "--to", str(TODAY)]


def simulated(*words: str) -> str:
    """Return what the command prints."""
    out = StringIO()
    call_command("simulate", *words, stdout=out)
    return out.getvalue()


def test_a_file_of_the_catalog_is_compared_with_the_policy_in_force(cast: Cast) -> None:
    fill(cast, register(cast), 5)

    report = json.loads(simulated(str(SHIPPED), *DAYS, "--plan", "EV-PPO", "--json"))
    words = simulated(str(SHIPPED), *DAYS, "--plan", "EV-PPO", "--minutes-a-request", "30")

    assert (report["policy_in_force"], report["policy_drafted"]) == ("default 1", "fl_law_2018 1")
    assert (report["newly_caught"], report["draft"]["requests_a_week"]) == (1, "1.00")
    assert "newly caught: 1 patients, 0 in mid-therapy; released: 0; caught by both: 0" in words
    assert "reviewer hours, at 30 minutes                       0.00                  0.50" in words


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["no-such.toml", *DAYS], "no-such.toml cannot be read"),
        ([__file__, *DAYS], "cannot be read"),
        ([str(SHIPPED), *DAYS], "No plan names the policy 'fl_law_2018'"),
        ([str(SHIPPED), *DAYS, "--plan", "NONE"], "There is no plan NONE."),
        ([str(SHIPPED), "--from", "2025-02-02", "--to", "2025-02-01", "--plan", "EV-PPO"], "until: The period ends"),
    ],
)
def test_what_cannot_be_simulated_is_said(cast: Cast, words: list[str], says: str) -> None:
    with pytest.raises(CommandError, match="(?s).*" + says.replace("(", "\\(")):
        simulated(*words)
