"""Is the deployment set up safely and completely?"""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.db.models import Exists, OuterRef

from authz import clock
from authz.access.models import Licence, Organization
from authz.access.people.selectors import sealed_secrets
from authz.access.roles import DENYING, OrganizationKind
from authz.notifications.channels.webhook.models import WebhookSecret
from authz.operations import keys
from authz.operations.findings import Finding, broken, look, well
from authz.policies.regimes import regimes
from authz.sealing import CannotOpen, opened


def framework(_now: datetime) -> Iterator[Finding]:
    """Yield what the framework's own checks and ours have to say; those for production only there."""
    said = run_checks(include_deployment_checks=settings.IS_PRODUCTION)
    for message in said:
        tell = broken if message.level >= ERROR else look
        yield tell("settings", f"{message.id}: {message.msg}", str(message.hint or "See docs/running.md."))
    if not said:
        yield well("settings", "Nothing to say.")


def secrets(_now: datetime) -> Iterator[Finding]:
    """Yield whether every sealed secret, and all that names patients, opens with the keys that are named."""
    of_webhooks = WebhookSecret.objects.values_list("sealed", flat=True)
    shut = sum(not _opens(sealed) for sealed in chain(of_webhooks, sealed_secrets()))
    advice = "Name the key that sealed them in AUTHZ_ENCRYPTION_KEYS, after the first one."
    if shut:
        yield broken("secrets", f"{shut} sealed secrets open with none of the keys.", advice)
    else:
        yield well("secrets", "Every sealed secret opens.")
    if of_patients := keys.shut():
        yield broken("identifiers", f"{of_patients} rows that name patients open with none of the keys.", advice)
    else:
        yield well("identifiers", "A key is named for all that names patients.")


def _opens(sealed: str) -> bool:
    try:
        opened(sealed)
    except CannotOpen:
        return False
    return True


def calendars(_now: datetime) -> Iterator[Finding]:
    """Yield whether every organization's time zone is known: days and legal clocks are read in it."""
    unknown = {zone for zone in Organization.objects.values_list("time_zone", flat=True) if not _is_known(zone)}
    if unknown:
        says = f"Time zones that nobody knows: {', '.join(sorted(unknown))}."
        yield broken("time zones", says, "Install the package tzdata, or correct the organizations.")
    else:
        yield well("time zones", "Every organization's is known.")


def _is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def law(now: datetime) -> Iterator[Finding]:
    """Yield how many of the legal figures in force were not confirmed against their source."""
    today = clock.day_in("America/New_York", at=now)
    in_force = [regime for versions in regimes().values() for regime in versions if regime.is_in_force(today)]
    waiting = sum(len(regime.unconfirmed) for regime in in_force)
    if waiting:
        says = f"{waiting} figures of the regimes in force are not confirmed."
        yield look("law", says, "Compare them with their citations: docs/clocks.md names each.")
    else:
        yield well("law", "Every figure in force is confirmed.")


def deciders(now: datetime) -> Iterator[Finding]:
    """Yield the insurers in which nobody could deny today: nobody has a licence for it."""
    today = clock.day_in("America/New_York", at=now)
    valid = Licence.objects.filter(
        person__memberships__organization=OuterRef("pk"),
        person__is_active=True,
        profession__in=[profession.value for profession in DENYING],
        valid_from__lte=today,
        valid_until__gte=today,
    )
    without = Organization.objects.filter(~Exists(valid), kind=OrganizationKind.INSURER.value)
    for name in without.order_by("name").values_list("name", flat=True):
        says = f"Nobody of {name} has a valid licence to decide against a request."
        yield look("licences", says, "Record the licence of a physician or pharmacist, or decisions will wait.")
