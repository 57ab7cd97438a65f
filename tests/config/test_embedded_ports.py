"""A port that is taken costs a line on the terminal, not the start."""

import socket
from collections.abc import Iterator

import pytest

from config.embedded import ports


@pytest.fixture
def taken() -> Iterator[int]:
    """A port somebody listens on, answering nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_the_next_free_port_is_used_when_the_wanted_one_is_taken(taken: int) -> None:
    found = ports.next_free(taken)

    assert taken < found < taken + ports.PORTS_TO_TRY


def test_a_free_port_is_used_as_it_is() -> None:
    free = ports.any_free()

    assert ports.next_free(free) == free


@pytest.mark.parametrize("nonsense", ["web", "0", "65536", "-1", "80.0"])
def test_a_port_that_is_none_is_refused(nonsense: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", nonsense)

    with pytest.raises(ports.WrongPort, match="from 1 to 65535"):
        ports.wanted_port()


def test_the_port_is_8000_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORT", raising=False)
    unset = ports.wanted_port()
    monkeypatch.setenv("PORT", "9001")

    assert (unset, ports.wanted_port()) == (8000, 9001)


def test_nothing_that_does_not_answer_is_ready() -> None:
    assert not ports.is_ready(ports.any_free())
