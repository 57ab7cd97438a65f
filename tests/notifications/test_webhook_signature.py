import re
from base64 import b64decode
from datetime import UTC, datetime

import pytest
from django.conf import LazySettings

from authz.notifications.channels.webhook.signature import new_secret, signed_headers
from authz.sealing import CannotOpen, opened, resealed, seal

# The vector that the specification's own libraries are tested with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, tz=UTC)
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OLD, NEW = "o" * 40, "n" * 40


def test_the_vector_of_the_specification() -> None:
    assert signed_headers(message_id=ID, at=AT, body=BODY, secrets=[SECRET]) == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_each_living_secret_signs() -> None:
    both = signed_headers(message_id=ID, at=AT, body=BODY, secrets=[new_secret(), SECRET])["webhook-signature"]

    assert re.fullmatch(r"v1,[\w+/=]{44} v1,[\w+/=]{44}", both)
    assert both.endswith(f" {SIGNATURE}")


def test_a_new_secret_has_as_many_bits_as_the_specification_asks_for_and_is_never_the_same() -> None:
    first, second = new_secret(), new_secret()

    assert first != second
    assert 24 <= len(b64decode(first.removeprefix("whsec_"), validate=True)) <= 64


def test_what_is_sealed_says_nothing_and_opens_again() -> None:
    sealed = seal(SECRET)

    assert SECRET.removeprefix("whsec_") not in sealed
    assert sealed != seal(SECRET)
    assert opened(sealed) == SECRET


def test_a_key_is_replaced_in_three_steps(settings: LazySettings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = seal(SECRET)

    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert opened(sealed) == SECRET
    anew = resealed(sealed)
    settings.ENCRYPTION_KEYS = [NEW]

    assert opened(anew) == SECRET
    with pytest.raises(CannotOpen):
        opened(sealed)
