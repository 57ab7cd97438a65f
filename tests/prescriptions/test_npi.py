"""National Provider Identifiers carry a check digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.prescriptions.npi import is_valid_npi


# 1234567893 is the example CMS gives in its paper on the check digit.
@pytest.mark.parametrize("npi", ["1234567893", "1245319599", "1679576722"])
def test_a_right_check_digit_is_accepted(npi: str) -> None:
    assert is_valid_npi(npi)


@pytest.mark.parametrize(
    "npi", ["1234567890", "123456789", "12345678933", "3234567893", "", "12345६7893", "abcdefghij"]
)
def test_anything_else_is_refused(npi: str) -> None:
    assert not is_valid_npi(npi)


@given(st.integers(min_value=10**8, max_value=3 * 10**8 - 1).filter(lambda n: str(n)[0] in "12"))
def test_every_nine_digits_have_exactly_one_check_digit(nine: int) -> None:
    assert sum(is_valid_npi(f"{nine}{digit}") for digit in range(10)) == 1
