"""The embedded Valkey: private, keeps its queue over a restart, and never throws a message away to save memory."""

from pathlib import Path

import pytest
import redis

from config.embedded.processes import CannotStart
from config.embedded.valkey import Valkey

pytestmark = pytest.mark.live


def test_it_listens_on_a_unix_socket_and_on_no_port(valkey: Valkey) -> None:
    valkey.start()

    with redis.Redis.from_url(valkey.url()) as line:
        assert line.config_get("port") == {"port": "0"}
        assert line.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_what_was_queued_is_there_after_a_stop_and_a_start(valkey: Valkey) -> None:
    valkey.start()
    with redis.Redis.from_url(valkey.url()) as line:
        line.lpush("authz", "a nudge")
    valkey.stop()

    valkey.start()

    with redis.Redis.from_url(valkey.url()) as line:
        assert line.lrange("authz", 0, -1) == [b"a nudge"]


def test_a_server_that_dies_at_start_is_reported_at_once_with_the_end_of_its_log(valkey: Valkey, folder: Path) -> None:
    appended = folder / "valkey" / "appendonlydir"
    appended.mkdir(parents=True)
    (appended / "appendonly.aof.manifest").write_text("nonsense\n", encoding="utf-8")

    with pytest.raises(CannotStart, match=r"(?s)Valkey did not start.*manifest"):
        valkey.start()
