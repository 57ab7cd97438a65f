"""Nothing we start outlives us, and what does not listen is made to leave."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.embedded import leftovers
from config.embedded.folders import ROOT
from config.embedded.processes import ask_to_stop, await_end, ending, spawn, tail

SLEEPER = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(60)",
]
PARENT = """
import subprocess, sys, time
from pathlib import Path
from config.embedded.processes import spawn
child = spawn([sys.executable, "-c", "import time; time.sleep(60)"], log=None)
print(child.pid, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    return leftovers.is_running(pid, mentions=())


def wait_for(log: Path) -> None:
    deadline = time.monotonic() + 10
    while "here" not in tail(log) and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_child_dies_with_a_parent_that_was_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.stdout.close()

    parent.kill()
    parent.wait()

    deadline = time.monotonic() + 5
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(child)


def test_a_child_is_in_a_session_of_its_own_so_that_ctrl_c_reaches_only_us(folder: Path) -> None:
    child = spawn(SLEEPER, log=folder / "log")

    theirs = os.getsid(child.pid)
    ask_to_stop(child, signal.SIGTERM)
    await_end(child, seconds=5)

    assert theirs != os.getsid(0)
    assert child.returncode == -signal.SIGTERM


def test_a_child_that_ignores_the_polite_signal_is_killed(folder: Path) -> None:
    child = spawn(STUBBORN, log=folder / "log")
    wait_for(folder / "log")

    ask_to_stop(child, signal.SIGTERM)
    await_end(child, seconds=0.2)

    assert child.returncode == -signal.SIGKILL


def test_what_an_earlier_start_noted_and_left_running_is_stopped(folder: Path) -> None:
    left = spawn(SLEEPER, log=folder / "log")
    wait_for(folder / "log")
    leftovers.note(folder / "processes.json", [left.pid])

    leftovers.stop_noted(folder / "processes.json")

    assert left.wait(5) == -signal.SIGTERM
    assert not (folder / "processes.json").exists()


def test_a_noted_pid_that_belongs_to_another_program_now_is_left_alone(folder: Path) -> None:
    stranger = spawn(SLEEPER, log=folder / "log")
    wait_for(folder / "log")
    (folder / "processes.json").write_text(f'[[{stranger.pid}, "gunicorn config.wsgi"]]', encoding="utf-8")

    leftovers.stop_noted(folder / "processes.json")

    assert stranger.poll() is None
    await_end(stranger, seconds=0)


def test_an_ending_is_told_in_words() -> None:
    assert ending(-9) == "signal 9, SIGKILL"
    assert ending(3) == "exit status 3"


def test_a_missing_or_empty_log_says_so(folder: Path) -> None:
    assert "empty" in tail(folder / "none.log")
