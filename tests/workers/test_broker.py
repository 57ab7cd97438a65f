import base64
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from django.conf import LazySettings
from redis import Redis

from config.embedded.ports import any_free
from config.embedded.valkey import Valkey
from workers.broker import Sender, nudge
from workers.schedule import DRAIN_OUTBOX

TASK = "authz.some-task"


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield listener.getsockname()[1]


def test_a_nudge_is_a_task_name_without_any_arguments(broker: "Redis[bytes]") -> None:
    nudge()

    [raw] = broker.lrange("authz", 0, -1)
    message = json.loads(raw)
    args, kwargs, _ = json.loads(base64.b64decode(message["body"]))
    assert message["headers"]["task"] == DRAIN_OUTBOX
    assert (args, kwargs) == ([], {})
    assert message["headers"]["expires"] is not None


@pytest.mark.parametrize("where", ["closed port", "deaf port", "no socket"])
def test_a_broker_that_cannot_be_reached_is_given_up_within_a_second(
    deaf_port: int, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    urls = {
        "closed port": f"redis://127.0.0.1:{any_free()}/0",
        "deaf port": f"redis://127.0.0.1:{deaf_port}/0",
        "no socket": "redis+socket:///nowhere/valkey.sock",
    }
    sender = Sender(urls[where], pause=5)
    started = monotonic()

    sent = sender.send(TASK, expires=60)

    assert not sent
    assert monotonic() - started < 1.0
    [line] = [record.getMessage() for record in caplog.records if record.name == "workers.broker"]
    assert line in {
        f"broker-unreachable task={TASK} error=ConnectionError",
        f"broker-unreachable task={TASK} error=TimeoutError",
    }


def test_after_a_failure_nobody_is_slowed_down_again_until_the_pause_is_over(deaf_port: int) -> None:
    clock = Clock()
    sender = Sender(f"redis://127.0.0.1:{deaf_port}/0", pause=5, clock=clock)
    sender.send(TASK, expires=60)
    started = monotonic()

    for _ in range(100):
        clock.seconds += 0.049
        sender.send(TASK, expires=60)

    assert monotonic() - started < 0.1


def test_a_broker_that_is_back_is_used_again(own_valkey: Valkey) -> None:
    clock = Clock()
    sender = Sender(own_valkey.url().replace("unix://", "redis+socket://"), pause=5, clock=clock)
    outcomes = []

    def send(at: float) -> None:
        clock.seconds = at
        outcomes.append(sender.send(TASK, expires=60))

    own_valkey.start()
    send(at=0)
    own_valkey.stop()
    send(at=1)
    own_valkey.start()
    send(at=5)
    send(at=6)

    assert outcomes == [True, False, False, True]


def test_settings_name_the_nudge_that_exists(settings: LazySettings) -> None:
    assert f"{nudge.__module__}.{nudge.__qualname__}" == settings.OUTBOX_NUDGE
    assert Path(f"{nudge.__module__.replace('.', '/')}.py").exists()
