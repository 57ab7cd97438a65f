"""What an address that answers CSV as well as JSON shares."""

from collections.abc import Iterator
from typing import Any, Final, cast

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

CSV: Final = "text/csv"


class ProblemBesideCsv(JSONRenderer):
    """Lets a caller ask for CSV, which never passes here: it is streamed. What does pass is a problem, as JSON."""

    media_type = CSV
    format = "csv"


ALSO_CSV: Final[list[type[BaseRenderer]]] = [JSONRenderer, ProblemBesideCsv]
"""The renderers of a view that answers CSV to whoever accepts it."""


def wants_csv(request: Request) -> bool:
    """Say whether the caller prefers CSV."""
    return bool(cast(Any, request).accepted_renderer.media_type == CSV)


def sheet(lines: Iterator[str]) -> StreamingHttpResponse:
    """Answer lines of CSV as they are made."""
    return StreamingHttpResponse(lines, content_type=f"{CSV}; charset=utf-8")
