"""A nudge that counts: named in OUTBOX_NUDGE instead of the one that sends to Redis."""

from authz.outbox.nudge import Waiting

rung: list[Waiting] = []


def ring(waiting: Waiting) -> None:
    rung.append(waiting)


def broken(waiting: Waiting) -> None:
    raise ConnectionError("the bell rope is torn")
