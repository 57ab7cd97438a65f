"""Is the work being done, and is anything left lying?"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from authz.audit import selectors as audit
from authz.notifications import selectors as notifications
from authz.notifications.channels.webhook.models import EndpointState, WebhookEndpoint
from authz.operations.findings import Finding, broken, look, well
from authz.operations.models import Part
from authz.operations.selectors import Pulse, pulses
from authz.outbox import selectors as outbox
from authz.prior_auths import selectors as prior_auths

_LONGEST_WAIT: Final = timedelta(minutes=1)
_LONGEST_UNSEALED: Final = timedelta(minutes=5)
_WHO: Final[Mapping[Part, str]] = {
    Part.BEAT: "celery -A workers.app beat",
    Part.TELLING: "celery -A workers.app worker",
    Part.SENDING: "celery -A workers.courier worker --queues outside --pool threads",
}


def parts(now: datetime) -> Iterator[Finding]:
    """Yield whether each part of the deployment was seen at work lately."""
    for part, pulse in pulses(now=now).items():
        if pulse is Pulse.OK:
            yield well(part.value, "At work.")
        else:
            yield broken(
                part.value, f"{pulse.value.capitalize()}.", f"Look whether `{_WHO[part]}` runs, and at its log."
            )


def waiting(now: datetime) -> Iterator[Finding]:
    """Yield what waits for too long to be told, and what was given up."""
    since = outbox.waiting_since()
    if since is not None and now - since > _LONGEST_WAIT:
        says = f"The oldest fact has waited for {_minutes(now - since)} to be told."
        yield look("outbox", says, "Look whether the worker runs and keeps up.")
    else:
        yield well("outbox", "Nothing waits for long.")
    if dead := outbox.dead().count():
        yield look("outbox", f"{dead} facts were given up.", "Look at `manage.py outbox list`, mend, and replay.")
    for channel, traffic in notifications.by_channel(now=now).items():
        if traffic.oldest is not None and now - traffic.oldest > _LONGEST_WAIT:
            says = f"{traffic.due} notices are due, the oldest for {_minutes(now - traffic.oldest)}."
            yield look(channel.value, says, "Look whether the courier runs, and whether the receiving server answers.")
        if traffic.dead:
            advice = "Look at `manage.py outbox list`, mend, and replay."
            yield look(channel.value, f"{traffic.dead} notices were given up.", advice)
    if paused := WebhookEndpoint.objects.filter(state=EndpointState.PAUSED.value).count():
        advice = "Their administrators see why, and can take them up again."
        yield look("webhooks", f"{paused} endpoints are paused.", advice)


def overdue(now: datetime) -> Iterator[Finding]:
    """Yield whether the law was missed: requests undecided after their time."""
    if late := prior_auths.overdue(now=now).count():
        says = f"{late} undecided requests are past their legal time."
        yield look("decisions", says, "Insurers' administrators were told. If deeming is due, look whether beat runs.")
    else:
        yield well("decisions", "No request is past its legal time.")


def trail(now: datetime) -> Iterator[Finding]:
    """Yield whether entries of the audit trail wait for too long to be sealed, while which they prove little."""
    since = audit.waiting_since()
    if since is not None and now - since > _LONGEST_UNSEALED:
        says = f"The oldest entry has waited for {_minutes(now - since)} to be sealed."
        yield broken("audit", says, "Look whether the worker and beat run; `manage.py audit seal` does it at once.")
    else:
        yield well("audit", "Every entry is sealed in time.")
    held, said = audit.years_kept(), settings.AUDIT_RETENTION_YEARS
    if held != said:
        says = f"The database keeps the trail for {held} years; AUTHZ_AUDIT_RETENTION_YEARS says {said}."
        yield look("audit", says, "Fewer than it keeps have no effect; more are told to it hourly by the worker.")


def _minutes(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} minutes" if minutes != 1 else "a minute"
