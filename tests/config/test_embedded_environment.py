"""A command of the checkout joins what is served there, and can do without it."""

import os
import stat
from pathlib import Path

import pytest

from config.embedded import environment

TOLD = {"DATABASE_URL": "postgresql:///authz?host=/run/x", "DJANGO_ENV": "demonstration", "AUTHZ_SECRET_KEY": "k" * 40}
SETTINGS = ("DATABASE_URL", "REDIS_URL", "DJANGO_ENV", "AUTHZ_SECRET_KEY")


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Take every setting away, and return the data folder commands then look in."""
    monkeypatch.setattr(os, "environ", {name: value for name, value in os.environ.items() if name not in SETTINGS})
    os.environ["AUTHZ_DATA_DIR"] = str(tmp_path)
    return tmp_path


def test_a_command_joins_what_is_running(unset: Path) -> None:
    environment.write_note(unset, TOLD)

    environment.join_running()

    assert {name: os.environ[name] for name in TOLD} == TOLD


def test_the_note_holds_a_secret_and_is_for_its_owner_alone(unset: Path) -> None:
    environment.write_note(unset, TOLD)

    assert stat.S_IMODE((unset / environment.NOTE).stat().st_mode) == 0o600


@pytest.mark.parametrize("name", SETTINGS)
def test_whoever_sets_anything_is_left_alone(unset: Path, name: str) -> None:
    environment.write_note(unset, TOLD)
    os.environ[name] = "of my own"

    environment.join_running()

    assert [setting for setting in SETTINGS if setting in os.environ] == [name]


def test_with_nothing_running_a_command_has_settings_but_no_database(unset: Path) -> None:
    environment.join_running()

    assert "nothing-runs-here" in os.environ["DATABASE_URL"]
    assert len(os.environ["AUTHZ_SECRET_KEY"]) >= 32
