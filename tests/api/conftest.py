"""The cast, logged in."""

import pytest

from authz.prescriptions.models import Patient
from tests import cast as stage
from tests.api.callers import Caller, person


@pytest.fixture
def stella(cast: stage.Cast) -> Caller:
    return person("stella")


@pytest.fixture
def jones(cast: stage.Cast) -> Caller:
    return person("jones")


@pytest.fixture
def rae(cast: stage.Cast) -> Caller:
    return person("rae")


@pytest.fixture
def patel(cast: stage.Cast) -> Caller:
    return person("patel")


@pytest.fixture
def mallory(cast: stage.Cast) -> Caller:
    return person("mallory")


@pytest.fixture
def oscar(cast: stage.Cast) -> Caller:
    return person("oscar")


@pytest.fixture
def patient(cast: stage.Cast) -> Patient:
    return stage.register(cast)
