"""Uploads are refused by their announced length, before a byte of them is kept."""

from typing import Any, Final

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

# A file a little over the cap is read, so that its form can say so; anything beyond is not worth reading.
_ALLOWANCE: Final = 2


class Bounded(FileUploadHandler):
    """Lets the handlers after it have uploads of a reasonable length."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 - Django's name
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        if content_length > _ALLOWANCE * settings.ATTACHMENT_MAX_BYTES:
            raise RequestDataTooBig

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
