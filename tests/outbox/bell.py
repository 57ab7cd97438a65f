"""A nudge that counts: named in OUTBOX_NUDGE instead of the one that sends to Redis."""

rung: list[str] = []


def ring() -> None:
    rung.append("ring")


def broken() -> None:
    raise ConnectionError("the bell rope is torn")
