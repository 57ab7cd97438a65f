"""What a digest looks like: how many notices there are, and where to read them. Nothing else."""

from dataclasses import asdict, dataclass
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from authz.notifications.channels.email.message import mail
from authz.notifications.digests.selectors import Counted


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedInDigest:
    """All that a digest's template can reach."""

    waiting: str
    unread: str
    inbox: str
    links: list[str]


def digest_letter(*, to: str, counted: Counted, digest_id: UUID) -> EmailMultiAlternatives:
    """Return the mail, in text and HTML. Every attempt of one digest makes the same Message-ID."""
    allowed = AllowedInDigest(
        waiting=_many(counted.waiting, "waits", "wait") + " for you",
        unread=_many(counted.unread, "is", "are") + " unread",
        inbox=f"{settings.BASE_URL}/inbox/",
        links=[f"{settings.BASE_URL}{path}" for path in counted.paths],
    )
    subject = f"Authz: {allowed.waiting}, {allowed.unread}"
    return mail(to=to, subject=subject, template="digest", says=asdict(allowed), mail_id=digest_id)


def _many(number: int, one: str, more: str) -> str:
    return f"{number} notice {one}" if number == 1 else f"{number} notices {more}"
