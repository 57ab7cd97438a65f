"""Every address of the JSON API, below /api/."""

from typing import Any

from django.urls import URLPattern, path
from django.views.decorators.common import no_append_slash
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView
from rest_framework.views import APIView

from authz.api import (
    aging,
    answers,
    api_clients,
    appeals,
    audit_entries,
    calls,
    coverages,
    disclosures,
    documents,
    emergency_access,
    exemptions,
    fills,
    identity_questions,
    imports,
    inbox,
    invitations,
    licences,
    lifecycle,
    message_burden,
    metrics,
    notification_settings,
    opioid_use,
    opioid_use_changes,
    organizations,
    pain_scores,
    pain_signal,
    patients,
    policies,
    prescribers,
    prescriptions,
    prior_auths,
    productivity,
    reasons,
    regimes,
    review_queue,
    second_readings,
    simulations,
    surgeries,
    timeline,
    tokens,
    webhooks,
)
from authz.api.appeal_steps import APPEAL_DOORS, appeal_step_view
from authz.api.calls import CALL_DOORS, call_step_view
from authz.api.prior_auth_steps import DOORS, step_view
from authz.api.problem_page import problem_page

app_name = "api"


def address(route: str, view: type[APIView], name: str) -> URLPattern:
    """Return the pattern of one address. A missing slash is not found: a redirect would turn a POST into a GET."""
    function: Any = no_append_slash(view.as_view())
    pattern: URLPattern = path(f"v1/{route}", function, name=name)
    return pattern


_PRIOR_AUTH = "prior-authorizations/<uuid:prior_auth_id>/"

