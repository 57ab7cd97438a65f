import base64
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
import yaml
from django.conf import LazySettings
from redis import Redis

from authz.outbox.nudge import Waiting
from config.embedded.ports import any_free
from config.embedded.programs import courier
from config.embedded.valkey import Valkey
from workers.broker import Sender, heed, nudge
from workers.schedule import DRAIN_OUTBOX, OUTSIDE, SEND_DELIVERIES

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


@pytest.mark.parametrize(
    ("waiting", "queue", "task"),
    [(Waiting.FACTS, "authz", DRAIN_OUTBOX), (Waiting.DELIVERIES, OUTSIDE, SEND_DELIVERIES)],
)
def test_a_nudge_is_a_task_name_without_any_arguments(
    broker: "Redis[bytes]", waiting: Waiting, queue: str, task: str
) -> None:
    nudge(waiting)

    [raw] = broker.lrange(queue, 0, -1)
    message = json.loads(raw)
    args, kwargs, _ = json.loads(base64.b64decode(message["body"]))
    assert message["headers"]["task"] == task
    assert (args, kwargs) == ([], {})
    assert message["headers"]["expires"] is not None


def test_the_courier_takes_what_is_sent_to_it_embedded_and_in_production() -> None:
    of_production = yaml.safe_load(Path("docker-compose.yml").read_text(encoding="utf-8"))["services"]["courier"]

    for command in (courier(), of_production["command"]):
        assert command[command.index("--queues") + 1] == OUTSIDE


def test_while_a_nudge_is_on_its_way_another_is_not_sent(broker: "Redis[bytes]") -> None:
    for _ in range(3):
        nudge(Waiting.FACTS)
    nudge(Waiting.DELIVERIES)

    assert (broker.llen("authz"), broker.llen(OUTSIDE)) == (1, 1)


def test_what_comes_after_a_worker_heeded_a_nudge_has_one_of_its_own(broker: "Redis[bytes]") -> None:
    nudge(Waiting.FACTS)
    heed(Waiting.FACTS)

    nudge(Waiting.FACTS)

    assert broker.llen("authz") == 2


def test_a_nudge_that_was_lost_holds_up_others_no_longer_than_a_sweep(
    broker: "Redis[bytes]", settings: LazySettings
) -> None:
    nudge(Waiting.FACTS)
    broker.delete("authz")

    [left] = [broker.pttl(key) for key in broker.scan_iter("nudged:*")]

    assert 0 < left <= settings.SWEEP_SECONDS * 1000


@pytest.mark.parametrize("where", ["closed port", "deaf port", "no socket"])
def test_a_broker_that_cannot_be_reached_is_given_up_within_a_second(
    deaf_port: int, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    urls = {
        "closed port": f"redis://127.0.0.1:{any_free()}/0",
        "deaf port": f"redis://127.0.0.1:{deaf_port}/0",
        "no socket": "unix:///nowhere/valkey.sock",
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
    sender = Sender(own_valkey.url(), pause=5, clock=clock)
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
