"""A real OpenID provider on loopback: whoever is sent to it is who the test says, and logs in at once."""

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt

from tests.loopback import served

CLIENT, SECRET = "authz", "a secret between the two"


@dataclass
class IdentityProvider:
    """Speaks the authorization code flow with PKCE. `claims` is what it says of whoever is logged in there."""

    claims: dict[str, Any] = field(default_factory=dict)
    issuer: str = ""
    _asked: dict[str, str] = field(default_factory=dict)
    _tokens: set[str] = field(default_factory=set)

    @contextmanager
    def opened(self) -> Iterator["IdentityProvider"]:
        """Serve until the block ends."""
        with served(_handler(self)) as self.issuer:
            yield self

    @property
    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def sent_back(self, asked: dict[str, str]) -> str:
        """Return where the browser goes, with a code good for one token."""
        assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (CLIENT, "code", "S256")
        code = token_urlsafe()
        self._asked[code] = asked["code_challenge"]
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: dict[str, str], credentials: str) -> dict[str, Any] | None:
        """Return tokens for a code; None when code, proof or secret are wrong."""
        proof = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        known = [unquote(part) for part in b64decode(credentials.removeprefix("Basic ")).decode().split(":")]
        if self._asked.pop(form.get("code", ""), None) != proof or known != [CLIENT, SECRET]:
            return None
        now = datetime.now(UTC)
        told = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + timedelta(minutes=5), **self.claims}
        access = token_urlsafe()
        self._tokens.add(access)
        signed = jwt.encode(told, SECRET.ljust(32), algorithm="HS256", headers={"kid": "1"})
        return {"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": signed}

    def knows(self, authorization: str) -> bool:
        """Say whether a token is one of ours."""
        return authorization.removeprefix("Bearer ") in self._tokens


def _handler(provider: IdentityProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.sent_back(_form(asked.query)))
                self.end_headers()
            elif asked.path == "/userinfo":
                self.say(provider.claims if provider.knows(self.headers["Authorization"]) else None)
            else:
                self.say(provider.configuration)

        def do_POST(self) -> None:
            form = _form(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.say(provider.token(form, self.headers["Authorization"]))

        def say(self, told: dict[str, Any] | None) -> None:
            self.send_response(200 if told else 401)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(told or {"error": "invalid_request"}).encode())

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    return Handler


def _form(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}
