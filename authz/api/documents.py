"""Documents of a request: attached by the clinic, and rendered by us. What is handed out is a download."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import IO, Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.etags import etag, expected_version
from authz.api.fields import In, PublicId, Text, Truth
from authz.api.parsers import BodyTooLarge
from authz.api.prior_auth_steps import IF_MATCH
from authz.api.views import IDEMPOTENCY_KEY, Door
from authz.documentation.file_kinds import MediaType
from authz.documentation.models import Attachment
from authz.documentation.services import files
from authz.downloads import download
from authz.ids import AppealId, PriorAuthId
from authz.prescriptions.part2 import notice
from authz.prior_auths import selectors
from authz.prior_auths.selectors import KeptFile
from authz.prior_auths.services import documents, papers

_FIELDS_BESIDE_THE_FILE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as it came. Two are the same when their bytes are: `str` of it is their SHA-256."""

    name: str
    content: bytes

    def __str__(self) -> str:
        return sha256(self.content).hexdigest()


class FormParser(MultiPartParser):
    """Reads multipart/form-data into one plain object; `shows` may come more than once."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the fields by name; a field that comes more often than once is a list.

        :raises BodyTooLarge: before reading it, when its length says that the file is over the cap.
        """
        announced = int((parser_context or {})["request"].META.get("CONTENT_LENGTH") or 0)
        most = settings.ATTACHMENT_MAX_BYTES + _FIELDS_BESIDE_THE_FILE
        if announced > most:
            raise BodyTooLarge(f"The body may have at most {most} bytes.")
        form: Any = super().parse(stream, media_type, parser_context)
        fields: dict[str, Any] = {name: _one_or_all(values) for name, values in form.data.lists()}
        sent = {name: [Sent(one.name, one.read()) for one in found] for name, found in form.files.lists()}
        return {**fields, **{name: _one_or_all(found) for name, found in sent.items()}}


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


@extend_schema_field(OpenApiTypes.BINARY)
class FileField(serializers.Field):  # type: ignore[type-arg]  # the stubs' four type variables say nothing here
    """One uploaded file."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "One file is needed."}

    def to_internal_value(self, data: Any) -> Sent:
        if not isinstance(data, Sent):
            self.fail("invalid")
        return data


class Several(serializers.ListField):
    """One value, or several: a form has no lists, but may name a field more than once."""

    def to_internal_value(self, data: Any) -> list[Any]:
        return super().to_internal_value(data if isinstance(data, list) else [data])


class SaidTruth(Truth):
    """true or false, as a form says it: in letters."""

    def to_internal_value(self, data: Any) -> bool:
        return super().to_internal_value(data == "true" if data in ("true", "false") else data)


class AttachmentIn(In):
    """A document: PDF, PNG, JPEG, TIFF or plain text in UTF-8, by its bytes. Without a title it has its file's name."""

    file = FileField()
    title = Text(max_length=200, required=False)
    shows = Several(
        child=Text(max_length=60), required=False, default=list, help_text="The questions that it bears out."
    )
    answers = Several(
        child=PublicId(), required=False, default=list, help_text="The insurer's questions that it answers, by id."
    )
    appeal = PublicId(required=False, default=None, help_text="The open appeal that it is sent in with, by id.")
    part2 = SaidTruth(required=False, default=False, help_text="It comes from a program under 42 CFR Part 2.")


class AttachmentOut(serializers.Serializer[Attachment]):
    id = serializers.UUIDField(source="public_id")
    number = serializers.IntegerField()
    title = serializers.CharField()
    media_type = serializers.ChoiceField(source="file.media_type", choices=[kind.value for kind in MediaType])
    byte_count = serializers.IntegerField(source="file.byte_count")
    page_count = serializers.IntegerField(source="file.page_count", allow_null=True)
    sha256 = serializers.CharField(source="file.sha256")
    shows = serializers.ListField(child=serializers.CharField())
    answers = serializers.SerializerMethodField(help_text="The insurer's questions that it answers, by id.")
    appeals = serializers.SerializerMethodField(help_text="The appeals that it was sent in with, by id.")
    part2 = serializers.BooleanField(source="is_part2", help_text="It comes from a program under 42 CFR Part 2.")
    redisclosure_notice = serializers.SerializerMethodField(help_text="That of 42 CFR 2.32, or empty.")
    attached_at = serializers.DateTimeField()
    attached_by = serializers.CharField()
    removed_at = serializers.DateTimeField(allow_null=True)

    def get_redisclosure_notice(self, row: Attachment) -> str:
        return notice(is_part2=row.is_part2)

    def get_answers(self, row: Attachment) -> list[UUID]:
        return [asked.public_id for asked in row.information_requests.all()]

    def get_appeals(self, row: Attachment) -> list[UUID]:
        return [appeal.public_id for appeal in row.appeals.all()]


class AttachmentsOut(serializers.Serializer[Any]):
    attachments = AttachmentOut(many=True)


