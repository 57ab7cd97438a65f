"""What is granted of a line, field by field, beside what was asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django import forms
from django.forms.widgets import Input

from authz.prior_auths.determination import is_no_more
from authz.prior_auths.models import RequestedLine
from authz.rules.amounts import plain
from authz.rules.formulary import Formulary
from authz.web import formats

PARTS: Final = ("rxcui", "days", "quantity", "daily_units", "refills", "starts_on", "ends_on")
"""The fields of a grant, in the order of the form; `Grant` takes them by these names."""
NEEDED: Final = frozenset({"days", "starts_on", "ends_on"})
_NAMES: Final = {
    "rxcui": "drug",
    "days": "days",
    "quantity": "quantity",
    "daily_units": "most units a day",
    "refills": "refills",
    "starts_on": "first day",
    "ends_on": "last day",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One part of a line: its name, what was asked for, and the field for what is granted."""

    name: str
    asked: str
    field: forms.BoundField


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedLine:
    """One line of the form: the box that grants it at all, which drug, and its other parts."""

    line: RequestedLine
    is_granted: forms.BoundField
    drug: forms.BoundField
    parts: list[Compared]


def name_of(line: int, part: str) -> str:
    """Return what a field is called, as the services' refusals name it."""
    return f"grants.{line}.{part}"


def grant_fields(line: RequestedLine, formulary: Formulary) -> dict[str, forms.Field]:
    """Return the fields of a line, prefilled with what was asked for; `formulary` holds what can be granted instead."""
    label = f"Line {line.line}, {line.product_name}: "
    fields: dict[str, forms.Field] = {
        "is_granted": forms.BooleanField(
            label=f"Grant line {line.line}: {line.product_name}", required=False, initial=True
        ),
        "rxcui": forms.ChoiceField(
            label=f"{label}{_NAMES['rxcui']}",
            choices=_products(line, formulary),
            required=False,
            initial=line.rxcui,
        ),
        "days": forms.IntegerField(
            label=f"{label}{_NAMES['days']}",
            required=False,
            initial=line.days_supply,
            widget=_short(forms.NumberInput),
        ),
        "quantity": _amount(f"{label}{_NAMES['quantity']}", line.quantity),
        "daily_units": _amount(f"{label}{_NAMES['daily_units']}", line.daily_units),
        "refills": forms.IntegerField(
            label=f"{label}{_NAMES['refills']}",
            required=False,
            initial=line.refills,
            min_value=0,
            widget=_short(forms.NumberInput),
        ),
        "starts_on": _day_field(f"{label}{_NAMES['starts_on']}", line.starts_on),
        "ends_on": _day_field(f"{label}{_NAMES['ends_on']}", line.ends_on),
    }
    return {name_of(line.line, part): field for part, field in fields.items()}


def granted_lines(form: forms.Form, lines: list[RequestedLine]) -> Iterator[GrantedLine]:
    """Yield a form's lines, each part beside what was asked for."""
    for line in lines:
        asked = _asked(line)
        yield GrantedLine(
            line=line,
            is_granted=form[name_of(line.line, "is_granted")],
            drug=form[name_of(line.line, "rxcui")],
            parts=[
                Compared(name=_NAMES[part].capitalize(), asked=asked[part], field=form[name_of(line.line, part)])
                for part in PARTS
                if part != "rxcui"
            ],
        )


def _asked(line: RequestedLine) -> dict[str, str]:
    return {
        "days": str(line.days_supply),
        "quantity": _plain(line.quantity) or "not said",
        "daily_units": _plain(line.daily_units) or "not limited",
        "refills": "not said" if line.refills is None else str(line.refills),
        "starts_on": formats.day(line.starts_on),
        "ends_on": formats.day(line.ends_on),
    }


def _products(line: RequestedLine, formulary: Formulary) -> list[tuple[str, str]]:
    """Return what can be granted instead: the product asked for, and those of its ingredient that are no stronger."""
    asked = formulary.product(line.rxcui)
    others = [
        product
        for product in (formulary.products.values() if asked else ())
        if asked and is_no_more(product, than=asked) and product.clinical_rxcui == product.rxcui != line.rxcui
    ]
    listed = sorted(others, key=lambda product: (-product.strength, product.name.lower()))
    return [(line.rxcui, line.product_name), *((product.rxcui, product.name) for product in listed)]


def _amount(label: str, initial: Decimal | None) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        initial=_plain(initial),
        max_digits=12,
        decimal_places=4,
        widget=_short(forms.TextInput),
    )


def _short(widget: type[Input]) -> Input:
    return widget({"class": "short"})


def _plain(quantity: Decimal | None) -> str:
    return "" if quantity is None else plain(quantity)


def _day_field(label: str, initial: date) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        initial=initial.isoformat(),
        widget=forms.DateInput({"type": "date"}),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "Give a day as YYYY-MM-DD."},
    )
