"""The faults, and a seeded plan of them."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from random import Random
from threading import Event, Thread
from typing import NamedTuple

from redis import RedisError

from tests.faults.proxy import Proxy
from tests.faults.stack import LEASE_SECONDS, Stack
from tests.post_office import Mood, PostOffice
from tests.receiver import Receiver
from workers.broker import sender
from workers.schedule import DRAIN_OUTBOX, SEND_DELIVERIES


class World(NamedTuple):
    """What can be spoiled: our own servers and programs, and the two that others run."""

    stack: Stack
    office: PostOffice
    receiver: Receiver


Fault = Callable[[World, Random], None]


def _kill(kind: str) -> Fault:
    def kill(world: World, random: Random) -> None:
        world.stack.some(kind, random).signal(signal.SIGKILL)

    return kill


def _freeze(kind: str, longest: float) -> Fault:
    def freeze(world: World, random: Random) -> None:
        program = world.stack.some(kind, random)
        program.signal(signal.SIGSTOP)
        time.sleep(random.uniform(0.5, longest))
        program.signal(signal.SIGCONT)

    return freeze


def _flush(world: World, _random: Random) -> None:
    with suppress(RedisError):  # it is being started again: there is nothing left in it
        world.stack.broker().flushall()


def _flood(_world: World, random: Random) -> None:
    """Tell the workers the same thing many times, as a broker may that delivers at least once."""
    for _ in range(random.randint(5, 30)):
        sender().send(random.choice([DRAIN_OUTBOX, SEND_DELIVERIES]), expires=60)


def _cut(line: Callable[[Stack], Proxy]) -> Fault:
    def cut(world: World, random: Random) -> None:
        line(world.stack).cut()
        time.sleep(random.uniform(0.3, 3))
        line(world.stack).mend()

    return cut


def _bad_mail(mood: Mood) -> Fault:
    def spoil(world: World, random: Random) -> None:
        world.office.mood = mood
        time.sleep(random.uniform(0.5, 3))
        world.office.mood = Mood.ACCEPT

    return spoil


def _flapping_mail(world: World, random: Random) -> None:
    for _ in range(random.randint(3, 8)):
        world.office.mood = random.choice([Mood.REFUSE, Mood.ACCEPT])
        time.sleep(0.2)
    world.office.mood = Mood.ACCEPT


def _bad_receiver(world: World, random: Random) -> None:
    world.receiver.status = random.choice([500, 503, 429])
    time.sleep(random.uniform(0.5, 3))
    world.receiver.status = 204


def _flapping_receiver(world: World, random: Random) -> None:
    for _ in range(random.randint(3, 8)):
        world.receiver.status = random.choice([500, 204])
        time.sleep(0.2)
    world.receiver.status = 204


def _slow_receiver(world: World, random: Random) -> None:
    world.receiver.meanwhile = lambda: time.sleep(0.8)
    time.sleep(random.uniform(1, 4))
    world.receiver.meanwhile = lambda: None


def _another_clock(world: World, random: Random) -> None:
    """Start a worker again on a machine whose clock is some minutes off, and later once more with the right one."""
    program = world.stack.some("worker", random)
    program.env["AUTHZ_CLOCK_OFF_BY"] = str(random.choice([-120, -20, 20, 120]))
    program.signal(signal.SIGKILL)
    time.sleep(random.uniform(3, 6))
    del program.env["AUTHZ_CLOCK_OFF_BY"]
    program.signal(signal.SIGKILL)


FAULTS: dict[str, tuple[int, Fault]] = {
    "kill a worker": (8, _kill("worker")),
    "kill beat": (2, _kill("beat")),
    "kill web": (6, _kill("web")),
    "freeze a worker": (4, _freeze("worker", LEASE_SECONDS + 3)),
    "freeze web": (2, _freeze("web", 4)),
    "flush Valkey": (4, _flush),
    "restart Valkey": (3, lambda world, _random: world.stack.restart_valkey()),
    "stop PostgreSQL at once and restart it": (2, lambda world, _random: world.stack.restart_postgres()),
    "cut the line to PostgreSQL": (4, _cut(lambda stack: stack.to_postgres)),
    "cut the line to Valkey": (3, _cut(lambda stack: stack.to_valkey)),
    "refuse mail": (2, _bad_mail(Mood.REFUSE)),
    "leave the mail hanging": (2, _bad_mail(Mood.HANG_BEFORE_ACCEPTING)),
    "flapping mail server": (2, _flapping_mail),
    "refuse webhooks": (2, _bad_receiver),
    "flapping webhook receiver": (2, _flapping_receiver),
    "slow webhook receiver": (2, _slow_receiver),
    "double the broker's messages": (4, _flood),
    "a worker with a wrong clock": (1, _another_clock),
}
"""Each with how likely it is."""


class Plan:
    """Does one fault of these kinds after the other, so many in so many seconds, in an order that the seed decides."""

    def __init__(
        self,
        stack: Stack,
        office: PostOffice,
        receiver: Receiver,
        *,
        seed: int,
        faults: int,
        seconds: float,
        kinds: Collection[str],
    ) -> None:
        self._world = World(stack, office, receiver)
        if unknown := set(kinds) - set(FAULTS):
            raise ValueError(f"there is no fault {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
        self._names = [name for name in FAULTS if name in kinds]
        self._random, self._faults, self._pause = Random(seed), faults, seconds / max(faults, 1)
        self.done: Counter[str] = Counter()
        self._is_over, self._is_done = Event(), Event()
        self._thread = Thread(target=self._stay, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._began = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Finish the fault that is under way, and do no more."""
        self._is_over.set()
        self._is_done.wait()

    def _stay(self) -> None:
        """Do them, and stay until the process ends: a server is stopped when the thread that started it is no more."""
        try:
            self._go()
        finally:
            self._is_done.set()
        Event().wait()

    def _go(self) -> None:
        weights = [FAULTS[name][0] for name in self._names]
        for number in range(self._faults):
            due = self._began + (number + self._random.random()) * self._pause
            if self._is_over.wait(max(0.0, due - time.monotonic())):
                return
            (name,) = self._random.choices(self._names, weights)
            print(f"{time.monotonic() - self._began:7.1f} s  {number + 1:>4}  {name}", flush=True)
            FAULTS[name][1](self._world, self._random)
            self.done[name] += 1
