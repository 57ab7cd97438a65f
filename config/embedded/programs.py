"""The product's programs and how each is started; docker-compose.yml starts the same ones."""

import signal
from collections.abc import Mapping
from pathlib import Path

from config.embedded.services import Program

WEB_THREADS, COURIER_THREADS = 8, 8
OUTSIDE = "outside"  # as workers.schedule has it, which cannot be read before the settings can
_CELERY = ("celery", "-A", "workers.app")
# Workers on one machine have nobody to gossip with.
_ALONE = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO")


def product_programs(*, data: Path, env: Mapping[str, str], port: int) -> list[Program]:
    """Return web, worker, courier, beat and the two catchers, in the order in which they are stopped."""
    return [
        Program(
            "web",
            _web(port),
            data / "web.log",
            {**env, "AUTHZ_WEB_THREADS": str(WEB_THREADS)},
            if_we_die=signal.SIGQUIT,
        ),
        Program("worker", worker(), data / "worker.log", env, if_we_die=signal.SIGQUIT),
        Program("courier", courier(), data / "courier.log", env, if_we_die=signal.SIGQUIT),
        Program("beat", beat(), data / "beat.log", env),
        Program("mail catcher", _mail(env), data / "mail.log", env),
        Program("webhook catcher", _webhooks(env), data / "webhooks.log", env),
    ]


def _web(port: int) -> list[str]:
    """One process with threads: the requests wait for PostgreSQL most of the time, and a second process costs 90 MB."""
    return [
        *("gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--no-control-socket"),
        *("--worker-class", "gthread", "--workers", "1", "--threads", str(WEB_THREADS)),
        *("--timeout", "60", "--graceful-timeout", "2", "--access-logfile", "-"),
    ]


def worker() -> list[str]:
    """Return how to start what works in the house.

    Two processes rather than threads: only a process can be ended at the hard time limit, or crash alone.
    """
    return [*_CELERY, "worker", "--hostname", "worker@%h", "--pool", "prefork", "--concurrency", "2", *_ALONE]


def courier() -> list[str]:
    """Return how to start what sends mails, texts and webhooks.

    Threads: they wait for other people's servers, each for as long as the channel allows and no longer.
    """
    threads = ["--pool", "threads", "--concurrency", str(COURIER_THREADS)]
    celery = ["celery", "-A", "workers.courier"]
    return [*celery, "worker", "--hostname", "courier@%h", "--queues", OUTSIDE, *threads, *_ALONE]


def beat() -> list[str]:
    """Return how to start what sweeps."""
    return [*_CELERY, "beat", "--pidfile", ""]


def _mail(env: Mapping[str, str]) -> list[str]:
    return ["config.embedded.mail_catcher", env["AUTHZ_DEMO_MAIL_DIR"], env["EMAIL_PORT"]]


def _webhooks(env: Mapping[str, str]) -> list[str]:
    port = env["AUTHZ_DEMO_WEBHOOK_URL"].removesuffix("/hook").rpartition(":")[2]
    return ["config.embedded.webhook_catcher", env["AUTHZ_DEMO_WEBHOOK_DIR"], port]
