"""Lists a page at a time by a cursor that stays right while rows come; newest first unless a view `is_oldest_first`."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import date, datetime
from typing import Any

from django.db.models import Model, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from authz.errors import InvalidInput
from authz.prior_auths.review_queue import MOST_PRESSING

CURSOR = "cursor"
LIMIT = "limit"
DEFAULT_SIZE = 50
LARGEST_SIZE = 200

_SIZE = re.compile(r"[1-9][0-9]{0,2}")
_POSITION = re.compile(rb"after:([0-9]{1,18})")


class Pages(BasePagination):
    """`results` and `next`, the address of the following page or null. The cursor is opaque to the caller."""

    def __init__(self) -> None:
        self.next_address: str | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """Return one page of the rows.

        :raises InvalidInput: when `limit` or `cursor` is not one.
        """
        size = _size(request.query_params.get(LIMIT))
        after = _position(request.query_params.get(CURSOR))
        rows = _from(queryset, after, is_oldest_first=getattr(view, "is_oldest_first", False))
        found = list(rows[:size])
        if _has_more(rows, found, size):
            self.next_address = replace_query_param(request.build_absolute_uri(), CURSOR, _cursor(found[-1].pk))
        return found

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self.next_address})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {
                "results": schema,
                "next": {"type": ["string", "null"], "format": "uri", "description": "The following page, if any."},
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": LARGEST_SIZE, "default": DEFAULT_SIZE}
        return [
            {"name": LIMIT, "in": "query", "description": "How many at most.", "schema": size},
            {"name": CURSOR, "in": "query", "description": "From `next`.", "schema": {"type": "string"}},
        ]


class MostPressingFirst(Pages):
    """Pages of requests in the order of the review queue; the cursor holds the place of the last one seen."""

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """Return one page of the rows.

        :raises InvalidInput: when `limit` or `cursor` is not one.
        """
        size = _size(request.query_params.get(LIMIT))
        place = _place(request.query_params.get(CURSOR))
        rows = (queryset if place is None else queryset.filter(_after(*place))).order_by(*MOST_PRESSING)
        found = list(rows[:size])
        if _has_more(rows, found, size):
            last = found[-1]
            turn = last.turn_at.isoformat() if last.turn_at else ""
            cursor = urlsafe_b64encode(f"{turn}|{last.runs_out_on.isoformat()}|{last.pk}".encode()).decode("ascii")
            self.next_address = replace_query_param(request.build_absolute_uri(), CURSOR, cursor)
        return found


def _has_more(rows: QuerySet[Any], found: list[Any], size: int) -> bool:
    """Say whether rows follow a page. They are not loaded: the trail names every patient who is."""
    return len(found) == size and rows[size : size + 1].exists()


def _after(turn_at: datetime | None, runs_out_on: date, key: int) -> Q:
    """Return what stands after a place: whose turn is later, or as early and running out later; without one, last."""
    there = Q(turn_at=turn_at) & (Q(runs_out_on__gt=runs_out_on) | Q(runs_out_on=runs_out_on, pk__gt=key))
    return there if turn_at is None else there | Q(turn_at__gt=turn_at) | Q(turn_at=None)


def _place(cursor: str | None) -> tuple[datetime | None, date, int] | None:
    if cursor is None:
        return None
    try:
        turn, runs_out_on, key = urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").split("|")
        return datetime.fromisoformat(turn) if turn else None, date.fromisoformat(runs_out_on), int(key)
    except ValueError:
        # Not base64, not ASCII, not three parts, or no day: each is a ValueError.
        raise InvalidInput({CURSOR: ["Not a cursor of this list; take it from `next`."]}) from None


def _from(queryset: QuerySet[Model], after: int | None, *, is_oldest_first: bool) -> QuerySet[Model]:
    if after is not None:
        queryset = queryset.filter(pk__gt=after) if is_oldest_first else queryset.filter(pk__lt=after)
    return queryset.order_by("pk" if is_oldest_first else "-pk")


def _size(text: str | None) -> int:
    if text is None:
        return DEFAULT_SIZE
    if not _SIZE.fullmatch(text) or int(text) > LARGEST_SIZE:
        raise InvalidInput({LIMIT: [f"A whole number from 1 to {LARGEST_SIZE} is needed."]})
    return int(text)


def _cursor(key: int) -> str:
    return urlsafe_b64encode(f"after:{key}".encode()).decode("ascii")


def _position(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        match = _POSITION.fullmatch(urlsafe_b64decode(cursor.encode("ascii")))
    except (NotBase64, UnicodeEncodeError):
        match = None
    if match is None:
        raise InvalidInput({CURSOR: ["Not a cursor of this list; take it from `next`."]})
    return int(match[1])
