"""Mail by a provider's own API, and what it tells of afterwards. The provider is Postmark's API on loopback."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from authz import clock
from authz.notifications.models import Delivery
from authz.notifications.wishes.models import NotificationSettings
from tests import cast as stage
from tests.cast import Cast
from tests.notifications.stage import PHONE, drain, with_phone
from tests.text_office import TextOffice

pytestmark = [pytest.mark.django_db, pytest.mark.urls("authz.api.mail_events")]

SECRET = "events:a long secret"
INACTIVE = 406  # Postmark's number for an address that it does not send to any more


class Provider:
    """Takes mails as Postmark does; `error` is the number it answers with."""

    def __init__(self) -> None:
        self.error = 0
        self.mails: list[dict[str, Any]] = []

    @contextmanager
    def opened(self) -> Iterator[str]:
        server = HTTPServer(("127.0.0.1", 0), self._handler())
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                mail = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not provider.error:
                    provider.mails.append(mail)
                refusal = f"Found inactive addresses: {mail['To']}. Inactive recipients are no patients."
                words = refusal if provider.error else "OK"
                answer = {"ErrorCode": provider.error, "Message": words, "To": mail["To"]}
                body = json.dumps({**answer, "MessageID": "m-1", "SubmittedAt": "2025-03-03T15:00:00Z"}).encode()
                self.send_response(422 if provider.error else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words: object) -> None:
                """Say nothing."""

        return Handler


@pytest.fixture
def provider(settings: LazySettings) -> Iterator[Provider]:
    """Postmark on loopback, where the product sends its mail."""
    made = Provider()
    with made.opened() as url:
        settings.MAIL_PROVIDER = "postmark"
        settings.EMAIL_BACKEND = "authz.notifications.channels.email.provider.Backend"
        settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "t", "POSTMARK_API_URL": url, "WEBHOOK_SECRET": SECRET}
        yield made


def tell(event: object, *, secret: str = SECRET) -> int:
    """Tell an event as the provider does; return the status of the answer."""
    body = event if isinstance(event, str) else json.dumps(event)
    header = "Basic " + b64encode(secret.encode()).decode()
    answer = Client(raise_request_exception=False).post(
        "/", body, content_type="application/json", headers={"Authorization": header}
    )
    return int(answer.status_code)


def bounce_of(mail: dict[str, Any], **changes: object) -> dict[str, object]:
    """Return what Postmark tells of a mail that bounced."""
    bounced = {"RecordType": "Bounce", "Type": "HardBounce", "Email": mail["To"], "Metadata": mail["Metadata"], "ID": 1}
    return {**bounced, **changes}


def test_a_mail_goes_by_the_providers_api_with_its_ids_alone(cast: Cast, provider: Provider) -> None:
    stage.detected(cast)
    drain()

    (mail,) = provider.mails
    delivery = Delivery.objects.get(channel="email")
    assert mail["To"] == "jones@example.org"
    assert mail["Metadata"] == {"delivery": str(delivery.public_id)}
    assert delivery.sent_at is not None
    assert "Doe" not in json.dumps(mail)


def test_an_address_that_the_provider_refuses_is_marked_and_the_next_channel_takes_over(
    cast: Cast, provider: Provider, text_office: TextOffice
) -> None:
    with_phone(cast.jones, pressing_by=["email", "sms"], waiting_by=["email", "sms"])
    provider.error = INACTIVE
    stage.detected(cast)
    drain()

    assert len(text_office.to(PHONE)) == 1
    assert NotificationSettings.objects.get(person=cast.people["jones"]).email_refused_at is not None


def test_a_provider_that_cannot_just_now_is_asked_again(cast: Cast, provider: Provider) -> None:
    provider.error = 100  # maintenance
    stage.detected(cast)
    drain()
    refused = Delivery.objects.get(channel="email")
    provider.error = 0
    drain(stage.later(1))

    assert (refused.sent_at, refused.last_error, len(provider.mails)) == (None, "ProviderFailed", 1)


def test_a_mail_that_bounces_later_goes_by_the_next_channel_once(
    cast: Cast, provider: Provider, text_office: TextOffice
) -> None:
    with_phone(cast.jones, pressing_by=["email", "sms"], waiting_by=["email", "sms"])
    stage.detected(cast)
    drain()
    (mail,) = provider.mails

    answers = [tell(bounce_of(mail)) for _ in range(2)]
    drain(clock.now())

    assert answers == [200, 200]
    assert len(text_office.to(PHONE)) == 1
    row = NotificationSettings.objects.get(person=cast.people["jones"])
    assert row.email_refusal == "Postmark bounced"


@pytest.mark.parametrize(
    "changes",
    [{"Type": "Transient"}, {"RecordType": "Delivery"}, {"Metadata": {}}, {"Metadata": {"delivery": "x' OR 1=1"}}],
    ids=["not for good", "arrived", "of nothing", "of nonsense"],
)
def test_what_is_no_bounce_of_a_mail_of_ours_changes_nothing(
    cast: Cast, provider: Provider, changes: dict[str, object]
) -> None:
    stage.detected(cast)
    drain()

    assert tell(bounce_of(provider.mails[0], **changes)) == 200

    assert not NotificationSettings.objects.filter(email_refused_at__isnull=False).exists()


@pytest.mark.parametrize("body", ["", "{", "[]", "7", '{"RecordType": []}', '{"RecordType": "Inbound"}'])
def test_what_is_no_event_at_all_is_refused(cast: Cast, provider: Provider, body: str) -> None:
    assert tell(body) in {200, 400}


def test_who_does_not_know_the_secret_tells_nothing(cast: Cast, provider: Provider) -> None:
    stage.detected(cast)
    drain()

    assert tell(bounce_of(provider.mails[0]), secret="events:a guess") == 403

    assert not NotificationSettings.objects.filter(email_refused_at__isnull=False).exists()
