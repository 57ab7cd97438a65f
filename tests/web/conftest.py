from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from authz import clock
from tests.cast import PASSWORD, Cast, later

Door = Callable[[str], Client]


@pytest.fixture
def enter(cast: Cast) -> Door:
    """Log somebody of the cast in through the page, and return their browser."""

    def enter(name: str) -> Client:
        client = Client()
        answer = client.post("/log-in/", {"email": f"{name}@example.org", "password": PASSWORD})
        assert answer.status_code == 302, answer.content
        return client

    return enter


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """It is an hour after the play begins, for the pages as well."""
    at = later(1)
    monkeypatch.setattr(clock, "now", lambda: at)
    return at
