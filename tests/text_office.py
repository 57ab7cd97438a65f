"""A provider of texts on loopback that speaks like Twilio: it takes them, refuses them, or cannot just now."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

from tests.loopback import served


@dataclass(frozen=True)
class Text:
    """One text as it came in."""

    path: str
    log_in: str
    form: dict[str, str]


@dataclass
class TextOffice:
    """Listens at `url` while open; `texts` are those it took. `answer` is a status and the number of a refusal."""

    url: str = ""
    texts: list[Text] = field(default_factory=list)
    answer: tuple[int, int | None] = (201, None)
    meanwhile: Callable[[], object] = lambda: None

    def to(self, phone: str) -> list[str]:
        """Return the words of what was texted to a phone."""
        return [text.form["Body"] for text in self.texts if text.form["To"] == phone]

    @contextmanager
    def opened(self) -> Iterator["TextOffice"]:
        """Serve until the block ends."""
        with served(_handler(self)) as self.url:
            yield self


def _handler(office: TextOffice) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            office.meanwhile()
            status, number = office.answer
            if status == 201:
                log_in = b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
                office.texts.append(Text(self.path, log_in, {name: values[0] for name, values in form.items()}))
            self.send_response(status)
            self.end_headers()
            refusal = {"code": number, "message": f"No patient at {form['To'][0]}", "status": status}
            self.wfile.write(json.dumps(refusal if number else {"sid": "SM1"}).encode())

        def log_message(self, *_words: object) -> None:
            """Say nothing: the canary looks at what is said."""

    return Handler
