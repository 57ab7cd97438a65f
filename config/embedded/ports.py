"""A free port, and whether what listens there is ready."""

import http.client
import os
import socket

DEFAULT_PORT = 8000
PORTS_TO_TRY = 50


class WrongPort(ValueError):
    """PORT is not a port, or none near it is free."""


def wanted_port() -> int:
    """Return the port from the environment's PORT, or 8000.

    :raises WrongPort: when PORT is not a number from 1 to 65535.
    """
    text = os.environ.get("PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise WrongPort(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def next_free(wanted: int) -> int:
    """Return the first port from `wanted` on that nobody listens on.

    :raises WrongPort: when the next fifty are all taken.
    """
    for port in range(wanted, min(wanted + PORTS_TO_TRY, 65536)):
        if _is_free(port):
            return port
    raise WrongPort(f"The ports from {wanted} on are all taken. Set PORT to a free one.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the web server does: a connection that closed a moment ago does not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def any_free() -> int:
    """Return a port the system picks."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_ready(port: int) -> bool:
    """Tell whether GET /readyz answers 200. It asks directly: a proxy in the environment does not know 127.0.0.1."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("GET", "/readyz")
        return line.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()
