"""Where to report a weakness (RFC 9116)."""

from datetime import datetime

from django.conf import LazySettings
from django.test import Client

from authz import clock


def test_the_contact_is_told_with_a_day_on_which_it_ends(client: Client, settings: LazySettings) -> None:
    settings.SECURITY_CONTACT = "mailto:security@clinic.example"

    answer = client.get("/.well-known/security.txt")

    told = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert told["Contact"] == "mailto:security@clinic.example"
    assert 0 < (datetime.fromisoformat(told["Expires"]) - clock.now()).days < 366


def test_without_a_contact_there_is_nothing(client: Client) -> None:
    assert client.get("/.well-known/security.txt").status_code == 404
