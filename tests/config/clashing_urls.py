"""Addresses where the database refuses a patient's id, behind the service's own handlers."""

from typing import Any, NoReturn
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from django.urls import path

from authz.api.views import Door
from authz.prescriptions.models import Patient
from config.urls import handler400, handler404, handler500

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]

CANARY = "ca4a4700-4711-4711-8711-ca4a47004711"


def clash() -> NoReturn:
    """Give all patients one id, which the database refuses and quotes in its refusal."""
    with transaction.atomic():
        Patient.objects.update(public_id=CANARY)
    raise AssertionError("the database took one id for two patients")


class ClashingDoor(Door):
    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Any, patient_id: UUID) -> NoReturn:
        clash()


def clashing_page(request: HttpRequest, patient_id: UUID) -> NoReturn:
    clash()


urlpatterns = [
    path("api/v1/clash/<uuid:patient_id>/", ClashingDoor.as_view()),
    path("clash/<uuid:patient_id>/", clashing_page),
]
