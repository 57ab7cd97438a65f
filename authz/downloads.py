"""What the doors share to hand out kept bytes: always a download, never something a browser opens or runs."""

from django.http import HttpResponse

_EXTENSIONS = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/tiff": "tif",
    "text/plain": "txt",
}


def download(content: bytes, media_type: str, *, name: str) -> HttpResponse:
    """Return the bytes to be saved under a name of ours, to which the extension is added: no patient's facts in it."""
    full_type = "text/plain; charset=utf-8" if media_type == "text/plain" else media_type
    answer = HttpResponse(content, content_type=full_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}.{_EXTENSIONS[media_type]}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cache-Control"] = "no-store"
    return answer
