"""Files of patients, coverages, orders and fills, sent as the raw body. What it holds is read in authz.imports."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO, ClassVar, cast

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from authz import clock
from authz.access.roles import Action, must_be_allowed
from authz.api.fields import Word
from authz.api.idempotency import earlier_answer
from authz.api.views import IDEMPOTENCY_KEY, Door
from authz.imports import selectors
from authz.imports.documents import Format
from authz.imports.models import ImportRun
from authz.imports.refusals import ImportTooLarge, ImportTruncated, ImportUnreadable
from authz.imports.services import Source, take_in

MOST_REJECTIONS = 1000
_IN_MEMORY = 1024 * 1024
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A body as it came. Two are the same when their format and SHA-256 are: `str` of it says both."""

    form: Format
    stream: BinaryIO
    digest: str

    def __str__(self) -> str:
        return f"{self.form} {self.digest}"


class FileParser(BaseParser):
    """Put a body aside, on disk when it is large, and refuse one over the cap before reading it."""

    form: ClassVar[Format]

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the body as an `Upload`, to be read from its start.

        :raises ImportTooLarge: when its length is, or turns out to be, over the cap.
        :raises ImportTruncated: when less came than was announced.
        """
        announced = int((parser_context or {})["request"].META.get("CONTENT_LENGTH") or 0)
        _must_fit(announced)
        with ExitStack() as closing:
            aside = closing.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY))
            digest, length = _put_aside(stream, aside)
            if length < announced:
                raise ImportTruncated(
                    f"The body has {length} of the {announced} bytes announced. Nothing was taken in."
                )
            # From here on the view closes it, after the import.
            closing.pop_all()
        return Upload(self.form, cast(BinaryIO, aside), digest)


def _put_aside(stream: IO[Any], aside: IO[bytes]) -> tuple[str, int]:
    """Copy the body and return its SHA-256 in hex and its length."""
    digest, length = sha256(), 0
    while piece := stream.read(_PIECE):
        length += len(piece)
        _must_fit(length)
        digest.update(piece)
        aside.write(piece)
    return digest.hexdigest(), length


def _must_fit(length: int) -> None:
    most = settings.IMPORT_MAX_BYTES
    if length > most:
        raise ImportTooLarge(
            f"The API takes at most {most} bytes in one import. Use `manage.py import FILE`, which takes any number."
        )


class BundleParser(FileParser):
    media_type = "application/fhir+json"
    form = Format.FHIR_BUNDLE


class NdjsonParser(FileParser):
    media_type = "application/fhir+ndjson"
    form = Format.FHIR_NDJSON


class PlainNdjsonParser(NdjsonParser):
    media_type = "application/x-ndjson"


class CsvParser(FileParser):
    media_type = "text/csv"
    form = Format.CSV


class ImportRejectionOut(serializers.Serializer[Any]):
    """A line that was not taken in."""

    line = serializers.IntegerField(help_text="Counts from 1; in a Bundle it is the entry's position.")
    code = serializers.CharField(help_text="Stable; docs/importing.md lists them.")
    path = serializers.CharField(help_text="The FHIR element or the column; empty for the whole line.")
    reason = serializers.CharField(help_text="One sentence for a person.")


class ImportRunOut(serializers.Serializer[ImportRun]):
    """What became of every line of a file."""

    id = serializers.UUIDField(source="public_id")
    format = Word(Format)
    file_sha256 = serializers.CharField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    created = serializers.IntegerField()
    unchanged = serializers.IntegerField(help_text="Known already, just so, or known from a newer telling.")
    corrected = serializers.IntegerField()
    not_an_opioid = serializers.IntegerField(help_text="Not stored.")
    rejected = serializers.IntegerField()
    needs_person = serializers.IntegerField(
        help_text="Records of the file's patients that a person must look at, such as unknown products."
    )
    by_kind = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()), help_text="The same counts by kind of record."
    )
    rejections = serializers.SerializerMethodField(help_text=f"The first {MOST_REJECTIONS} lines not taken in.")

    @extend_schema_field(ImportRejectionOut(many=True))
    def get_rejections(self, run: ImportRun) -> list[dict[str, Any]]:
        first = selectors.rejections(self.context["by"], run)[:MOST_REJECTIONS]
        return [dict(ImportRejectionOut(row).data) for row in first]


class ImportsView(Door):
    parser_classes: ClassVar[list[type[BaseParser]]] = [BundleParser, NdjsonParser, PlainNdjsonParser, CsvParser]  # type: ignore[misc]  # narrower is meant

    @extend_schema(
        operation_id="import_file",
        tags=["imports"],
        parameters=[IDEMPOTENCY_KEY],
        request={parser.media_type: OpenApiTypes.BINARY for parser in (BundleParser, NdjsonParser, CsvParser)},
        responses={201: ImportRunOut},
    )
    def post(self, request: Request) -> Response:
        """Import a FHIR Bundle, FHIR NDJSON or CSV file. Sent again, it changes nothing."""
        must_be_allowed(self.actor, Action.IMPORT_FILE)
        upload = request.data
        if not isinstance(upload, Upload):
            raise ImportUnreadable("The body is empty.")
        with upload.stream:
            # Too long for the one transaction of `once`, and harmless twice: only the answer is kept under the key.
            answered = earlier_answer(request, by=self.actor)
            return self._take_in(upload) if answered is None else answered

    def _take_in(self, upload: Upload) -> Response:
        source = Source(name="body", stream=upload.stream, form=upload.form)
        (run,) = take_in(sources=[source], by=self.actor, now=clock.now)
        return self.once(lambda: Response(ImportRunOut(run, context={"by": self.actor}).data, status=201))
