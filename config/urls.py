"""Every address of the service."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from authz.api.health import healthz, readyz
from authz.api.oauth import smart_configuration, token
from authz.api.operations import metrics
from authz.api.security_txt import security_txt

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("authz.api.urls")),
    path("oauth/token", token, name="oauth-token"),
    path(".well-known/smart-configuration", smart_configuration, name="smart-configuration"),
    path(".well-known/security.txt", security_txt, name="security-txt"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("", include("authz.web.urls")),
]

if settings.MAIL_PROVIDER:
    urlpatterns.append(path("mail-events/", include("authz.api.mail_events")))

handler400 = "authz.api.problems.bad_request"
handler404 = "authz.api.problems.not_found"
handler500 = "authz.api.problems.server_error"
