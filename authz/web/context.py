"""What every template may ask about the deployment."""

from django.conf import settings
from django.http import HttpRequest


def deployment(request: HttpRequest) -> dict[str, object]:
    """Return whether this is the demonstration, which every page then says."""
    return {
        "is_demonstration": settings.IS_DEMONSTRATION,
        "has_mail": can_show_mail(),
        "has_webhooks": can_show_webhooks(),
    }


def can_show_mail() -> bool:
    """Say whether there is caught mail to show: in the demonstration alone."""
    return settings.IS_DEMONSTRATION and bool(settings.DEMO_MAIL_DIR)


def can_show_webhooks() -> bool:
    """Say whether there are caught webhooks to show: in the demonstration alone."""
    return settings.IS_DEMONSTRATION and bool(settings.DEMO_WEBHOOK_DIR)
