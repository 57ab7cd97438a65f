"""A caller of the public API who knows nothing of the product's inside: HTTP, the mails that arrive, and patience."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

Json = Any
Found = TypeVar("Found")

PAUSE = 0.05


class NotObserved(Exception):
    """What should have happened was not seen; the sentence says what was seen instead."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `body` is its JSON, None when there is none."""

    status: int
    headers: dict[str, str]
    body: Json


@dataclass(slots=True)
class Caller:
    """Somebody at the API under `url`; after `log_in` every call carries their token."""

    url: str
    token: str = field(default="", repr=False)
    seconds: float = 30.0

    def log_in(self, email: str, password: str) -> None:
        """Get a token.

        :raises NotObserved: when it is refused.
        """
        answer = self.call("POST", "tokens/", {"email": email, "password": password}, expect=201)
        self.token = str(answer.body["token"])

    def get(self, path: str) -> Json:
        """Return the JSON at an address below /api/v1/.

        :raises NotObserved: for any answer but 200.
        """
        return self.call("GET", path, expect=200).body

    def post(self, path: str, body: Json = None, *, expect: int = 200, **headers: str) -> Answer:
        """Send a body, and return the answer. Underscores in the names of headers stand for hyphens.

        :raises NotObserved: for any other status.
        """
        return self.call("POST", path, body, expect=expect, **headers)

    def call(self, method: str, path: str, body: Json = None, *, expect: int, **headers: str) -> Answer:
        """Make one call.

        :raises NotObserved: for any status but the expected one, and when nobody answers.
        """
        answer = self._exchange(method, path, body, headers)
        if answer.status != expect:
            raise NotObserved(f"{method} /api/v1/{path} answered {answer.status}, not {expect}: {_why(answer.body)}")
        return answer

    def _exchange(self, method: str, path: str, body: Json, headers: dict[str, str]) -> Answer:
        parts = urlsplit(self.url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=self.seconds)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            connection.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body), sent)
            response = connection.getresponse()
            text = response.read()
            return Answer(response.status, dict(response.getheaders()), json.loads(text) if text else None)
        except (OSError, HTTPException, ValueError) as failure:
            raise NotObserved(f"{method} /api/v1/{path} had no answer to read: {failure}") from failure
        finally:
            connection.close()


def _why(body: Json) -> str:
    """Return a refusal in one line: its code, its sentence and the fields it names."""
    if not isinstance(body, dict):
        return "no explanation"
    faults = "; ".join(f"{fault.get('field')}: {fault.get('detail')}" for fault in body.get("errors", []))
    return " ".join(str(part) for part in (body.get("code"), body.get("detail"), faults) if part)


def await_it(look: Callable[[], Found | None], *, what: str, seconds: float) -> Found:
    """Look again and again until there is something to see, and return it.

    :raises NotObserved: when there was nothing to see for so many seconds.
    """
    ends_at = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > ends_at:
            raise NotObserved(f"{what} within {seconds:.0f} s")
        time.sleep(PAUSE)
    return found


@dataclass(slots=True)
class Letterbox:
    """The folder in which the mail catcher keeps what was sent."""

    folder: Path

    def letters_to(self, address: str) -> Iterator[tuple[EmailMessage, bytes]]:
        """Yield the mails to that address, each parsed and as it came, oldest first."""
        for file in sorted(self.folder.glob("*.eml")):
            raw = file.read_bytes()
            letter = message_from_bytes(raw, policy=policy.default)
            if address in str(letter["To"]):
                yield letter, raw


def words_of(letter: EmailMessage, raw: bytes) -> str:
    """Return everything a mail shows or hides: its source, its headers and its parts as they read when decoded."""
    parts = [str(part.get_content()) for part in letter.walk() if part.get_content_maintype() == "text"]
    headers = [f"{name}: {value}" for name, value in letter.items()]
    return "\n".join([raw.decode("utf-8", "replace"), *headers, *parts])
