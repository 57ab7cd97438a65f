"""PURE: National Provider Identifiers."""

# ISO 7812 puts 80 (health) and 840 (United States) before the ten digits; CMS, "NPI check digit", 45 CFR 162.406.
_PREFIX = "80840"


def is_valid_npi(text: str) -> bool:
    """Say whether the text is ten ASCII digits starting with 1 or 2 whose last is the Luhn check digit of the rest."""
    if len(text) != 10 or not (text.isascii() and text.isdigit()) or text[0] not in "12":
        return False
    digits = [int(digit) for digit in reversed(_PREFIX + text)]
    doubled = [sum(divmod(digit * 2, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
