"""One POST over a real connection: what is asked, what is not followed, and what ends in time."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import server
from ipaddress import ip_network
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import LazySettings

from authz.notifications.channels.webhook.posting import Answer, post
from authz.outbound import calls
from authz.outbound.calls import NoAnswer
from tests.cast import NOW
from tests.receiver import Mood, Receiver


def posted(receiver: Receiver) -> Answer:
    return post(receiver.url, body=b"{}", headers={"webhook-id": "1"}, now=NOW)


def code(url: str) -> str:
    with pytest.raises(NoAnswer) as none:
        post(url, body=b"{}", headers={}, now=NOW)
    return none.value.code


def test_the_body_comes_with_its_headers_to_the_whole_path(receiver: Receiver) -> None:
    answer = posted(receiver)

    (heard,) = receiver.heard
    assert answer == Answer(204, timedelta(0))
    assert (heard.path, heard.body, heard.headers["webhook-id"]) == ("/hook?from=authz", b"{}", "1")
    assert heard.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_a_name_is_looked_up_once_and_what_it_means_later_does_not_matter(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, meanings = socket.getaddrinfo, ["127.0.0.1", "169.254.169.254"]

    def name_server(host: str, *rest: Any, **more: Any) -> Any:
        return real(meanings.pop(0) if host == "hook.example" else host, *rest, **more)

    monkeypatch.setattr("socket.getaddrinfo", name_server)

    answer = post(f"http://hook.example:{receiver.port}/", body=b"{}", headers={}, now=NOW)

    assert (answer.status, meanings) == (204, ["169.254.169.254"])
    assert receiver.heard[0].headers["host"] == f"hook.example:{receiver.port}"


def test_a_redirect_is_an_answer_and_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 307, {"Location": receiver.url}

    assert posted(receiver).status == 307
    assert len(receiver.heard) == 1


def test_no_proxy_of_the_environment_is_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    assert posted(receiver).status == 204


def test_an_answer_without_end_is_not_read(receiver: Receiver) -> None:
    receiver.mood, receiver.status = Mood.FLOOD, 200

    assert posted(receiver).status == 200


@pytest.mark.parametrize("mood", [Mood.HANG, Mood.DRIP])
def test_who_does_not_come_to_an_end_is_cut_off(receiver: Receiver, settings: LazySettings, mood: Mood) -> None:
    settings.WEBHOOK_ANSWER_SECONDS = 0.2
    receiver.mood = mood
    began = monotonic()

    assert code(receiver.url) == "timed-out"
    assert monotonic() - began < 2


def test_what_is_no_http_is_named_so(receiver: Receiver) -> None:
    receiver.mood = Mood.BABBLE

    assert code(receiver.url) == "not-http"


def test_nobody_at_home(settings: LazySettings) -> None:
    away = Receiver()
    with away.opened():
        settings.WEBHOOK_ALLOWED_NETWORKS = (ip_network("127.0.0.1/32"),)
        settings.WEBHOOK_PORTS = frozenset({away.port})

    assert code(away.url) == "connection-failed"


def test_an_address_that_is_no_longer_allowed_is_not_called(receiver: Receiver, settings: LazySettings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = ()
    assert code(receiver.url) == "host-unknown-or-refused"

    settings.WEBHOOK_PORTS = frozenset({443})
    assert code(receiver.url) == "url-refused"

    assert receiver.heard == []


@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        ("", timedelta(0)),
        ("120", timedelta(seconds=120)),
        ("86400", timedelta(hours=1)),
        ("9" * 5000, timedelta(0)),
        ("-5", timedelta(0)),
        ("soon", timedelta(0)),
        ("Mon, 03 Mar 2025 15:10:00 GMT", timedelta(minutes=10)),
        ("Mon, 03 Mar 2025 15:10:00 -0000", timedelta(minutes=10)),
        ("Mon, 03 Mar 2025 14:00:00 GMT", timedelta(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(hours=1)),
    ],
)
def test_how_long_to_wait_is_heeded_within_bounds(receiver: Receiver, asked: str, wait: timedelta) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": asked}

    assert posted(receiver) == Answer(429, wait)


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A certificate and its key in one file: for `localhost`, trusted by nobody else than us."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
    made = made.not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    signed = made.sign(key, SHA256())
    file = tmp_path / "certificate.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + signed.public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    calls._tls.cache_clear()
    yield file
    calls._tls.cache_clear()


@pytest.fixture
def tls_port(certified: Path, settings: LazySettings) -> Iterator[int]:
    """The port of a server that speaks TLS as `localhost` and answers no POST but with 501."""
    serving = server.HTTPServer(("127.0.0.1", 0), server.BaseHTTPRequestHandler)
    serving.handle_error = lambda *_: None  # type: ignore[method-assign]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified)
    serving.socket = context.wrap_socket(serving.socket, server_side=True)
    settings.WEBHOOK_ALLOWED_NETWORKS = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    settings.WEBHOOK_PORTS = frozenset({serving.server_address[1]})
    thread = Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield serving.server_address[1]
    serving.shutdown()
    thread.join()
    serving.server_close()


def test_the_certificate_is_asked_for_by_name_though_the_call_goes_to_an_address(tls_port: int) -> None:
    assert post(f"https://localhost:{tls_port}/", body=b"{}", headers={}, now=NOW).status == 501


def test_a_certificate_of_another_name_is_refused(tls_port: int) -> None:
    assert code(f"https://127.0.0.1:{tls_port}/") == "tls-failed"
