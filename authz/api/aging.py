"""How old open requests are, where they stand, and how much time the law leaves."""

from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.csv_answers import ALSO_CSV, CSV, sheet, wants_csv
from authz.api.fields import Word
from authz.api.metrics import TAG, WHOSE, WhoseIn, whose
from authz.api.views import Asking
from authz.prior_auths.lifecycle import ACTIVE, State
from authz.reporting import selectors
from authz.reporting.aging import Age, Aging, TimeLeft
from authz.reporting.sheet import AGING_COLUMNS, aging_cells, written


class AgesOut(serializers.Serializer[Any]):
    """How many requests are how old: since receipt, before that since they were opened."""

    def get_fields(self) -> dict[str, Any]:
        return {age.value: serializers.IntegerField() for age in Age}


class TimeLeftOut(serializers.Serializer[Any]):
    """How many requests must be decided within which time; without a deadline are those whose clock does not run."""

    def get_fields(self) -> dict[str, Any]:
        return {left.value: serializers.IntegerField() for left in TimeLeft}


class StateAgingOut(serializers.Serializer[Any]):
    state = Word(State)
    requests = serializers.IntegerField()
    ages = AgesOut()


class AgingOut(serializers.Serializer[Any]):
    as_of = serializers.DateTimeField()
    open_requests = serializers.IntegerField()
    by_state = StateAgingOut(many=True, help_text="Every state of an open request, in the order of its life.")
    by_time_left = TimeLeftOut()


class AgingView(Asking):
    renderer_classes: ClassVar[list[type[BaseRenderer]]] = ALSO_CSV  # type: ignore[misc]  # narrower is meant
    query = WhoseIn

    @extend_schema(
        operation_id="read_aging",
        tags=TAG,
        parameters=WHOSE,
        responses={(200, "application/json"): AgingOut, (200, CSV): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Tell how old open requests are now, by state, and how much time is left to decide them."""
        found = selectors.open_requests(self.actor, now=self.now, of=whose(self.asked()))
        if wants_csv(request):
            return sheet(written(AGING_COLUMNS, aging_cells(found, now=self.now)))
        told = {
            "as_of": self.now,
            "open_requests": found.open_requests,
            "by_state": [_of_state(found, state) for state in State if state in ACTIVE],
            "by_time_left": {left.value: found.by_time_left[left] for left in TimeLeft},
        }
        return Response(AgingOut(told).data)


def _of_state(found: Aging, state: State) -> dict[str, Any]:
    ages = found.of_state(state)
    return {"state": state.value, "requests": ages.total(), "ages": ages}
