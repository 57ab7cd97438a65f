"""A production deployment is refused unsafe settings, each by a number of its own."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.checks import registry

from authz.operations.safety import UnsafeDeployment, check_settings, refuse_unsafe_settings

SAFE: dict[str, Any] = {
    "IS_PRODUCTION": True,
    "BASE_URL": "https://authz.example",
    "ALLOWED_HOSTS": ["authz.example"],
    "SECRET_KEY": "s" * 60,
    "ENCRYPTION_KEYS": ["e" * 60],
    "MAIL_PROVIDER": "",
    "EMAIL_USE_TLS": True,
    "MFA_REQUIRED": True,
    "SECURE_SSL_REDIRECT": True,
    "IS_BEHIND_PROXY": False,
}


@pytest.fixture
def production(settings: LazySettings) -> LazySettings:
    for name, value in SAFE.items():
        setattr(settings, name, value)
    return settings


def test_a_safe_deployment_is_let_pass(production: LazySettings) -> None:
    assert check_settings() == []


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"BASE_URL": "http://authz.example"}, "E001"),
        ({"ALLOWED_HOSTS": ["*"]}, "E002"),
        ({"ALLOWED_HOSTS": []}, "E002"),
        ({"SECRET_KEY": "s" * 39}, "E003"),
        ({"ENCRYPTION_KEYS": ["e" * 60, "short"]}, "E003"),
        ({"ENCRYPTION_KEYS": ["s" * 60]}, "E004"),
        ({"EMAIL_USE_TLS": False}, "E005"),
        ({"MFA_REQUIRED": False}, "E006"),
        ({"SECURE_SSL_REDIRECT": False}, "E007"),
    ],
)
def test_each_unsafe_setting_is_refused_by_its_number(
    production: LazySettings, changes: dict[str, Any], number: str
) -> None:
    for name, value in changes.items():
        setattr(production, name, value)

    assert [message.id for message in check_settings()] == [f"authz.{number}"]
    assert all(message.hint for message in check_settings())


def test_web_does_not_start_unsafely_and_says_all_that_is_wrong(production: LazySettings) -> None:
    refuse_unsafe_settings()
    production.MFA_REQUIRED, production.EMAIL_USE_TLS = False, False

    with pytest.raises(UnsafeDeployment, match=r"(?s)authz\.E005: .+authz\.E006: "):
        refuse_unsafe_settings()


def test_elsewhere_nothing_is_refused(settings: LazySettings) -> None:
    settings.MFA_REQUIRED, settings.EMAIL_USE_TLS = False, False

    assert check_settings() == []


def test_check_deploy_asks() -> None:
    assert check_settings in registry.registry.deployment_checks
