"""What every address of the API shares: the clock read once, the actor, strict reading, one effect for one key."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from datetime import date, datetime
from typing import Any, ClassVar, cast

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import generics
from rest_framework.filters import BaseFilterBackend
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authz import clock
from authz.access.roles import Actor
from authz.access.selectors import organization
from authz.access.source import source_of
from authz.access.tenancy import within
from authz.api.fields import In
from authz.api.filters import StrictFilters, read_query, refuse_other_parameters
from authz.api.idempotency import HEADER, answer_once
from authz.api.pages import Pages
from authz.api.parsers import must_have_length
from authz.api.rates import ClientThrottle, Rate
from authz.api.schema import OperationSchema
from authz.audit import services as audit
from authz.audit.circumstances import PURPOSE_HEADER, Circumstances, Origin, purpose_given, under
from authz.prescriptions.part2 import NOTICE, NOTICE_HEADER

IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="A text of your own. Sent again with the same key and body, the request has no second effect.",
)


class Door(APIView):
    """One address. `parameters` are the query parameters it understands; any other is refused."""

    schema = OperationSchema()
    http_method_names: ClassVar[list[str]] = ["get", "head", "post", "put", "patch", "delete"]  # type: ignore[misc]  # a constant
    parameters: ClassVar[frozenset[str]] = frozenset()
    problem_statuses: ClassVar[tuple[int, ...]] = ()
    throttle_classes = (ClientThrottle,)
    rate: Rate | None = None
    now: datetime
    until_answered: ExitStack
    circumstances: Circumstances

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.circumstances = Circumstances(
            origin=Origin.API, address=f"{request.method} {request.path}", source=source_of(request.META)
        )
        with ExitStack() as self.until_answered:
            self.until_answered.enter_context(under(self.circumstances))
            answer = super().dispatch(request, *args, **kwargs)
            self._note_read(answer)
            # A body that was written shows the record that was sent; only what was read can be others'.
            if self.circumstances.is_part2 and request.method in SAFE_METHODS:
                answer[NOTICE_HEADER] = NOTICE
            return answer

    def _note_read(self, answer: HttpResponseBase) -> None:
        """Have the trail tell whose data is answered, or answer nothing. What was changed has its entry already."""
        is_told = self.request.method not in SAFE_METHODS and self.circumstances.entries
        # A refusal shows nobody, and may be of who asks: asking again would refuse again.
        if answer.status_code < 300 and not is_told and isinstance(self.request.user, Actor):
            audit.record_read(by=self.request.user, circumstances=self.circumstances, now=self.now)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.now = clock.now()
        super().initial(request, *args, **kwargs)
        self.circumstances.purpose = purpose_given(request.headers.get(PURPOSE_HEADER, ""))
        if isinstance(request.user, Actor):
            self._ask_for(request.user, reads=request.method in SAFE_METHODS)
        must_have_length(request)
        self.refuse_other_parameters()

    def _ask_for(self, actor: Actor, *, reads: bool) -> None:
        """Ask the database in the name of the actor's organization until it is answered, reading in one transaction."""
        self.until_answered.enter_context(within(actor.organization))
        if reads:
            self.until_answered.enter_context(transaction.atomic())

    def refuse_other_parameters(self) -> None:
        """Refuse query parameters that have no meaning here."""
        refuse_other_parameters(self.request, self.parameters)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        # Answers are about patients: nothing between us and the caller may keep them.
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store"
        for name, value in (self.rate.headers if self.rate else {}).items():
            answer[name] = value
        return answer

    @property
    def actor(self) -> Actor:
        """Return who asks; IsActor has let nobody else in."""
        return cast(Actor, self.request.user)

    def today(self) -> date:
        """Return the day it is in the calendar of the actor's organization."""
        return clock.day_in(organization(self.actor).time_zone, at=self.now)

    def read(self, expected: type[In], **context: Any) -> dict[str, Any]:
        """Return the body's values; every field that is wrong is named in one answer."""
        body = expected(data=self.request.data, context={"by": self.request.user, "known_patients": {}, **context})
        body.is_valid(raise_exception=True)
        values: dict[str, Any] = body.validated_data
        return values

    def once(self, act: Callable[[], Response], *, is_required: bool = False, unkept: Collection[str] = ()) -> Response:
        """Answer a POST: one effect for one Idempotency-Key, in one transaction. `unkept` names secrets it answers."""
        return answer_once(self.request, act, by=self.actor, now=self.now, is_required=is_required, unkept=unkept)


class Asking(Door):
    """An address that asks by its query: for what `query` reads, beside `parameters`."""

    query: ClassVar[type[In]]

    def refuse_other_parameters(self) -> None:
        """Leave it to `asked`, which names all that is wrong at once."""

    def asked(self) -> dict[str, Any]:
        """Return the query's values; every parameter that is wrong is named in one answer."""
        return read_query(self.request, self.query, beside=self.parameters)


class Listing(Door, generics.GenericAPIView[Any]):
    """A list with the view's `filterset_class`, a page at a time. `queryset` only tells the model."""

    filter_backends: ClassVar[list[type[BaseFilterBackend]]] = [StrictFilters]  # type: ignore[misc]  # narrower is meant
    pagination_class = Pages

    def refuse_other_parameters(self) -> None:
        # A list's parameters are its filters': StrictFilters refuses the others. A POST to the list takes none.
        if self.request.method != "GET":
            super().refuse_other_parameters()

    def listed(self, rows: QuerySet[Model]) -> Response:
        """Answer one page of the rows that the filters leave."""
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