urlpatterns = [
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api:openapi"), name="docs"),
    path("problems/", problem_page, name="problems"),
    address("meta/lifecycle/", lifecycle.LifecycleView, "lifecycle"),
    address("meta/regimes/", regimes.RegimesView, "regimes"),
    address("tokens/", tokens.TokensView, "tokens"),
    address("tokens/current/", tokens.CurrentTokenView, "current-token"),
    address("organizations/me/", organizations.MyOrganizationView, "my-organization"),
    address("organizations/me/settings/", organizations.ClinicSettingsView, "clinic-settings"),
    address("organizations/me/licences/", licences.LicencesView, "licences"),
    address("organizations/me/licences/<uuid:licence_id>/", licences.LicenceView, "licence"),
    address("organizations/me/contact/", organizations.ContactView, "contact"),
    address("plans/", organizations.PlansView, "plans"),
    address("plans/<uuid:plan_id>/policies/", organizations.PlanPolicyView, "plan-policies"),
    address("policies/", policies.PoliciesView, "policies"),
    address("policies/catalog/", policies.CatalogView, "catalog"),
    address("policies/catalog/<str:code>/<str:version>/", policies.CatalogPolicyView, "catalog-policy"),
    address("policies/<uuid:policy_id>/", policies.PolicyView, "policy"),
    address("policies/<uuid:policy_id>/activate/", policies.ActivationView, "policy-activation"),
    address("policies/<uuid:policy_id>/retire/", policies.RetirementView, "policy-retirement"),
    address("policies/<uuid:policy_id>/simulations/", simulations.SimulationsView, "policy-simulations"),
    address(
        "policies/<uuid:policy_id>/simulations/<uuid:simulation_id>/", simulations.SimulationView, "policy-simulation"
    ),
    address("patients/", patients.PatientsView, "patients"),
    address("patients/<uuid:patient_id>/", patients.PatientView, "patient"),
    address("patients/<uuid:patient_id>/opioid-use/", opioid_use.OpioidUseView, "opioid-use"),
    address(
        "patients/<uuid:patient_id>/opioid-use/changes/", opioid_use_changes.OpioidUseChangesView, "opioid-use-changes"
    ),
    address("patients/<uuid:patient_id>/pain-signal/", pain_signal.PainSignalView, "pain-signal"),
    address("patients/<uuid:patient_id>/timeline/", timeline.TimelineView, "timeline"),
    address("patients/<uuid:patient_id>/disclosures/", disclosures.DisclosuresView, "disclosures"),
    address("identity-questions/", identity_questions.IdentityQuestionsView, "identity-questions"),
    address("identity-questions/<uuid:question_id>/answer/", identity_questions.IdentityAnswerView, "identity-answer"),
    address("coverages/", coverages.CoveragesView, "coverages"),
    address("coverages/<uuid:coverage_id>/", coverages.CoverageView, "coverage"),
    address("prescribers/", prescribers.PrescribersView, "prescribers"),
    address("prescribers/<uuid:prescriber_id>/", prescribers.PrescriberView, "prescriber"),
    address("prescriptions/", prescriptions.PrescriptionsView, "prescriptions"),
    address("prescriptions/<uuid:prescription_id>/", prescriptions.PrescriptionView, "prescription"),
    address("prescriptions/<uuid:prescription_id>/cancellation/", prescriptions.CancellationView, "cancellation"),
    address("fills/", fills.FillsView, "fills"),
    address("fills/batch/", fills.FillBatchView, "fill-batch"),
    address("fills/<uuid:fill_id>/", fills.FillView, "fill"),
    address("fills/<uuid:fill_id>/reversal/", fills.ReversalView, "reversal"),
    address("imports/", imports.ImportsView, "imports"),
    address("emergency-access/", emergency_access.EmergencyAccessesView, "emergency-access"),
    address("audit-entries/", audit_entries.AuditEntriesView, "audit-entries"),
    address("exemptions/", exemptions.ExemptionsView, "exemptions"),
    address("exemptions/<uuid:exemption_id>/", exemptions.ExemptionView, "exemption"),
    address("exemptions/<uuid:exemption_id>/withdrawal/", exemptions.WithdrawalView, "exemption-withdrawal"),
    address("pain-scores/", pain_scores.PainScoresView, "pain-scores"),
    address("pain-scores/<uuid:score_id>/", pain_scores.PainScoreView, "pain-score"),
    address("pain-scores/<uuid:score_id>/entered-in-error/", pain_scores.PainScoreInErrorView, "pain-score-in-error"),
    address("surgeries/", surgeries.SurgeriesView, "surgeries"),
    address("surgeries/<uuid:surgery_id>/", surgeries.SurgeryView, "surgery"),
    address("surgeries/<uuid:surgery_id>/entered-in-error/", surgeries.SurgeryInErrorView, "surgery-in-error"),
    address("prior-authorizations/", prior_auths.PriorAuthsView, "prior-auths"),
    address("prior-authorizations/<uuid:prior_auth_id>/", prior_auths.PriorAuthView, "prior-auth"),
    address("prior-authorizations/<uuid:prior_auth_id>/answers/", answers.AnswersView, "answers"),
    address(f"{_PRIOR_AUTH}questionnaire/", answers.QuestionnaireView, "questionnaire"),
    address(f"{_PRIOR_AUTH}attachments/", documents.AttachmentsView, "attachments"),
    address(f"{_PRIOR_AUTH}attachments/<uuid:attachment_id>/content/", documents.ContentView, "attachment-content"),
    address(f"{_PRIOR_AUTH}attachments/<uuid:attachment_id>/removal/", documents.RemovalView, "attachment-removal"),
    address(f"{_PRIOR_AUTH}packet/", documents.PacketView, "packet"),
    address(f"{_PRIOR_AUTH}determinations/<uuid:determination_id>/letter/", documents.LetterView, "letter"),
    address("prior-authorizations/<uuid:prior_auth_id>/events/", prior_auths.EventsView, "events"),
    *(
        address(f"prior-authorizations/<uuid:prior_auth_id>/{door.address}/", step_view(step), f"step-{door.address}")
        for step, door in DOORS.items()
    ),
    address("prior-authorizations/<uuid:prior_auth_id>/heartbeat/", review_queue.HeartbeatView, "heartbeat"),
    address("prior-authorizations/<uuid:prior_auth_id>/skip/", review_queue.SkipView, "skip"),
    address("prior-authorizations/<uuid:prior_auth_id>/appeals/", appeals.RequestAppealsView, "request-appeals"),
    address("appeals/", appeals.AppealsView, "appeals"),
    address("appeals/<uuid:appeal_id>/", appeals.AppealView, "appeal"),
    address("appeals/<uuid:appeal_id>/events/", appeals.AppealEventsView, "appeal-events"),
    address("appeals/<uuid:appeal_id>/letter/", documents.AppealLetterView, "appeal-letter"),
    *(
        address(f"appeals/<uuid:appeal_id>/{door.address}/", appeal_step_view(step), f"appeal-{door.address}")
        for step, door in APPEAL_DOORS.items()
    ),
    address("prior-authorizations/<uuid:prior_auth_id>/peer-to-peer/", calls.RequestCallsView, "request-calls"),
    address("peer-to-peer/<uuid:call_id>/", calls.CallView, "call"),
    *(
        address(f"peer-to-peer/<uuid:call_id>/{door.address}/", call_step_view(step), f"call-{door.address}")
        for step, door in CALL_DOORS.items()
    ),
    address("review-queue/", review_queue.ReviewQueueView, "review-queue"),
    address("review-queue/next/", review_queue.NextView, "review-queue-next"),
    address("review-queue/workload/", review_queue.WorkloadView, "workload"),
    address("review-queue/absences/", review_queue.AbsencesView, "absences"),
    address("review-queue/absences/end/", review_queue.BackView, "absences-end"),
    address("second-readings/", second_readings.SecondReadingsView, "second-readings"),
    address("second-readings/<uuid:determination_id>/", second_readings.SecondReadingView, "second-reading"),
    address("metrics/", metrics.MetricsView, "metrics"),
    address("metrics/requests/", metrics.CountedRequestsView, "counted-requests"),
    address("aging/", aging.AgingView, "aging"),
    address("message-burden/", message_burden.MessageBurdenView, "message-burden"),
    address("productivity/", productivity.ProductivityView, "productivity"),
    address("reasons/", reasons.ReasonsView, "reasons"),
    address("me/notification-settings/", notification_settings.NotificationSettingsView, "notification-settings"),
    address("me/colleagues/", notification_settings.ColleaguesView, "colleagues"),
    address("inbox/", inbox.InboxView, "inbox"),
    address("inbox/count/", inbox.InboxCountView, "inbox-count"),
    address("inbox/<uuid:notice_id>/read/", inbox.ReadView, "notice-read"),
    address("inbox/<uuid:notice_id>/acknowledgement/", inbox.AcknowledgementView, "notice-acknowledgement"),
    address("api-clients/", api_clients.ApiClientsView, "api-clients"),
    address("api-clients/<uuid:client_id>/", api_clients.ApiClientView, "api-client"),
    address("api-clients/<uuid:client_id>/rotate-secret/", api_clients.ClientSecretRotationView, "api-client-secret"),
    address("invitations/", invitations.InvitationsView, "invitations"),
    address("invitations/<uuid:invitation_id>/", invitations.InvitationView, "invitation"),
    address("webhook-endpoints/", webhooks.WebhookEndpointsView, "webhook-endpoints"),
    address("webhook-endpoints/<uuid:endpoint_id>/", webhooks.WebhookEndpointView, "webhook-endpoint"),
    address("webhook-endpoints/<uuid:endpoint_id>/rotate-secret/", webhooks.SecretRotationView, "webhook-secret"),
    address("webhook-endpoints/<uuid:endpoint_id>/test/", webhooks.WebhookTestView, "webhook-test"),
    address("webhook-endpoints/<uuid:endpoint_id>/deliveries/", webhooks.WebhookDeliveriesView, "webhook-deliveries"),
    address("webhook-deliveries/<uuid:delivery_id>/replay/", webhooks.WebhookReplayView, "webhook-replay"),
]
