"""How exact amounts are written, for people and for keeping."""

from decimal import Decimal
from fractions import Fraction


def plain(amount: Decimal) -> str:
    """Return an amount without needless zeros, and never with an exponent: "40", "0.5"."""
    return f"{amount.normalize():f}"


def two_decimals(amount: Fraction) -> str:
    """Return a non-negative amount with two decimals, rounded half up: 20/3 is "6.67", 0.125 is "0.13"."""
    hundredths = (200 * amount.numerator + amount.denominator) // (2 * amount.denominator)
    return f"{hundredths // 100}.{hundredths % 100:02d}"
