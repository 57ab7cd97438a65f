"""The pages' addresses."""

from django.urls import path

from authz.web.views.demo_mail import CaughtMail, Mailbox
from authz.web.views.documents import (
    AttachmentContent,
    AttachmentsPage,
    AttachmentTakenOff,
    LetterPaper,
    PacketPaper,
)
from authz.web.views.inbox import Acknowledgement, Inbox, OpenNotice
from authz.web.views.log_in import ChooseOrganization, LogIn, LogOut
from authz.web.views.patient import PatientPage
from authz.web.views.request import AnswersPage, RequestPage, StepTaken
from authz.web.views.worklist import Assignment, Worklist
from authz.web.views.worklist_sheet import WorklistSheet

urlpatterns = [
    path("", Worklist.as_view(), name="worklist"),
    path("worklist/assign/", Assignment.as_view(), name="assign"),
    path("worklist.csv", WorklistSheet.as_view(), name="worklist-sheet"),
    path("log-in/", LogIn.as_view(), name="log-in"),
    path("log-in/organization/", ChooseOrganization.as_view(), name="choose-organization"),
    path("log-out/", LogOut.as_view(), name="log-out"),
    path("prior-auths/<uuid:prior_auth_id>/", RequestPage.as_view(), name="request"),
    path("prior-auths/<uuid:prior_auth_id>/answers/", AnswersPage.as_view(), name="answers"),
    path("prior-auths/<uuid:prior_auth_id>/attachments/", AttachmentsPage.as_view(), name="attachments"),
    path(
        "prior-auths/<uuid:prior_auth_id>/attachments/<uuid:attachment_id>/",
        AttachmentContent.as_view(),
        name="attachment-content",
    ),
    path(
        "prior-auths/<uuid:prior_auth_id>/attachments/<uuid:attachment_id>/removal/",
        AttachmentTakenOff.as_view(),
        name="attachment-removal",
    ),
    path("prior-auths/<uuid:prior_auth_id>/packet/", PacketPaper.as_view(), name="packet-paper"),
    path(
        "prior-auths/<uuid:prior_auth_id>/determinations/<uuid:determination_id>/letter/",
        LetterPaper.as_view(),
        name="letter-paper",
    ),
    path("prior-auths/<uuid:prior_auth_id>/<slug:step>/", StepTaken.as_view(), name="step"),
    path("patients/<uuid:patient_id>/", PatientPage.as_view(), name="patient"),
    path("inbox/", Inbox.as_view(), name="inbox"),
    path("inbox/<uuid:notice_id>/open/", OpenNotice.as_view(), name="open-notice"),
    path("inbox/<uuid:notice_id>/acknowledge/", Acknowledgement.as_view(), name="acknowledge-notice"),
    path("demo/mail/", Mailbox.as_view(), name="mailbox"),
    path("demo/mail/<str:name>/", CaughtMail.as_view(), name="caught-mail"),
]