class AttachmentsView(Door):
    parser_classes: ClassVar[list[type[BaseParser]]] = [FormParser]  # type: ignore[misc]  # narrower is meant
    problem_statuses: ClassVar[tuple[int, ...]] = (409, 412, 503)

    @extend_schema(operation_id="list_attachments", tags=["documents"], responses=AttachmentsOut)
    def get(self, request: Request, prior_auth_id: PriorAuthId) -> Response:
        """List a request's documents; an insurer sees those that it was sent."""
        row = selectors.prior_auth(self.actor, prior_auth_id)
        answer = Response(AttachmentsOut({"attachments": selectors.attachments(self.actor, row)}).data)
        answer["ETag"] = etag(row.version)
        return answer

    @extend_schema(
        operation_id="attach_document",
        tags=["documents"],
        parameters=[IF_MATCH, IDEMPOTENCY_KEY],
        request={"multipart/form-data": AttachmentIn},
        responses={200: AttachmentOut, 201: AttachmentOut},
    )
    def post(self, request: Request, prior_auth_id: PriorAuthId) -> Response:
        """Attach a document and say what it proves. The same bytes sent again are the attachment that is there.

        After submission it answers an open question of the insurer, and goes with the answer; or it is sent in with an
        open appeal, at once.
        """
        documents.must_be_open(prior_auth_id=prior_auth_id, by=self.actor)
        sent = self.read(AttachmentIn)
        # Before any transaction: a virus scanner may be asked.
        file = files.inspect(content=sent["file"].content)
        title = sent.get("title", sent["file"].name)
        version = expected_version(request, is_required=False)
        said = {"shows": sent["shows"], "answers": sent["answers"], "appeal_id": sent["appeal"]}
        said |= {"title": title, "is_part2": sent["part2"]}
        return self.once(lambda: self._attach(prior_auth_id, version, file=file, **said))

    def _attach(self, prior_auth_id: PriorAuthId, version: int | None, **document: Any) -> Response:
        attachment, is_new = documents.attach(
            prior_auth_id=prior_auth_id, by=self.actor, now=self.now, expected_version=version, **document
        )
        return Response(AttachmentOut(attachment).data, status=201 if is_new else 200)


class RemovalView(Door):
    problem_statuses: ClassVar[tuple[int, ...]] = (409, 412)

    @extend_schema(
        operation_id="take_off_attachment",
        tags=["documents"],
        parameters=[IF_MATCH, IDEMPOTENCY_KEY],
        request=None,
        responses=AttachmentOut,
    )
    def post(self, request: Request, prior_auth_id: PriorAuthId, attachment_id: UUID) -> Response:
        """Take a document off that the insurer does not have yet. It stays, marked as removed."""
        self.read(In)
        version = expected_version(request, is_required=False)
        return self.once(lambda: self._take_off(prior_auth_id, attachment_id, version))

    def _take_off(self, prior_auth_id: PriorAuthId, attachment_id: UUID, version: int | None) -> Response:
        taken = documents.take_off(
            prior_auth_id=prior_auth_id,
            attachment_id=attachment_id,
            by=self.actor,
            now=self.now,
            expected_version=version,
        )
        return Response(AttachmentOut(taken).data)


class RefusedInJson(BaseContentNegotiation):
    """Refusals are problems in JSON, whatever is accepted: which kind a download is, is known once it is found."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class DownloadDoor(Door):
    content_negotiation_class = RefusedInJson

    def hand_out(self, kept: KeptFile) -> HttpResponse:
        """Answer with a file's bytes.

        :raises NotAcceptable: when the caller does not accept what kind it is.
        """
        if not self.request.accepts(kept.file.media_type):
            raise NotAcceptable(f"This exists only as {kept.file.media_type}, which the Accept header rules out.")
        return download(bytes(kept.file.content), kept.file.media_type, name=kept.name)


class ContentView(DownloadDoor):
    @extend_schema(
        operation_id="download_attachment",
        tags=["documents"],
        responses={(200, kind.value): OpenApiTypes.BINARY for kind in MediaType},
    )
    def get(self, request: Request, prior_auth_id: PriorAuthId, attachment_id: UUID) -> HttpResponse:
        """Download a document as it was attached."""
        return self.hand_out(selectors.attachment_file(self.actor, prior_auth_id, attachment_id))


class PacketView(DownloadDoor):
    @extend_schema(
        operation_id="download_packet",
        tags=["documents"],
        responses={(200, MediaType.PDF.value): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, prior_auth_id: PriorAuthId) -> HttpResponse:
        """Download what was submitted, as it was frozen, on paper."""
        return self.hand_out(papers.packet_file(prior_auth_id=prior_auth_id, by=self.actor, now=self.now))


class AppealLetterView(DownloadDoor):
    @extend_schema(
        operation_id="download_appeal_letter",
        tags=["documents"],
        responses={(200, MediaType.PDF.value): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, appeal_id: AppealId) -> HttpResponse:
        """Download the letter of an appeal that was upheld; any other has that of its determination."""
        return self.hand_out(papers.appeal_letter_file(appeal_id=appeal_id, by=self.actor, now=self.now))


class LetterView(DownloadDoor):
    @extend_schema(
        operation_id="download_letter",
        tags=["documents"],
        responses={(200, MediaType.PDF.value): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, prior_auth_id: PriorAuthId, determination_id: UUID) -> HttpResponse:
        """Download the letter that tells a determination."""
        return self.hand_out(
            papers.letter_file(
                prior_auth_id=prior_auth_id, determination_id=determination_id, by=self.actor, now=self.now
            )
        )
