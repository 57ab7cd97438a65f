"""The pages' addresses."""

from allauth.account import views as account_views
from allauth.socialaccount import views as sso_views
from django.urls import include, path, register_converter
from django.urls.converters import StringConverter

from authz.web.views.account import AccountPage, PasswordPage, PasswordResetPage
from authz.web.views.after_decision import AppealFiled, AppealStepTaken, CallAskedFor, CallStepTaken
from authz.web.views.clinic_work import ClinicWork, ClinicWorkSheet
from authz.web.views.clocks_sheet import ClocksSheet
from authz.web.views.contact import ContactPage
from authz.web.views.demo_mail import CaughtMail, Mailbox
from authz.web.views.demo_webhooks import CaughtWebhooks
from authz.web.views.desk import (
    AppealDeed,
    CallDeed,
    CallOffered,
    DeedDone,
    Desk,
    DeskCase,
    Lease,
    Next,
    Shortcuts,
    Skipped,
)
from authz.web.views.desk_team import AbsencesSheet, Back, HandedOn, Team, TeamRequestsSheet, TeamSheet
from authz.web.views.disclosures_sheet import DisclosuresSheet
from authz.web.views.documents import (
    AppealLetterPaper,
    AttachmentContent,
    AttachmentsPage,
    AttachmentTakenOff,
    LetterPaper,
    PacketPaper,
)
from authz.web.views.emergency import EmergencyPage, EmergencySheet, OpenInEmergency
from authz.web.views.figure_requests import AgedRequests, FigureRequests, WorkedRequests
from authz.web.views.figures import Figures, FiguresSheet
from authz.web.views.inbox import Acknowledgement, Inbox, InboxNews, InboxSheet, OpenNotice
from authz.web.views.inbox_settings import InboxSettings
from authz.web.views.insurer_sheets import AppealsSheet, PoliciesSheet, ReasonsSheet, RegimesSheet, SimulationSheet
from authz.web.views.invitation import InvitationPage
from authz.web.views.licences import LicenceChanged, LicencesPage
from authz.web.views.log_in import ChooseOrganization, LogIn, LogOut
from authz.web.views.message_burden import MessageBurden, MessageBurdenSheet
from authz.web.views.open_by_age import OpenByAge, OpenByAgeSheet
from authz.web.views.patient import PatientHistory, PatientHistorySheet, PatientPage, PatientSheet
from authz.web.views.people import InvitationActed, InvitationsSheet, People, PeopleSheet
from authz.web.views.policies import (
    Activation,
    CatalogPolicy,
    OwnPolicy,
    Policies,
    Reasons,
    Regimes,
    Retirement,
    Rewriting,
    SimulationAsked,
    SimulationPage,
)
from authz.web.views.preview import PacketPreview
from authz.web.views.request import AnswersPage, RequestPage, StepTaken
from authz.web.views.second_readings import SecondReading, SecondReadings, SecondReadingsSheet
from authz.web.views.trail import Trail, TrailExport, TrailSheet
from authz.web.views.webhooks import Webhook, WebhookActed, WebhookReplayed, Webhooks, WebhookSheet, WebhooksSheet
from authz.web.views.worklist import Assignment, Worklist
from authz.web.views.worklist_sheet import WorklistSheet


class PersonKey(StringConverter):
    """A person's key as allauth writes it: up to the first hyphen, since what follows it has one, too."""

    regex = "[0-9A-Za-z]+"


register_converter(PersonKey, "person")

