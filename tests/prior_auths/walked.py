"""What walks leave behind, seen as somebody outside would: rights beyond what was asked, patient data that was sent."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db.models import Model

from authz.notifications.channels.webhook.payload import body_of
from authz.notifications.models import Delivery, InboxEntry
from authz.outbox.models import OutboxMessage
from authz.prior_auths.models import Authorization, DeterminationLine, RequestedLine
from tests import cast as stage

Amounts = Mapping[str, int | Decimal | date | None]

OF_THE_PATIENT = re.compile(
    rf"\bDoe\b|\bPat\b|1970-05-05|MRN-\d|\bM-[0-9a-f]{{8}}|oxycodone|\b{stage.OXYCODONE_5}\b|M54\.50|post-surgical"
    r"|Second operation|Since (?:when|March)|Please attest|chart note|So it is|Wanted\.|Seven days are enough"
    r"|Policy 3\.2|It was planned|clinic was closed|Spoke\.|No need\."
)
"""What the builders and the walk itself say of a patient, of their use, and to each other about it."""


def beyond_what_was_asked() -> Iterator[str]:
    """Yield every amount that was granted, or is a right, beyond what the request asks for on that line."""
    asked = {(line.prior_auth_id, line.line): line for line in RequestedLine.objects.all()}
    for line in DeterminationLine.objects.select_related("determination"):
        of_it = asked[line.determination.prior_auth_id, line.line]
        yield from (f"granted {what}" for what in beyond(_granted(line), of_it))
    for right in Authorization.objects.all():
        fits = [[*beyond(_right(right), line)] for (key, _), line in asked.items() if key == right.prior_auth_id]
        yield from (f"a right to {what}" for what in min(fits, key=len))


def beyond(amounts: Amounts, asked: RequestedLine) -> Iterator[str]:
    """Yield which of the amounts is more than the line asks for. What it leaves open has no bound, but for refills."""
    most: Amounts = {
        "days": asked.days_supply,
        "quantity": asked.quantity,
        "daily units": asked.daily_units,
        "refills": asked.refills or 0,
        "until": asked.ends_on,
    }
    for what, bound in most.items():
        amount = amounts.get(what)
        if amount is not None and bound is not None and amount > bound:  # type: ignore[operator]  # alike by name
            yield what
    since = amounts.get("from")
    if isinstance(since, date) and since < asked.starts_on:
        yield "from"
    if amounts["product"] not in {"", asked.rxcui}:
        yield "product"


def _granted(line: DeterminationLine) -> Amounts:
    return {
        "product": line.granted_rxcui,
        "days": line.granted_days,
        "quantity": line.granted_quantity,
        "daily units": line.granted_daily_units,
        "refills": line.granted_refills,
        "from": line.starts_on,
        "until": line.ends_on,
    }


def _right(right: Authorization) -> Amounts:
    return {
        "product": right.rxcui,
        "days": right.days_granted,
        "quantity": right.quantity_granted,
        "from": right.starts_on,
        "until": right.ends_on,
    }


def sent() -> str:
    """Return all that was sent, and what any system that listens would have been told, links included."""
    mails = "\n".join(readable(one) for one in mail.outbox)
    heard = "\n".join(body_of(one).decode() for one in Delivery.objects.select_related("message"))
    return "\n".join([mails, heard, *map(_columns, (OutboxMessage, Delivery, InboxEntry))])


def readable(one: EmailMessage) -> str:
    """Return a mail's headers, to whom it goes, and every form of its body."""
    forms = [str(form.content) for form in one.alternatives] if isinstance(one, EmailMultiAlternatives) else []
    return "\n".join([one.subject, str(one.to), str(one.extra_headers), str(one.body), *forms])


def _columns(model: type[Model]) -> str:
    return "\n".join(str(row) for row in model._base_manager.values())
