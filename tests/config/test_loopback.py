"""The demonstration stays on this machine."""

from collections.abc import Iterable
from typing import Any

import pytest

from config.env import MissingSetting
from config.loopback import for_this_machine, must_stay_here

HERE: dict[str, Any] = {
    "base_url": "http://127.0.0.1:8000",
    "hosts": ["localhost", "127.0.0.1", "[::1]"],
    "words": ["config.wsgi", "--bind", "127.0.0.1:8000"],
}


@pytest.mark.parametrize("words", [[], ["runserver"], ["--bind=localhost:80"], ["-b", "[::1]:8000"], ["test", "a:1"]])
def test_a_demonstration_for_this_machine_starts(words: list[str]) -> None:
    must_stay_here(**HERE | {"words": words})


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"base_url": "https://authz.example.org"}, "AUTHZ_BASE_URL"),
        ({"hosts": ["127.0.0.1", "*"]}, "AUTHZ_ALLOWED_HOSTS"),
        ({"hosts": ["10.1.2.3"]}, "AUTHZ_ALLOWED_HOSTS"),
        ({"words": ["config.wsgi", "--bind", "0.0.0.0:8000"]}, "0.0.0.0:8000"),
        ({"words": ["config.wsgi", "--bind=192.168.1.5:80"]}, "192.168.1.5"),
        ({"words": ["runserver", "[::]:8000"]}, "listen on"),
        ({"words": ["-b", ":8000"]}, "listen on :8000"),
    ],
)
def test_one_that_others_could_reach_is_refused(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(MissingSetting, match="loopback") as refusal:
        must_stay_here(**HERE | changed)

    assert named in str(refusal.value)


def product(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"a page"]


@pytest.mark.parametrize(
    ("caller", "status"), [("127.0.0.1", "200 OK"), ("::1", "200 OK"), ("", "200 OK"), ("10.0.0.7", "403 Forbidden")]
)
def test_it_answers_this_machine_alone(caller: str, status: str) -> None:
    said: list[str] = []

    body = for_this_machine(product)({"REMOTE_ADDR": caller}, lambda status, _headers: said.append(status))

    assert said == [status]
    assert (b"a page" in body) == (status == "200 OK")