urlpatterns = [
    path("", Worklist.as_view(), name="worklist"),
    path("worklist/assign/", Assignment.as_view(), name="assign"),
    path("worklist.csv", WorklistSheet.as_view(), name="worklist-sheet"),
    path("log-in/", LogIn.as_view(), name="log-in"),
    # By these names allauth finds the way in and out; its other pages of a person's own account are below account/.
    path("log-in/", LogIn.as_view(), name="account_login"),
    path("log-out/", LogOut.as_view(), name="account_logout"),
    path("invitations/<str:link>/", InvitationPage.as_view(), name="invitation"),
    path("emergency-access/", EmergencyPage.as_view(), name="emergency-access"),
    path("emergency-access.csv", EmergencySheet.as_view(), name="emergency-sheet"),
    path("emergency-access/open/", OpenInEmergency.as_view(), name="open-in-emergency"),
    path("account/", AccountPage.as_view(), name="account"),
    path("account/password/", PasswordPage.as_view(), name="account_change_password"),
    path("account/confirm/", account_views.reauthenticate, name="account_reauthenticate"),
    path("account/inactive/", account_views.account_inactive, name="account_inactive"),
    path("account/reset/", account_views.password_reset, name="account_reset_password"),
    path("account/reset/done/", account_views.password_reset_done, name="account_reset_password_done"),
    path(
        "account/reset/<person:uidb36>-<str:key>/",
        PasswordResetPage.as_view(),
        name="account_reset_password_from_key",
    ),
    path(
        "account/reset/changed/",
        account_views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("account/second-factors/", include("allauth.mfa.urls")),
    path("account/", include("allauth.socialaccount.providers.openid_connect.urls")),
    path("account/single-sign-on/cancelled/", sso_views.login_cancelled, name="socialaccount_login_cancelled"),
    path("account/single-sign-on/error/", sso_views.login_error, name="socialaccount_login_error"),
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
    path("prior-auths/<uuid:prior_auth_id>/clocks.csv", ClocksSheet.as_view(), name="clocks-sheet"),
    path("prior-auths/<uuid:prior_auth_id>/packet/", PacketPaper.as_view(), name="packet-paper"),
    path(
        "prior-auths/<uuid:prior_auth_id>/determinations/<uuid:determination_id>/letter/",
        LetterPaper.as_view(),
        name="letter-paper",
    ),
    path("prior-auths/<uuid:prior_auth_id>/preview/", PacketPreview.as_view(), name="packet-preview"),
    path("prior-auths/<uuid:prior_auth_id>/appeals/", AppealFiled.as_view(), name="appeal"),
    path("prior-auths/<uuid:prior_auth_id>/calls/", CallAskedFor.as_view(), name="ask-for-call"),
    path(
        "prior-auths/<uuid:prior_auth_id>/appeals/<uuid:appeal_id>/letter/",
        AppealLetterPaper.as_view(),
        name="appeal-letter-paper",
    ),
    path(
        "prior-auths/<uuid:prior_auth_id>/appeals/<uuid:appeal_id>/<slug:step>/",
        AppealStepTaken.as_view(),
        name="appeal-step",
    ),
    path(
        "prior-auths/<uuid:prior_auth_id>/calls/<uuid:call_id>/<slug:step>/",
        CallStepTaken.as_view(),
        name="call-step",
    ),
    path("prior-auths/<uuid:prior_auth_id>/<slug:step>/", StepTaken.as_view(), name="step"),
    path("patients/<uuid:patient_id>/", PatientPage.as_view(), name="patient"),
    path("patients/<uuid:patient_id>/records.csv", PatientSheet.as_view(), name="patient-sheet"),
    path("patients/<uuid:patient_id>/history/", PatientHistory.as_view(), name="patient-history"),
    path("patients/<uuid:patient_id>/history.csv", PatientHistorySheet.as_view(), name="patient-history-sheet"),
    path("patients/<uuid:patient_id>/disclosures.csv", DisclosuresSheet.as_view(), name="disclosures-sheet"),
    path("inbox/", Inbox.as_view(), name="inbox"),
    path("inbox.csv", InboxSheet.as_view(), name="inbox-sheet"),
    path("inbox/news/", InboxNews.as_view(), name="inbox-news"),
    path("inbox/settings/", InboxSettings.as_view(), name="inbox-settings"),
    path("inbox/<uuid:notice_id>/open/", OpenNotice.as_view(), name="open-notice"),
    path("inbox/<uuid:notice_id>/acknowledge/", Acknowledgement.as_view(), name="acknowledge-notice"),
    path("organization/people/", People.as_view(), name="people"),
    path("organization/people.csv", PeopleSheet.as_view(), name="people-sheet"),
    path("organization/invitations.csv", InvitationsSheet.as_view(), name="invitations-sheet"),
    path("organization/invitations/<uuid:invitation_id>/<slug:act>/", InvitationActed.as_view(), name="invitation-act"),
    path("organization/licences/", LicencesPage.as_view(), name="licences"),
    path("organization/licences/<uuid:licence_id>/", LicenceChanged.as_view(), name="licence-changed"),
    path("organization/contact/", ContactPage.as_view(), name="contact"),
    path("organization/trail/", Trail.as_view(), name="trail"),
    path("organization/trail.csv", TrailSheet.as_view(), name="trail-sheet"),
    path("organization/trail.jsonl", TrailExport.as_view(), name="trail-export"),
    path("organization/messages/", MessageBurden.as_view(), name="message-burden"),
    path("organization/messages.csv", MessageBurdenSheet.as_view(), name="message-burden-sheet"),
    path("organization/webhooks/", Webhooks.as_view(), name="webhooks"),
    path("organization/webhooks.csv", WebhooksSheet.as_view(), name="webhooks-sheet"),
    path("organization/webhooks/<uuid:endpoint_id>.csv", WebhookSheet.as_view(), name="webhook-sheet"),
    path("organization/webhooks/<uuid:endpoint_id>/", Webhook.as_view(), name="webhook"),
    path("organization/webhooks/<uuid:endpoint_id>/<slug:act>/", WebhookActed.as_view(), name="webhook-act"),
    path(
        "organization/webhooks/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>/replay/",
        WebhookReplayed.as_view(),
        name="webhook-replay",
    ),
    path("demo/webhooks/", CaughtWebhooks.as_view(), name="demo-webhooks"),
    path("desk/", Desk.as_view(), name="desk"),
    path("desk/appeals.csv", AppealsSheet.as_view(), name="appeals-sheet"),
    path("desk/next/", Next.as_view(), name="desk-next"),
    path("desk/team/", Team.as_view(), name="desk-team"),
    path("desk/team.csv", TeamSheet.as_view(), name="team-sheet"),
    path("desk/team/back/", Back.as_view(), name="desk-back"),
    path("desk/team/absences.csv", AbsencesSheet.as_view(), name="absences-sheet"),
    path("desk/team/requests.csv", TeamRequestsSheet.as_view(), name="team-requests-sheet"),
    path("desk/team/hand-on/", HandedOn.as_view(), name="desk-hand-on"),
    path("desk/second-readings/", SecondReadings.as_view(), name="second-readings"),
    path("desk/second-readings.csv", SecondReadingsSheet.as_view(), name="second-readings-sheet"),
    path("desk/second-readings/<uuid:determination_id>/", SecondReading.as_view(), name="second-reading"),
    path("desk/shortcuts/", Shortcuts.as_view(), name="desk-shortcuts"),
    path("desk/<uuid:prior_auth_id>/", DeskCase.as_view(), name="desk-case"),
    path("desk/<uuid:prior_auth_id>/lease/", Lease.as_view(), name="desk-lease"),
    path("desk/<uuid:prior_auth_id>/skip/", Skipped.as_view(), name="desk-skip"),
    path("desk/<uuid:prior_auth_id>/offer-call/", CallOffered.as_view(), name="desk-offer-call"),
    path("desk/<uuid:prior_auth_id>/appeals/<uuid:appeal_id>/<slug:step>/", AppealDeed.as_view(), name="desk-appeal"),
    path("desk/<uuid:prior_auth_id>/calls/<uuid:call_id>/<slug:step>/", CallDeed.as_view(), name="desk-call"),
    path("desk/<uuid:prior_auth_id>/<slug:step>/", DeedDone.as_view(), name="desk-step"),
    path("policies/", Policies.as_view(), name="policies"),
    path("policies.csv", PoliciesSheet.as_view(), name="policies-sheet"),
    path("policies/catalog/<str:code>/<str:version>/", CatalogPolicy.as_view(), name="catalog-policy"),
    path("policies/<uuid:policy_id>/", OwnPolicy.as_view(), name="policy"),
    path("policies/<uuid:policy_id>/activation/", Activation.as_view(), name="policy-activation"),
    path("policies/<uuid:policy_id>/rewriting/", Rewriting.as_view(), name="policy-rewriting"),
    path("policies/<uuid:policy_id>/retirement/", Retirement.as_view(), name="policy-retirement"),
    path("policies/<uuid:policy_id>/simulations/", SimulationAsked.as_view(), name="simulations"),
    path("policies/<uuid:policy_id>/simulations/<uuid:simulation_id>/", SimulationPage.as_view(), name="simulation"),
    path(
        "policies/<uuid:policy_id>/simulations/<uuid:simulation_id>.csv",
        SimulationSheet.as_view(),
        name="simulation-sheet",
    ),
    path("legal-clocks.csv", RegimesSheet.as_view(), name="regimes-sheet"),
    path("legal-clocks/", Regimes.as_view(), name="regimes"),
    path("reasons.csv", ReasonsSheet.as_view(), name="reasons-sheet"),
    path("reasons/", Reasons.as_view(), name="reasons"),
    path("figures/", Figures.as_view(), name="figures"),
    path("figures.csv", FiguresSheet.as_view(), name="figures-sheet"),
    path("figures/requests/", FigureRequests.as_view(), name="figure-requests"),
    path("figures/requests.csv", FigureRequests.as_view(is_sheet=True), name="figure-requests-sheet"),
    path("figures/open/", OpenByAge.as_view(), name="open-by-age"),
    path("figures/open.csv", OpenByAgeSheet.as_view(), name="open-by-age-sheet"),
    path("figures/open/requests/", AgedRequests.as_view(), name="aged-requests"),
    path("figures/open/requests.csv", AgedRequests.as_view(is_sheet=True), name="aged-requests-sheet"),
    path("figures/work/", ClinicWork.as_view(), name="clinic-work"),
    path("figures/work.csv", ClinicWorkSheet.as_view(), name="clinic-work-sheet"),
    path("figures/work/requests/", WorkedRequests.as_view(), name="worked-requests"),
    path("figures/work/requests.csv", WorkedRequests.as_view(is_sheet=True), name="worked-requests-sheet"),
    path("demo/mail/", Mailbox.as_view(), name="mailbox"),
    path("demo/mail/<str:name>/", CaughtMail.as_view(), name="caught-mail"),
]
