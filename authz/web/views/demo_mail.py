"""The mail that the demonstration caught. Outside the demonstration these pages do not exist."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views import View

from authz.web.context import can_show_mail

MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One caught message; `name` is its file."""

    name: str
    to: str
    subject: str
    sent_at: datetime | None
    text: str


class _MailView(View):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not can_show_mail():
            raise Http404
        answer = super().dispatch(request, *args, **kwargs)
        answer.headers["Cache-Control"] = "no-store"
        return answer


class Mailbox(_MailView):
    """Every message, newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        newest = sorted(_files().items(), reverse=True)[:MOST]
        return render(request, "pages/mailbox.html", {"mails": [_read(path) for _, path in newest]})


class CaughtMail(_MailView):
    """One message as text. A name is looked up among the files there are, so it leads nowhere else."""

    def get(self, request: HttpRequest, name: str) -> HttpResponse:
        path = _files().get(name)
        if path is None:
            raise Http404
        return render(request, "pages/mail.html", {"mail": _read(path)})


def _files() -> dict[str, Path]:
    folder = Path(settings.DEMO_MAIL_DIR)
    listed = folder.glob("*.eml") if folder.is_dir() else ()
    return {path.name: path for path in listed if path.is_file() and not path.is_symlink()}


def _read(path: Path) -> Mail:
    with path.open("rb") as file:
        message = BytesParser(EmailMessage, policy=policy.default).parse(file)
    return Mail(
        name=path.name,
        to=str(message.get("X-Envelope-To") or message.get("To") or ""),
        subject=str(message.get("Subject") or ""),
        sent_at=_date(message),
        text=_text(message),
    )


def _date(message: EmailMessage) -> datetime | None:
    written = message.get("Date")
    sent_at: datetime | None = written.datetime if written else None
    # "-0000" says that it is UTC and nobody's zone; the parser leaves the zone out then.
    return sent_at.replace(tzinfo=UTC) if sent_at and sent_at.tzinfo is None else sent_at


def _text(message: EmailMessage) -> str:
    body = message.get_body(preferencelist=("plain",))
    return str(body.get_content()) if body is not None else "This message has no text part."
