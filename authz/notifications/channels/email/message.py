"""What a mail looks like. It can say a request's number and where to read more, and nothing else."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from email.utils import parseaddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from authz.notifications.subjects import Sayable
from authz.notifications.wording import sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """All that a mail template can reach: no row, no person, no patient."""

    sentence: str
    needs_act: bool
    link: str


def letter(*, to: str, topic: str, needs_act: bool, says: Sayable, delivery_id: UUID) -> EmailMultiAlternatives:
    """Return the mail, in text and HTML. Every attempt of one delivery makes the same Message-ID."""
    allowed = Allowed(
        sentence=sentence(topic, number=says.number),
        needs_act=needs_act,
        link=f"{settings.BASE_URL}{says.path}",
    )
    return mail(to=to, subject=_subject(allowed), template="notice", says=asdict(allowed), mail_id=delivery_id)


def mail(*, to: str, subject: str, template: str, says: Mapping[str, object], mail_id: UUID) -> EmailMultiAlternatives:
    """Return a mail of ours in text and HTML, from the two templates of that name and what they may say."""
    made = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string(f"mail/{template}.txt", dict(says)),
        to=[to],
        headers={"Message-ID": f"<{mail_id}@{_domain()}>", "Auto-Submitted": "auto-generated"},
    )
    # Read by a provider's own API alone, which says it again when the mail bounces.
    made.metadata = {"delivery": str(mail_id)}  # type: ignore[attr-defined]
    made.attach_alternative(render_to_string(f"mail/{template}.html", dict(says)), "text/html")
    return made


def _subject(allowed: Allowed) -> str:
    return f"Action needed: {allowed.sentence}" if allowed.needs_act else allowed.sentence


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
