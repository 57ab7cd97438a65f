"""What ends by itself is started again, after longer and longer pauses; what never served is not tried again."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.folders import ROOT
from config.embedded.processes import CannotStart, await_end
from config.embedded.services import LOG_LIMIT, Program, Watched, must_live, pause, put_old_log_aside


@pytest.fixture
def failing(folder: Path) -> Iterator[Program]:
    """A program that ends at once, complaining."""
    program = Program("web", ["no_such_module_at_all"], folder / "web.log", {"PATH": "/usr/bin", "HOME": str(ROOT)})
    program.begin()
    yield program
    await_end(program.process, seconds=0)


def has_ended(program: Program) -> int:
    assert program.process is not None
    return program.process.wait(10)


def test_the_pauses_grow_to_half_a_minute() -> None:
    assert [pause(n) for n in (1, 2, 3, 4)] == [0.2, 0.4, 0.8, 1.6]
    assert pause(9) == pause(10_000) == 30.0


def test_a_program_that_ended_is_started_again_after_its_pause(failing: Program) -> None:
    watched = Watched(failing, started=100.0)
    status = has_ended(failing)

    told = watched.look(101.0)
    too_early = watched.look(101.1)
    in_time = watched.look(101.3)

    assert told == f"web ended (exit status {status}); see {failing.log}"
    assert too_early is None
    assert in_time == "web started again"


def test_each_quick_end_doubles_the_pause_and_a_minute_of_good_health_resets_it(failing: Program) -> None:
    watched = Watched(failing, started=100.0)
    for now in (101.0, 102.0, 103.0):
        has_ended(failing)
        watched.look(now)
        watched.look(now + 0.9)
    quick = watched.failures

    has_ended(failing)
    watched.look(103.9 + 61)

    assert (quick, watched.failures) == (3, 1)


def test_a_running_program_is_no_news(folder: Path) -> None:
    program = Program("web", ["http.server", "--bind", "127.0.0.1", "0"], folder / "web.log", {"PATH": "/usr/bin"})
    program.begin()

    news = Watched(program, started=100.0).look(101.0)

    assert news is None
    await_end(program.process, seconds=0)


def test_a_program_that_dies_before_it_serves_stops_the_start_and_shows_its_last_words(failing: Program) -> None:
    has_ended(failing)

    with pytest.raises(CannotStart, match=r"(?s)web ended while starting \(exit status 1\).*no_such_module_at_all"):
        must_live(failing)


def test_a_long_log_is_put_aside_and_a_short_one_is_kept(folder: Path) -> None:
    (folder / "web.log").write_bytes(b"x" * (LOG_LIMIT + 1))
    (folder / "beat.log").write_bytes(b"x")

    put_old_log_aside(folder / "web.log")
    put_old_log_aside(folder / "beat.log")

    assert sorted(p.name for p in folder.iterdir()) == ["beat.log", "web.log.old"]


def test_programs_run_with_the_python_of_the_supervisor(failing: Program) -> None:
    has_ended(failing)

    assert failing.process is not None
    assert failing.process.args[0] == sys.executable  # type: ignore[index]  # a list, as spawn made it
