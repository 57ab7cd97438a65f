"""Texts by Twilio's Messages resource, and by whoever offers the same at another address.

Built on the standard library: one form, one POST, no redirect. Of an answer its status counts, and of a refusal the
number that Twilio gives for it, where that blames the phone called and nothing else. The vendor makes these numbers
finer from time to time, so whatever else is refused leaves the phone unmarked.
"""

import json
from base64 import b64encode
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlencode, urlsplit

from authz.notifications.channels.contract import NotDelivered, Unreachable
from authz.notifications.matrix import ChannelName

_LARGEST_ANSWER: Final = 64 * 1024
_TOO_MANY: Final = 429

_BLAMES_NUMBER: Final = frozenset({21211, 21610, 21614})
"""No valid number; its holder answered STOP; it takes no texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twilio:
    """One account. `sender` is a number in E.164 form, or the id of a messaging service (MG…)."""

    base_url: str
    account: str
    token: str
    sender: str
    seconds: float

    def text(self, *, to: str, words: str) -> None:
        """See provider.Provider."""
        try:
            status, body = self._posted({"To": to, "Body": words, **self._from()})
        except (OSError, HTTPException) as failure:
            raise NotDelivered(f"sms {type(failure).__name__}") from failure
        if 200 <= status < 300:
            return
        number = _number_of(body)
        code = f"sms {status} {number}" if number else f"sms {status}"
        if 400 <= status < 500 and status != _TOO_MANY:
            raise Unreachable(code, channel=ChannelName.SMS, marks_address=number in _BLAMES_NUMBER)
        raise NotDelivered(code)

    def _from(self) -> dict[str, str]:
        return {"MessagingServiceSid": self.sender} if self.sender.startswith("MG") else {"From": self.sender}

    def _posted(self, form: dict[str, str]) -> tuple[int, bytes]:
        base = urlsplit(self.base_url)
        kind = HTTPSConnection if base.scheme == "https" else HTTPConnection
        login = b64encode(f"{self.account}:{self.token}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/x-www-form-urlencoded"}
        path = f"{base.path.rstrip('/')}/2010-04-01/Accounts/{self.account}/Messages.json"
        with closing(kind(base.hostname or "", base.port, timeout=self.seconds)) as connection:
            connection.request("POST", path, urlencode(form), headers)
            answer = connection.getresponse()
            return answer.status, answer.read(_LARGEST_ANSWER)


def _number_of(body: bytes) -> int | None:
    """Return the number a refusal gives; its words may quote the number called, or the text."""
    try:
        said = json.loads(body)
    except ValueError:
        return None
    number = said.get("code") if isinstance(said, dict) else None
    return number if type(number) is int else None
