"""Are the servers there, and set up so that nothing is lost?"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import redis
from django.conf import settings
from django.core.mail import get_connection
from django.db import Error, connection

from authz.access.database import role
from authz.operations import probes
from authz.operations.findings import Finding, broken, look, well

OLDEST_POSTGRESQL = 140000
_MOST_APART = timedelta(seconds=2)
# A server that forgets what it confirmed breaks every promise made here.
_DURABLE = {"fsync": "on", "full_page_writes": "on"}


def database(now: datetime) -> Iterator[Finding]:
    """Yield whether PostgreSQL is there, keeps what it confirms, and has every migration."""
    try:
        yield from _server()
        yield from _clock(now)
        yield _migrations()
    except Error as failure:
        name = type(failure).__name__
        yield broken("database", f"PostgreSQL cannot be used ({name}).", "Look whether it runs, and at DATABASE_URL.")


def _server() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('server_encoding')")
        number, encoding = cursor.fetchone()
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [sorted(_DURABLE)])
        wrong = [f"{name}={setting}" for name, setting in cursor.fetchall() if setting != _DURABLE[name]]
    major = number // 10000
    if number < OLDEST_POSTGRESQL:
        yield broken("database", f"PostgreSQL {major} is too old.", "Upgrade to PostgreSQL 14 or newer.")
    elif encoding != "UTF8":
        yield broken("database", f"The database is encoded in {encoding}.", "Make it anew with the encoding UTF8.")
    else:
        yield well("database", f"PostgreSQL {major} answers.")
    if wrong:
        advice = "Set them to on, and restart PostgreSQL: a power cut can lose or spoil what was confirmed."
        yield broken("durability", f"PostgreSQL runs with {', '.join(sorted(wrong))}.", advice)
    for fault in role.faults():
        yield look("database role", f"The role {fault}.", "Connect as authz_app or a member of it: docs/running.md.")


def _clock(now: datetime) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        apart = abs(cursor.fetchone()[0] - now)
    if apart > _MOST_APART:
        says = f"This machine's clock and PostgreSQL's are {apart.total_seconds():.0f} seconds apart."
        yield look("clock", says, "Have both keep their time by NTP: legal clocks are read here.")


def _migrations() -> Finding:
    if missing := probes.missing_migrations():
        return broken("migrations", f"{missing} missing.", "Run `manage.py migrate`, and restart the programs.")
    return well("migrations", "All are there.")


def broker(_now: datetime) -> Iterator[Finding]:
    """Yield whether Redis is there, and refuses rather than throws away when it is full."""
    try:
        with probes.broker() as client:
            yield well("broker", "Redis answers.")
            policy = _policy(client)
    except redis.RedisError as failure:
        says = f"Redis cannot be reached ({type(failure).__name__}). Nothing is lost; everything is told later."
        yield broken("broker", says, "Look whether it runs, and at REDIS_URL.")
        return
    if policy not in {"noeviction", ""}:
        advice = "Set maxmemory-policy to noeviction."
        yield look("broker", f"Redis throws work away when it is full ({policy}).", advice)


def _policy(client: redis.Redis) -> str:
    """Return what Redis does when it is full; "" where it does not tell, as many hosted ones do not."""
    with suppress(redis.ResponseError):
        return str(client.config_get("maxmemory-policy").get("maxmemory-policy", ""))
    return ""


def mail(_now: datetime) -> Iterator[Finding]:
    """Yield whether the mail server takes our connection, and our account; no mail is sent."""
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    line = get_connection()
    try:
        line.open()
    except OSError as failure:  # smtplib's exceptions are OSErrors too
        says = f"The mail server {where} cannot be used ({type(failure).__name__})."
        yield broken("mail", says, "Look at EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS, EMAIL_HOST_USER and its password.")
        return
    line.close()
    yield well("mail", f"The mail server {where} answers.")
