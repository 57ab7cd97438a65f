from collections.abc import Callable

import pytest
from django.test import Client

from tests.cast import PASSWORD, Cast

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
