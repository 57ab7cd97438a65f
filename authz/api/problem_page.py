"""The address that every problem's `type` leads to: docs/problems.md, as it is."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

PAGE = settings.ROOT / "docs" / "problems.md"


@require_safe
def problem_page(request: HttpRequest) -> HttpResponse:
    """Answer the page that explains every code, as Markdown."""
    return HttpResponse(PAGE.read_text(encoding="utf-8"), content_type="text/markdown; charset=utf-8")
