"""Whether the keys are there that sealed what names patients. Without them nothing is told of anybody."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Critical
from django.db import models

from authz.operations import probes
from authz.sealing.identifiers import key_ids
from authz.sealing.services import sealed_models, sealed_otherwise


def check_keys(**_of_django: Any) -> list[CheckMessage]:
    """Refuse a production deployment that lacks a key; `check --deploy` asks of each table's first and last row."""
    is_asked = settings.IS_PRODUCTION and not probes.missing_migrations()
    hint = "Name the key that sealed it in AUTHZ_ENCRYPTION_KEYS, after the first one: docs/security.md."
    return [
        Critical(f"{model._meta.db_table} holds what none of the keys opens.", hint=hint, id="authz.E011")
        for model in sealed_models()
        if is_asked and _edges(model).exists()
    ]


def shut() -> int:
    """Return how many rows were sealed with keys that are not named; every row is looked at."""
    return sum(sealed_otherwise(model=model, than=key_ids()).count() for model in sealed_models())


def _edges(model: type[models.Model]) -> models.QuerySet[Any]:
    keys = model._base_manager.aggregate(models.Min("pk"), models.Max("pk"))
    return sealed_otherwise(model=model, than=key_ids()).filter(pk__in=keys.values())
