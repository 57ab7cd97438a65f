"""National Drug Codes: ten digits in three groups, told apart by hyphens, or eleven digits without them.

The eleven digits are 5-4-2. Of the ten one group is shorter by a digit (4-4-2, 5-3-2 or 5-4-1) and is filled up with a
zero in front; so ten digits without hyphens can be up to three codes.
"""

import re

_ELEVEN = re.compile(r"[0-9]{11}")
_TEN = re.compile(r"[0-9]{10}")
_GROUPS = re.compile(
    r"([0-9]{5})-([0-9]{4})-([0-9]{2})|([0-9]{4})-([0-9]{4})-([0-9]{2})"
    r"|([0-9]{5})-([0-9]{3})-([0-9]{2})|([0-9]{5})-([0-9]{4})-([0-9])"
)


class NotAnNdc(ValueError):
    """The text is not written as an NDC."""


def readings(text: str) -> frozenset[str]:
    """Return the codes of eleven digits that the text can mean: one, unless it is ten digits without hyphens.

    :raises NotAnNdc: when it is not written as an NDC.
    """
    if _ELEVEN.fullmatch(text):
        return frozenset({text})
    if _TEN.fullmatch(text):
        return frozenset({f"0{text}", f"{text[:5]}0{text[5:]}", f"{text[:9]}0{text[9:]}"})
    groups = _GROUPS.fullmatch(text)
    if groups is None:
        raise NotAnNdc("An NDC has eleven digits, or ten in three groups such as 0002-8215-01.")
    labeler, product, package = (group for group in groups.groups() if group)
    return frozenset({f"{labeler:0>5}{product:0>4}{package:0>2}"})
