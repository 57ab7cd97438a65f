"""One address that breaks, behind the service's own handlers."""

from typing import Any, NoReturn

from django.urls import path

from authz.api.views import Door
from config.urls import handler400, handler404, handler500

__all__ = ["handler400", "handler404", "handler500"]


class BrokenView(Door):
    def get(self, request: Any) -> NoReturn:
        raise RuntimeError("the inside")


urlpatterns = [path("api/v1/broken/", BrokenView.as_view())]
