"""What services made once in a run, put back as it was: to make it anew for each test takes far longer."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, Generic, TypeVar

from django.db import connection

Made = TypeVar("Made")
_INSERTED = re.compile(r'INSERT INTO "(\w+)"')


class Kept(Generic[Made]):
    """What `make` makes in an empty database, and the rows it rests on.

    Keys are never given twice, for sequences go on whatever is rolled back: so the same rows fit in every time.
    """

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._database = ""
        self._made: Made
        self._put_back: tuple[str, list[str]]

    def again(self) -> Made:
        """Return it, made or put back; it is the caller's own."""
        if self._database != connection.settings_dict["NAME"]:
            with _tables_written() as tables:
                self._made = self._make()
            self._put_back = _statement(list(tables))
            self._database = connection.settings_dict["NAME"]
        else:
            with connection.cursor() as cursor:
                cursor.execute(*self._put_back)
        return deepcopy(self._made)


@contextmanager
def _tables_written() -> Iterator[dict[str, None]]:
    tables: dict[str, None] = {}

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        tables.update(dict.fromkeys(_INSERTED.findall(sql)))
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield tables


def _statement(tables: list[str]) -> tuple[str, list[str]]:
    """Return one statement that puts back all that is in the tables, and its values."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"(SELECT json_agg({table})::text FROM {table})" for table in tables))
        rows = list(cursor.fetchone())
    inserts = [
        f"{table}_ AS (INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, %s::json))"
        for table in tables
    ]
    return f"WITH {', '.join(inserts)} SELECT", rows
