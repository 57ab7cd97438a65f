"""What every test may ask for."""

import shutil
from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from django.conf import LazySettings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from redis import Redis

from config.embedded.paths import temporary_folder
from config.embedded.processes import server_account
from config.embedded.valkey import Valkey
from tests import cast as stage
from tests.as_the_product import django_db_setup as django_db_setup
from tests.post_office import PostOffice
from tests.receiver import Receiver
from tests.text_office import TextOffice

# How quickly a machine draws examples and runs them says nothing of the product.
hypothesis_settings.register_profile("product", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("product")


@pytest.fixture
def cast(db: None) -> stage.Cast:
    return stage.assemble()


@pytest.fixture
def post_office(settings: LazySettings) -> Iterator[PostOffice]:
    """An open post office, where the product sends its mail."""
    office = PostOffice()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", office.port, False
    with office.opened():
        yield office


@pytest.fixture
def receiver(settings: LazySettings) -> Iterator[Receiver]:
    """An open webhook receiver, at an address that the operator allows."""
    with Receiver().opened() as opened:
        settings.WEBHOOK_ALLOWED_NETWORKS = (ip_network("127.0.0.1/32"),)
        settings.WEBHOOK_PORTS = frozenset({443, opened.port})
        yield opened


@pytest.fixture
def text_office(settings: LazySettings) -> Iterator[TextOffice]:
    """An open provider of texts, where the product sends its texts."""
    office = TextOffice()
    with office.opened():
        settings.SMS_PROVIDER, settings.SMS_BASE_URL = "twilio", office.url
        settings.SMS_ACCOUNT, settings.SMS_TOKEN, settings.SMS_FROM = "AC1", "a secret", "+15550199"
        yield office


@pytest.fixture
def broker(settings: LazySettings) -> Iterator["Redis[bytes]"]:
    """The real broker, empty before and after."""
    client = Redis.from_url(settings.REDIS_URL)
    client.flushall()
    yield client
    client.flushall()
    client.close()


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """A Valkey of this test's own, not started, to be stopped and started at will."""
    folder = temporary_folder(server_account())
    valkey = Valkey(folder / "valkey", folder / "run")
    yield valkey
    valkey.stop()
    shutil.rmtree(folder)
