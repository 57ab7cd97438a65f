"""How much is tried, and how much it was. `make abuse` tries all of it, `make abuse ARGS=--short` a part."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings

Tries = Callable[[int], settings]
_TRIED: pytest.StashKey[Counter[str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--short", action="store_true", help="a few hundred cases instead of all")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TRIED] = Counter()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section("tried")
    for what, count in sorted(config.stash[_TRIED].items()):
        terminalreporter.line(f"{count:>9,}  {what}")


@pytest.fixture(scope="session")
def tried(pytestconfig: pytest.Config) -> Counter[str]:
    """How often what was tried, for the summary."""
    return pytestconfig.stash[_TRIED]


@pytest.fixture(scope="session")
def tries(pytestconfig: pytest.Config) -> Tries:
    """Hypothesis' settings for so many examples, of which a short run takes a fiftieth."""
    is_short = pytestconfig.getoption("short")

    def of(count: int) -> settings:
        return settings(
            max_examples=max(1, count // 50) if is_short else count,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )

    return of
