"""List filters that refuse what they do not know: a misspelt filter would otherwise show everything."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.db.models import Model, QuerySet
from django_filters import rest_framework as filters
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from authz.api.fields import In
from authz.api.pages import CURSOR, LIMIT


class StrictFilters(filters.DjangoFilterBackend):  # type: ignore[misc]  # django-filter ships no types
    """Apply the view's `filterset_class`; refuse parameters that it does not declare, and bad values by name."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Model], view: APIView) -> QuerySet[Model]:
        known = getattr(view, "filterset_class", None)
        declared = set(known.base_filters) if known else set()
        faults = _faults(request, declared | {CURSOR, LIMIT})
        try:
            found: QuerySet[Model] = super().filter_queryset(request, queryset, view)
        except ValidationError as error:
            by_name: Any = error.detail
            raise ValidationError({**by_name, **faults}) from None
        if faults:
            raise ValidationError(faults)
        return found


class TruthField(forms.Field):
    """true or false; anything else is refused, not taken for no filter at all."""

    def to_python(self, value: Any) -> bool | None:
        if value in {None, ""}:
            return None
        if value not in {"true", "false"}:
            raise forms.ValidationError("Use true or false.", code="invalid")
        return bool(value == "true")


class TruthFilter(filters.BooleanFilter):  # type: ignore[misc]  # django-filter ships no types
    """true or false."""

    field_class = TruthField

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.extra["widget"] = forms.TextInput


def refuse_other_parameters(request: Request, known: Collection[str]) -> None:
    """Refuse query parameters that have no meaning here, that are given more than once, or that say nothing.

    :raises ValidationError: naming each of them.
    """
    if faults := _faults(request, known):
        raise ValidationError(faults)


def read_query(request: Request, expected: type[In], *, beside: Collection[str]) -> dict[str, Any]:
    """Return the query's values but those named beside.

    :raises ValidationError: naming every parameter that is wrong.
    """
    known = {*expected().fields}
    asked = expected(data={name: value for name, value in request.query_params.items() if name in known})
    asked.is_valid()
    if faults := {**asked.errors, **_faults(request, known | {*beside})}:
        raise ValidationError(faults)
    values: dict[str, Any] = asked.validated_data
    return values


def _faults(request: Request, known: Collection[str]) -> dict[str, list[ErrorDetail]]:
    given = request.query_params
    return {name: [fault] for name in given if (fault := _fault(name, given.getlist(name), known))}


def _fault(name: str, values: list[str], known: Collection[str]) -> ErrorDetail | None:
    if name not in known:
        return ErrorDetail("There is no such query parameter here.", code="unknown-parameter")
    if len(values) > 1:
        return ErrorDetail("Give this query parameter once.", code="repeated-parameter")
    if not values[0].strip():
        return ErrorDetail("Give this query parameter a value, or leave it out.", code="empty-parameter")
    return None
