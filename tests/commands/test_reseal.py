"""An operator replaces an encryption key."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.cast import Cast
from tests.notifications.hooks import registered
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db


def test_kept_secrets_are_sealed_anew(cast: Cast, receiver: Receiver, settings: Settings) -> None:
    registered(cast.riverside, receiver)
    told, (key,) = StringIO(), settings.ENCRYPTION_KEYS
    new = "a new key of enough length for anybody"

    settings.ENCRYPTION_KEYS = [new, key]
    call_command("reseal", stdout=told)
    settings.ENCRYPTION_KEYS = [new]
    call_command("reseal", stdout=told)

    assert told.getvalue().split("\n") == ["Resealed: 1.", "Resealed: 1.", ""]
    settings.ENCRYPTION_KEYS = [key]
    with pytest.raises(CommandError, match="does not name"):
        call_command("reseal", stdout=told)
