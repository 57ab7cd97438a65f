"""The deployment looked at from all sides: each check takes the present instant and yields what it found."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from authz.operations.checks import servers, setup, work
from authz.operations.findings import Finding

ALWAYS: Sequence[Callable[[datetime], Iterator[Finding]]] = (setup.framework, servers.broker, servers.mail)
WITH_DATABASE: Sequence[Callable[[datetime], Iterator[Finding]]] = (
    work.parts,
    work.waiting,
    work.overdue,
    work.trail,
    setup.secrets,
    setup.calendars,
    setup.law,
    setup.deciders,
)
"""What can be looked at only where the database is there and complete."""
