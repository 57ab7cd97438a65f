"""Pages go out compressed, with the noise that keeps an eavesdropper from reading secrets off their length."""

from typing import Any, Final

from django.http import HttpRequest
from django.middleware.gzip import GZipMiddleware

# The API's answers carry strong ETags, which compression would weaken.
_NOT_OURS: Final = "/api/"


class CompressedPages(GZipMiddleware):
    """Middleware: compresses what the pages and their files answer."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        return response if request.path.startswith(_NOT_OURS) else super().process_response(request, response)
