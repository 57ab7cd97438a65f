"""The suite asks the database as the product does: under a role that owns nothing and is held by row-level security."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from config.embedded.postgres import FOR_ALL, OWNER, PRODUCT


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The owner made the database; from here on the product's own role asks it.

    What tests themselves ask is in everybody's name. Whatever comes through a door is in its organization's.
    """
    settings, owner = connection.settings_dict, connection.settings_dict["USER"]
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            # Between tests that commit, the tables are emptied.
            cursor.execute(f"GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {PRODUCT}")
        connection.close()
        settings["USER"], settings["OPTIONS"]["options"] = PRODUCT, FOR_ALL
        yield
        connection.close()
        settings["USER"] = owner
        del settings["OPTIONS"]["options"]


@contextmanager
def as_owner() -> Iterator[None]:
    """Ask as the role that owns the tables."""
    settings = connection.settings_dict
    product = settings["USER"]
    connection.close()
    settings["USER"] = OWNER
    try:
        yield
    finally:
        connection.close()
        settings["USER"] = product
