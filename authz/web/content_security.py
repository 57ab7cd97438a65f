"""The browser may load only what we serve ourselves, and run nothing that stands inside a page."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

POLICY: Final = "; ".join(
    [
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
# The API's explorer brings a page of its own; everything else there is JSON.
_NOT_OURS: Final = "/api/"


class ContentSecurity:
    """Middleware: adds the Content-Security-Policy to every answer of the pages."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self._answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self._answer(request)
        if not request.path.startswith(_NOT_OURS):
            answer.headers.setdefault("Content-Security-Policy", POLICY)
        return answer
