"""How exact amounts are written."""

from decimal import Decimal
from fractions import Fraction

import pytest

from authz.rules.amounts import plain, two_decimals


@pytest.mark.parametrize(
    ("amount", "text"), [("40", "40"), ("40.00", "40"), ("0.50", "0.5"), ("1E+3", "1000"), ("0.0000", "0")]
)
def test_an_amount_has_no_needless_zeros_and_no_exponent(amount: str, text: str) -> None:
    assert plain(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Fraction(20, 3), "6.67"),
        (Fraction(1, 8), "0.13"),
        (Fraction(1, 200), "0.01"),
        (Fraction(4999, 1_000_000), "0.00"),
        (Fraction(0), "0.00"),
        (Fraction(1005, 1000), "1.01"),
        (Fraction(199999, 1000), "200.00"),
    ],
)
def test_amounts_are_rounded_half_up_once_at_output(amount: Fraction, text: str) -> None:
    assert two_decimals(amount) == text
