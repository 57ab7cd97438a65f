"""A short run of the fault suite keeps every promise; with one safeguard taken away it breaks some, and says so."""

import re
import subprocess
import sys

import pytest

from tests.live.processes import ROOT

pytestmark = pytest.mark.live


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.faults", "--patients", "80", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


def test_while_everything_is_killed_frozen_and_cut_off_nothing_is_lost_or_doubled() -> None:
    done = run("--seconds", "45", "--faults", "20")

    assert done.returncode == 0, done.stdout + done.stderr
    faults = re.search(r"; ([0-9]+) faults;", done.stdout)
    assert faults is not None
    assert int(faults[1]) >= 10
    assert "Every promise was kept." in done.stdout


@pytest.mark.parametrize(
    ("safeguard", "fault", "broken"),
    [
        ("outbox", "kill web", "happened 1 times and was written down 0 times"),
        ("lease-expiry", "kill a worker", "were never"),
        ("idempotency-keys", "kill web", "a client was refused what it could rightly do"),
    ],
)
def test_without_a_safeguard_promises_are_broken_and_named(safeguard: str, fault: str, broken: str) -> None:
    """Each is tried with the fault that it guards against, so that its absence is noticed for certain."""
    done = run("--seconds", "40", "--faults", "10", "--patience", "20", "--without", safeguard, "--only", fault)

    assert done.returncode == 1, done.stdout + done.stderr
    assert broken in done.stdout
