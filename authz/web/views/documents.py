"""Documents of a request on the pages: attach, take off, download."""

from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz.documentation.file_kinds import FileRefused
from authz.documentation.services import files
from authz.documentation.virus_scan import FileInfected, ScannerUnavailable
from authz.downloads import download
from authz.errors import AuthzError, InvalidInput
from authz.ids import AppealId, PriorAuthId
from authz.prior_auths import selectors
from authz.prior_auths.selectors import KeptFile
from authz.prior_auths.services import documents, papers
from authz.web.attach_form import AttachForm, of_questionnaire
from authz.web.pages import Page
from authz.web.views.request import Refused, RequestPage

ATTACH = "attachments"
"""The place of the form on the request's page."""


class AttachmentsPage(RequestPage):
    """Takes a document."""

    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId) -> HttpResponse:
        return redirect("request", prior_auth_id=prior_auth_id)

    def post(self, request: HttpRequest, prior_auth_id: PriorAuthId) -> HttpResponse:
        prior_auth = selectors.prior_auth(self.actor, prior_auth_id)
        form = AttachForm(self.proves(prior_auth), request.POST, request.FILES)
        if not form.is_valid():
            return self.page(prior_auth, Refused(ATTACH, form), status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            documents.must_be_open(prior_auth_id=prior_auth_id, by=self.actor)
            _attach(form, prior_auth_id, self)
        except AuthzError as error:
            return self.refuse(prior_auth_id, ATTACH, form, _at_the_file(error))
        messages.success(request, "The document is attached.")
        return redirect("request", prior_auth_id=prior_auth_id)


def _attach(form: AttachForm, prior_auth_id: PriorAuthId, page: Page) -> None:
    documents.attach(
        prior_auth_id=prior_auth_id,
        file=files.inspect(content=form.cleaned_data["file"].read()),
        by=page.actor,
        now=page.now,
        **form.document(),
    )


def _at_the_file(error: AuthzError) -> AuthzError:
    """Tell what is wrong with a file at its field."""
    is_of_the_file = isinstance(error, FileRefused | FileInfected | ScannerUnavailable)
    return InvalidInput({"file": [error.detail]}) if is_of_the_file else error


class AttachmentTakenOff(RequestPage):
    """Takes a document off."""

    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId, attachment_id: UUID | None = None) -> HttpResponse:
        return redirect("request", prior_auth_id=prior_auth_id)

    def post(self, request: HttpRequest, prior_auth_id: PriorAuthId, attachment_id: UUID) -> HttpResponse:
        try:
            documents.take_off(prior_auth_id=prior_auth_id, attachment_id=attachment_id, by=self.actor, now=self.now)
        except AuthzError as error:
            return self.refuse(prior_auth_id, ATTACH, AttachForm(of_questionnaire([])), error)
        messages.success(request, "The document is taken off.")
        return redirect("request", prior_auth_id=prior_auth_id)


class Download(Page):
    """Hands out one of a request's files."""

    def hand_out(self, kept: KeptFile) -> HttpResponse:
        """Answer with the bytes, as a download."""
        return download(bytes(kept.file.content), kept.file.media_type, name=kept.name)


class AttachmentContent(Download):
    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId, attachment_id: UUID) -> HttpResponse:
        return self.hand_out(selectors.attachment_file(self.actor, prior_auth_id, attachment_id))


class PacketPaper(Download):
    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId) -> HttpResponse:
        return self.hand_out(papers.packet_file(prior_auth_id=prior_auth_id, by=self.actor, now=self.now))


class AppealLetterPaper(Download):
    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId, appeal_id: AppealId) -> HttpResponse:
        return self.hand_out(papers.appeal_letter_file(appeal_id=appeal_id, by=self.actor, now=self.now))


class LetterPaper(Download):
    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId, determination_id: UUID) -> HttpResponse:
        return self.hand_out(
            papers.letter_file(
                prior_auth_id=prior_auth_id, determination_id=determination_id, by=self.actor, now=self.now
            )
        )
