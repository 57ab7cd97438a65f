"""What the programs are told: our own environment, plus where the embedded servers are."""

import json
import os
import secrets
from pathlib import Path

from config.embedded import folders

MIGHT_BE_YOURS = ("DATABASE_URL", "REDIS_URL")
NOTE = "environment.json"


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


def for_programs(*, data: Path, port: int, mail_port: int, hook_port: int, addresses: dict[str, str]) -> dict[str, str]:
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
        **_callable(hook_port),
        "AUTHZ_DEMO_WEBHOOK_DIR": str(data / "webhooks"),
        "AUTHZ_DEMO_WEBHOOK_URL": f"http://127.0.0.1:{hook_port}/hook",
        "PYTHONUNBUFFERED": "1",
    }


def _callable(hook_port: int) -> dict[str, str]:
    """Let webhooks go to the receiver beside us, unless whoever starts this says where they may."""
    wanted = {"AUTHZ_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32", "AUTHZ_WEBHOOK_PORTS": f"443,{hook_port}"}
    return wanted if not any(is_yours(name) for name in wanted) else {}


def secret_key(data: Path) -> str:
    """Return the key kept in the data folder, made at the first start: sessions survive a restart."""
    file = data / "secret-key"
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_urlsafe(48))
    return file.read_text(encoding="utf-8").strip()


def write_note(data: Path, told: dict[str, str]) -> None:
    """Write down, for this user alone, what the programs were told, so that commands in this checkout can join them."""
    ours = {name: told[name] for name in told if name not in os.environ or told[name] != os.environ[name]}
    with os.fdopen(os.open(data / NOTE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as note:
        json.dump(ours, note)


def join_running() -> None:
    """Let a command of this checkout speak to what `make run` serves there, unless its environment says otherwise.

    Where nothing runs, the command gets settings that are enough for all that need no database.
    """
    if any(is_yours(name) for name in (*MIGHT_BE_YOURS, "DJANGO_ENV", "AUTHZ_SECRET_KEY")):
        return
    notes = [folder / NOTE for folder in _data_folders() if (folder / NOTE).exists()]
    told = json.loads(notes[0].read_text(encoding="utf-8")) if notes else _nothing_running()
    os.environ.update(told)


def _data_folders() -> list[Path]:
    chosen = os.environ.get("AUTHZ_DATA_DIR")
    return [Path(chosen)] if chosen else list(folders.candidates(".data"))


def _nothing_running() -> dict[str, str]:
    nowhere = folders.ROOT / ".data" / "nothing-runs-here-start-make-run"
    return {
        "DJANGO_ENV": "demonstration",
        "AUTHZ_SECRET_KEY": secrets.token_urlsafe(48),
        "DATABASE_URL": f"postgresql:///authz?host={nowhere}",
        "REDIS_URL": f"unix://{nowhere}",
    }
