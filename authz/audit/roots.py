"""Where roots are written besides the database: the log, a file, a mailbox. They hold no patient data."""

import json
import logging
from pathlib import Path

from django.conf import settings
from django.core.mail import send_mail

from authz.audit.models import AuditRoot

_log = logging.getLogger(__name__)


def write_elsewhere(root: AuditRoot) -> None:
    """Write a root to the log, and to the file and the address that the operator set.

    :raises OSError: when the file or the mail server does not take it.
    """
    line = to_line(root)
    _log.info("audit root %s", line)
    if settings.AUDIT_ROOTS_PATH:
        with Path(settings.AUDIT_ROOTS_PATH).open("a", encoding="ascii") as file:
            file.write(f"{line}\n")
    if settings.AUDIT_ROOTS_EMAIL:
        send_mail("Root of the audit trail", f"{line}\n", None, [settings.AUDIT_ROOTS_EMAIL])


def to_line(root: AuditRoot) -> str:
    """Return a root as one line of JSON."""
    organization = str(root.organization.public_id) if root.organization else None
    told = {"organization": organization, "at": root.at.isoformat(), "sequence": root.sequence, "hash": root.hash}
    return json.dumps(told)
