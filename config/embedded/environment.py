"""What the programs are told: our own environment, plus where the embedded servers are."""

import os
import secrets
from pathlib import Path

MIGHT_BE_YOURS = ("DATABASE_URL", "REDIS_URL")


class WrongDeployment(RuntimeError):
    """The embedded stack was asked to be something else than a demonstration."""


def is_yours(name: str) -> bool:
    """Tell whether the person set `name`, or `name_FILE`, to a server of their own."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def refuse_production() -> None:
    """Keep demonstration people and generated secrets out of a production deployment.

    :raises WrongDeployment: when DJANGO_ENV says production.
    """
    if os.environ.get("DJANGO_ENV") != "production":
        return
    missing = [name for name in MIGHT_BE_YOURS if not is_yours(name)]
    also = f" {' and '.join(missing)} must be set there: nothing is embedded in production." if missing else ""
    raise WrongDeployment(
        "DJANGO_ENV is production, and this starts a demonstration with invented people. "
        f"Unset DJANGO_ENV, or start production with `docker compose up` (see docs/running.md).{also}"
    )


def for_programs(*, data: Path, port: int, mail_port: int, addresses: dict[str, str]) -> dict[str, str]:
    """Return the environment of the product's programs; `addresses` are the servers embedded for it."""
    kept = {} if is_yours("AUTHZ_SECRET_KEY") else {"AUTHZ_SECRET_KEY": secret_key(data)}
    return {
        **os.environ,
        **kept,
        **addresses,
        "DJANGO_ENV": "demonstration",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "AUTHZ_BASE_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        # Always the catcher: nothing a demonstration does may reach a real mailbox.
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(mail_port),
        "AUTHZ_DEMO_MAIL_DIR": str(data / "mail"),
        "PYTHONUNBUFFERED": "1",
    }


def secret_key(data: Path) -> str:
    """Return the key kept in the data folder, made at the first start: sessions survive a restart."""
    file = data / "secret-key"
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_urlsafe(48))
    return file.read_text(encoding="utf-8").strip()
