"""The demonstration is for this machine alone: its one password is on the screen."""

import re
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from config.env import MissingSetting

_BOUND = re.compile(r"(?:--bind=|-b)?(\[[0-9A-Fa-f:.]*\]|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|localhost|):([0-9]{1,5})")
_NAMES = {"localhost", "testserver"}
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine and no other can reach it."""
    bare = host.strip("[]")
    if bare in _NAMES:
        return True
    try:
        return ip_address(bare).is_loopback
    except ValueError:
        return False


def must_stay_here(*, base_url: str, hosts: Iterable[str], words: Sequence[str]) -> None:
    """Refuse a demonstration that others could reach, by what it is told and by the words that start its server.

    :raises MissingSetting: naming what leads away from this machine.
    """
    said = {f"AUTHZ_ALLOWED_HOSTS names {host}": host for host in hosts}
    said[f"AUTHZ_BASE_URL is {base_url}"] = urlsplit(base_url).hostname or ""
    for word in words:
        if found := _BOUND.fullmatch(word):
            said[f"the server is to listen on {word}"] = found[1]
    wrong = [sentence for sentence, host in said.items() if not is_loopback(host)]
    if wrong:
        raise MissingSetting(
            f"The demonstration runs on a loopback address alone, and {'; '.join(wrong)}. Use 127.0.0.1, or start "
            "production with `docker compose up` (see docs/running.md)."
        )


def for_this_machine(application: Application) -> Application:
    """Answer nobody but this machine, however the server came to listen elsewhere."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # A server behind a socket file tells no address.
        caller = environ.get("REMOTE_ADDR", "")
        if caller and not is_loopback(caller):
            start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"The demonstration answers this machine alone.\n"]
        return application(environ, start_response)

    return answer
