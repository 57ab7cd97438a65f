"""What the demonstration's receiver was posted. Outside the demonstration this page does not exist."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views import View

from authz.web.context import can_show_webhooks

MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One event as it came."""

    received_at: datetime
    path: str
    headers: list[tuple[str, str]]
    body: str


class CaughtWebhooks(View):
    """Every event, newest first."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not can_show_webhooks():
            raise Http404
        answer = super().dispatch(request, *args, **kwargs)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def get(self, request: HttpRequest) -> HttpResponse:
        folder = Path(settings.DEMO_WEBHOOK_DIR)
        files = sorted(folder.glob("*.json"), reverse=True)[:MOST] if folder.is_dir() else []
        posted = [_read(path) for path in files]
        return render(request, "pages/demo_webhooks.html", {"posted": posted, "receiver": settings.DEMO_WEBHOOK_URL})


def _read(path: Path) -> Posted:
    told = json.loads(path.read_text(encoding="utf-8"))
    return Posted(
        received_at=datetime.fromisoformat(told["received_at"]),
        path=told["path"],
        headers=sorted(told["headers"].items()),
        body=told["body"],
    )
