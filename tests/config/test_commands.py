"""`make ACTION` and `python3 dev.py ACTION` do the same, need nothing beforehand, and install what the lock says."""

import ast
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

import dev
from config.embedded.folders import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def pins(name: str) -> dict[str, str]:
    """The packages of one export, by name."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.MULTILINE))


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "dev.py", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_make_has_the_same_actions_and_calls_dev_for_each() -> None:
    named = re.search(r"^ACTIONS := (.*)$", MAKEFILE, re.MULTILINE)

    assert named
    assert named[1].split() == list(dev.ACTIONS)
    assert "dev.py $@" in MAKEFILE


def test_help_explains_every_action() -> None:
    shown = run("help")

    assert shown.returncode == 0
    for name, action in dev.ACTIONS.items():
        assert f"{name:<12} {action.__doc__}" in shown.stdout


def test_an_unknown_action_is_answered_with_the_known_ones() -> None:
    shown = run("deploy")

    assert shown.returncode == 1
    assert "no action 'deploy'" in shown.stderr
    assert "demo" in shown.stderr


def test_an_unknown_set_and_an_unknown_check_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "install", lambda _wanted: Path(sys.executable))

    with pytest.raises(SystemExit, match="no set 'everything'"):
        dev.do_install(["everything"])
    with pytest.raises(SystemExit, match="no check spelling"):
        dev.do_check(["spelling"])


def test_an_old_python_can_read_the_file_far_enough_to_say_which_one_is_needed() -> None:
    source = (ROOT / "dev.py").read_text(encoding="utf-8")

    tree = ast.parse(source, feature_version=(3, 7))
    first = [type(node).__name__ for node in tree.body[:4]]

    assert first == ["Expr", "Import", "Assign", "If"]
    assert "Authz needs Python 3.11 or newer" in source


def test_before_installing_only_the_standard_library_is_used() -> None:
    shown = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import sys; sys.path.insert(0, '.'); import dev, config.embedded.reset"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (shown.returncode, shown.stderr) == (0, "")


@pytest.mark.parametrize("name", dev.EXPORTS)
def test_each_export_pins_what_the_lock_pins_and_hashes_all_of_it(name: str) -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    locked = {(package["name"], package["version"]) for package in lock["package"]}
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")

    assert set(pins(name).items()) <= locked
    assert len(pins(name)) > 20
    assert text.count("==") - text.count(" == '") <= text.count(" \\\n    --hash=sha256:")


@pytest.mark.parametrize("name", dev.EXPORTS)
def test_no_export_names_an_index(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")

    assert "http" not in text
    assert "index" not in text


def test_each_export_holds_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = {
        "production": project["project"]["dependencies"],
        "run": project["project"]["optional-dependencies"]["embedded"],
        "test": project["dependency-groups"]["test"],
        "check": project["dependency-groups"]["check"],
        "mutation": project["dependency-groups"]["mutation"],
    }

    for name, wanted in asked.items():
        names = {re.split(r"[\[<>=;]", requirement)[0].lower() for requirement in wanted}
        assert names <= set(pins(name)), name
    for smaller, larger in pairwise(dev.SETS):
        assert set(pins(smaller)) < set(pins(larger))
    # What an operator may configure must be in the image.
    assert set(pins("production")) - set(pins("run")) == {"django-anymail"}


def test_running_installs_no_test_and_no_check_tools() -> None:
    assert not {"pytest", "hypothesis", "ruff", "mypy"} & set(pins("run"))


def test_an_unchanged_list_is_not_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[str] = []
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    monkeypatch.setattr(dev, "writable", lambda _name: tmp_path)
    monkeypatch.setattr(dev, "_install_with_uv", lambda wanted, _venv: installed.append(wanted) or True)

    for wanted in ("test", "run", "test", "check"):
        assert dev.install(wanted) == tmp_path / "bin" / "python"

    assert installed == ["test", "check"]


def test_a_changed_list_is_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[str] = []
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    monkeypatch.setattr(dev, "writable", lambda _name: tmp_path)
    monkeypatch.setattr(dev, "_install_with_uv", lambda wanted, _venv: installed.append(wanted) or True)
    dev.install("run")
    (tmp_path / dev.STAMP).write_text('{"run": "of yesterday"}', encoding="utf-8")

    dev.install("run")

    assert installed == ["run", "run"]


def test_without_uv_pip_and_ensurepip_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev.importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(SystemExit, match=r"neither uv, nor pip, nor ensurepip.*python3-venv"):
        dev._pip_for(tmp_path)


def test_without_ensurepip_the_pip_outside_installs_into_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "_has_pip", lambda: True)

    command = dev._pip_for(tmp_path)

    assert command[-2:] == ["--python", str(tmp_path / "bin" / "python")]


@pytest.mark.parametrize("system", ["nt", "musl"])
def test_a_system_without_wheels_is_told_once_what_to_use(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev.sys, "argv", ["dev.py", "run"])
    monkeypatch.setitem(dev.ACTIONS, "run", lambda _args: None)
    monkeypatch.setattr(dev.sysconfig, "get_config_var", lambda _name: f"cpython-311-x86_64-linux-{system}")
    if system == "nt":
        monkeypatch.setattr(dev, "is_windows", lambda: True)

    with pytest.raises(SystemExit, match=r"(?s)docker compose up.*DATABASE_URL and REDIS_URL"):
        dev.main()


def test_ci_runs_the_commands_that_people_run() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    for action in ("test", "check", "demo", "mutation"):
        assert f"make {action}" in script
