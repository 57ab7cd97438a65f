"""Who decides on policies."""

import pytest

from tests.cast import Cast
from tests.policies.office import Office, an_office


@pytest.fixture
def office(cast: Cast) -> Office:
    return an_office(cast)
