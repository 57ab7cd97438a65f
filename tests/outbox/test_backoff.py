from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.outbox.backoff import LONGEST, wait_after


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 2), (2, 4), (3, 8), (4, 16), (10, 1024), (11, 2048), (12, 3600), (1000, 3600)]
)
def test_the_wait_doubles_up_to_an_hour(attempts: int, seconds: int) -> None:
    wait = wait_after(attempts, seed="authz_delivery/7")

    assert timedelta(seconds=seconds) <= wait <= timedelta(seconds=seconds * 1.25)


@given(attempts=st.integers(1, 40), seed=st.text())
def test_the_same_attempt_of_the_same_work_always_waits_as_long(attempts: int, seed: str) -> None:
    assert wait_after(attempts, seed=seed) == wait_after(attempts, seed=seed) <= LONGEST * 1.25


def test_work_that_failed_together_does_not_come_back_together() -> None:
    waits = {wait_after(5, seed=f"authz_delivery/{pk}") for pk in range(50)}

    assert len(waits) == 50


def test_the_longest_wait_is_what_the_work_says() -> None:
    longest = timedelta(minutes=30)

    assert longest <= wait_after(20, seed="authz_delivery/7", longest=longest) <= longest * 1.25
