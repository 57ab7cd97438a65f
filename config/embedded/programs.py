"""The product's four programs and how each is started; docker-compose.yml starts the same ones."""

import signal
from collections.abc import Mapping
from pathlib import Path

from config.embedded.services import Program

WEB_THREADS = 8


def product_programs(*, data: Path, env: Mapping[str, str], port: int) -> list[Program]:
    """Return web, worker, beat and the mail catcher, in the order in which they are stopped."""
    return [
        Program(
            "web",
            _web(port),
            data / "web.log",
            {**env, "AUTHZ_WEB_THREADS": str(WEB_THREADS)},
            if_we_die=signal.SIGQUIT,
        ),
        Program("worker", _worker(), data / "worker.log", env, if_we_die=signal.SIGQUIT),
        Program("beat", _beat(), data / "beat.log", env),
        Program("mail catcher", _mail(env), data / "mail.log", env),
    ]


def _web(port: int) -> list[str]:
    """One process with threads: the requests wait for PostgreSQL most of the time, and a second process costs 90 MB."""
    return [
        *("gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--no-control-socket"),
        *("--worker-class", "gthread", "--workers", "1", "--threads", str(WEB_THREADS)),
        *("--timeout", "60", "--graceful-timeout", "2", "--access-logfile", "-"),
    ]


def _worker() -> list[str]:
    """Two processes rather than threads: only a process can be ended at the hard time limit, or crash alone."""
    return [
        *("celery", "-A", "workers.app", "worker", "--pool", "prefork", "--concurrency", "2"),
        # One worker has nobody to gossip with.
        *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"),
    ]


def _beat() -> list[str]:
    return ["celery", "-A", "workers.app", "beat", "--pidfile", ""]


def _mail(env: Mapping[str, str]) -> list[str]:
    return ["config.embedded.mail_catcher", env["AUTHZ_DEMO_MAIL_DIR"], env["EMAIL_PORT"]]
