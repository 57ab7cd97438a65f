"""What a mail provider tells of our mails afterwards: its own webhook, read by django-anymail (the extra `mail`)."""

from typing import Any, Final
from uuid import UUID

from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType, tracking
from anymail.urls import urlpatterns as providers
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from authz import clock
from authz.access.tenancy import across_tenants
from authz.notifications import services as notifications

_NEVER_AGAIN: Final = frozenset({EventType.BOUNCED, EventType.REJECTED, EventType.COMPLAINED})
_EVENTS: Final = "_tracking_webhook"


def note_refusal(event: AnymailTrackingEvent, esp_name: str, **_about: Any) -> None:
    """Have a mail that did not arrive go by the person's next channel, and later ones, too."""
    delivery_id = _delivery_id((event.metadata or {}).get("delivery"))
    if event.event_type in _NEVER_AGAIN and delivery_id is not None:
        code = f"{esp_name} {event.event_type}"
        with across_tenants("a provider names a mail, and no organization"):
            notifications.bounce(delivery_id=delivery_id, code=code, now=clock.now())


def _delivery_id(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


@csrf_exempt
@require_POST
def events(request: HttpRequest) -> HttpResponse:
    """Take in what the provider tells: 403 to whoever does not know the secret, 400 to what is no event at all."""
    view = next(pattern.callback for pattern in providers if pattern.name == f"{settings.MAIL_PROVIDER}{_EVENTS}")
    try:
        answer: HttpResponse = view(request)
    except AnymailWebhookValidationFailure:
        return HttpResponse(status=403)
    except (
        ImproperlyConfigured,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ):  # it reads what comes as if it were well formed
        return HttpResponse(status=400)
    return answer


tracking.connect(note_refusal, dispatch_uid="authz")
urlpatterns = [path("", events, name="mail-events")]
