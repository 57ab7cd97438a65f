"""What the environment may say, and the sentence for what it may not."""

from ipaddress import ip_network

import pytest

from config import env

KEY = "k" * 32


def test_lists_of_secrets_numbers_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS", f"{KEY}, {KEY}2")
    monkeypatch.setenv("NUMBERS", "443, 8443")
    monkeypatch.setenv("NETWORKS", "10.1.0.0/16,fd00::/8, 192.0.2.7")

    assert env.secrets("SECRETS", how="", is_required=True) == [KEY, f"{KEY}2"]
    assert env.numbers("NUMBERS", "1") == {443, 8443}
    assert env.networks("NETWORKS") == tuple(map(ip_network, ("10.1.0.0/16", "fd00::/8", "192.0.2.7")))


def test_what_is_unset_is_empty_or_the_default() -> None:
    assert env.secrets("UNSET", how="", is_required=False) == []
    assert env.numbers("UNSET", "443") == {443}
    assert env.networks("UNSET") == ()
    with pytest.raises(env.MissingSetting, match="Make one"):
        env.secrets("UNSET", how="Make one.", is_required=True)


@pytest.mark.parametrize("text", ["short", f"{KEY},short"])
def test_a_short_secret_is_refused_without_being_told(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SECRETS", text)

    with pytest.raises(env.MissingSetting) as refused:
        env.secrets("SECRETS", how="", is_required=False)

    assert "short" not in str(refused.value).replace("too short", "")


def test_what_is_no_number_or_no_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONG", "443,https,10.1.2.3/16")

    with pytest.raises(env.MissingSetting, match="whole numbers"):
        env.numbers("WRONG", "443")
    with pytest.raises(env.MissingSetting, match="networks such as"):
        env.networks("WRONG")
