from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from config.embedded.ports import any_free
from workers.broker import sender


@pytest.fixture
def lost_broker(settings: LazySettings) -> Iterator[None]:
    """Nobody listens where the broker should be."""
    settings.REDIS_URL = f"redis://127.0.0.1:{any_free()}/0"
    sender.cache_clear()
    yield
    sender.cache_clear()
