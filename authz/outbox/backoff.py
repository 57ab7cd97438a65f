"""PURE: how often to try, and how long to wait before the next attempt."""

from dataclasses import dataclass
from datetime import timedelta
from zlib import crc32

LONGEST = timedelta(hours=1)
# Up to a quarter longer, so that what failed together does not come back together.
_JITTER = 0.25


@dataclass(frozen=True, slots=True)
class Patience:
    """How many attempts work is given, and the longest wait between two of them, jitter left out."""

    attempts: int
    longest: timedelta = LONGEST


def wait_after(attempts: int, *, seed: str, longest: timedelta = LONGEST) -> timedelta:
    """Return the wait after that many failed attempts: 2, 4, 8 seconds … the longest, each up to a quarter longer.

    The same `seed` and count always give the same wait.
    """
    seconds = min(2.0 ** min(attempts, 32), longest.total_seconds())
    share = crc32(f"{seed}/{attempts}".encode()) / 2**32
    return timedelta(seconds=seconds * (1 + _JITTER * share))
