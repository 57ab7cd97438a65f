"""Is this container's program well? `python -m config.probe web|beat`, for health checks; standard library only."""

import http.client
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from config import env

# Beat wakes for every sweep; twice that without a single wake-up means that it hangs.
SWEEPS_WITHOUT_A_WAKE_UP = 2


def is_web_well(port: int = 8000) -> bool:
    """Tell whether /readyz answers 200 when asked under the host name that people use."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=8)
    try:
        line.request("GET", "/readyz", headers={"Host": urlsplit(env.text("AUTHZ_BASE_URL")).netloc})
        return line.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


def is_beat_well(pid: int = 1) -> bool:
    """Tell whether the process woke up at least once within two sweeps."""
    before = wake_ups(pid)
    deadline = time.monotonic() + SWEEPS_WITHOUT_A_WAKE_UP * env.number("AUTHZ_SWEEP_SECONDS", 5)
    while time.monotonic() < deadline:
        time.sleep(0.5)
        if wake_ups(pid) > before:
            return True
    return False


def wake_ups(pid: int) -> int:
    """Return how often the process has gone to sleep and come back, from Linux's own count."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))


if __name__ == "__main__":
    sys.exit(0 if {"web": is_web_well, "beat": is_beat_well}[sys.argv[1]]() else 1)
