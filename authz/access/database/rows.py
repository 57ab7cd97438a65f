"""Rows written together, in one statement.

What a step of a request's life writes, its event, the trail, the fact to tell and its new state, would otherwise be a
statement each, most of whose time Django and the way to the server and back take.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, NamedTuple, Self, TypeVar

from django.db import DatabaseError, connection, models
from django.db.models.expressions import DatabaseDefault

Row = TypeVar("Row", bound=models.Model)


class Question(NamedTuple):
    """A SELECT of some columns of one row, which it locks, with its values by name."""

    sql: str
    columns: Collection[str]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """In place of a value: a column of the row that the statement itself finds, or so much more than that."""

    column: str
    more: int = 0

    def __add__(self, number: int) -> Self:
        return type(self)(self.column, self.more + number)

    def __str__(self) -> str:
        return f"found.{self.column} + {self.more}" if self.more else f"found.{self.column}"


def write(*new: models.Model, changed: models.Model | None = None, names: Collection[str] | None = None) -> None:
    """Add the new rows, and write what changed in another: the fields in `names`, or all that were loaded.

    Nothing is read back, so the new ones do not come to know their keys; and no signal is sent.

    :raises DatabaseError: when the changed row is not there.
    """
    statements, values = [], []
    for row in new:
        fields = _filled(row)
        statements.append(_insert(type(row), fields))
        values += [_value(row, field, is_new=True) for field in fields]
    if changed is not None:
        fields = tuple(field for field in _filled(changed) if names is None or field.name in names)
        statements.append(_update(type(changed), fields))
        values += [*(_value(changed, field, is_new=False) for field in fields), changed.pk]
    with connection.cursor() as cursor:
        cursor.execute(_together(tuple(statements)), values)
        if changed is not None and cursor.rowcount != 1:
            raise DatabaseError(f"There is no such row of {changed._meta.db_table} to change.")


def change_found(model: type[Row], question: Question, *new: models.Model, changes: Mapping[str, Any]) -> Row | None:
    """Find a row of a model, change it, by attribute, and add the new ones that tell of it.

    Return what the question asks of the row, as it is then, and as the database says it: nothing that is sealed. None
    when none is found, and nothing is written.
    """
    told = tuple((type(row), _filled(row)) for row in new)
    changed = tuple(field for field in model._meta.concrete_fields if field.attname in changes)
    given = [(field, field.pre_save(row, True)) for row, (_, fields) in zip(new, told, strict=True) for field in fields]
    given += [(field, changes[field.attname]) for field in changed]
    known = tuple(value if isinstance(value, Found) else None for _, value in given)
    sql, columns = _change_found(model, question.sql, tuple(question.columns), told, changed, known)
    values = {
        f"value_{number}": field.get_db_prep_save(value, connection)
        for number, (field, value) in enumerate(given)
        if not isinstance(value, Found)
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, {**question.values, **values})
        found = cursor.fetchone()
    return model.from_db(connection.alias, columns, found) if found else None


def change_where(model: type[models.Model], keys: Sequence[int], *, still: Mapping[str, Any], **values: Any) -> int:
    """Write the same to the rows of these keys for which the values in `still` hold; return how many there were."""
    nothing = tuple(name for name, value in still.items() if value is None)
    something = {name: value for name, value in still.items() if value is not None}
    sql, fields = _change_where(model, tuple(values), tuple(something), nothing)
    given = [field.get_db_prep_save(value, connection) for field, value in zip(fields, values.values(), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*given, list(keys), *something.values()])
        return int(cursor.rowcount)


def _filled(row: models.Model) -> tuple[Any, ...]:
    """Return the fields that are loaded or given, but the key and what the database is to fill."""
    held = row.__dict__
    return tuple(
        field
        for field in row._meta.concrete_fields
        if not field.primary_key and field.attname in held and not isinstance(held[field.attname], DatabaseDefault)
    )


def _value(row: models.Model, field: Any, *, is_new: bool) -> Any:
    return field.get_db_prep_save(field.pre_save(row, is_new), connection)


@cache
def _change_found(
    model: type[models.Model],
    question: str,
    columns: tuple[str, ...],
    told: tuple[tuple[type[models.Model], tuple[Any, ...]], ...],
    changed: tuple[Any, ...],
    known: tuple[Found | None, ...],
) -> tuple[str, list[str]]:
    """Return the statement of `change_found`, which says what it finds itself as `known` has it, and what it returns.

    The other values have numbers as their names: first those of the rows in `told`, then those of what is `changed`.
    """
    said = iter([f"%(value_{number})s" if found is None else str(found) for number, found in enumerate(known)])
    statements = [f"found AS ({question})"]
    for number, (row, fields) in enumerate(told):
        values = ", ".join(islice(said, len(fields)))
        statements.append(f"told_{number} AS (INSERT INTO {_into(row, fields)} SELECT {values} FROM found)")
    changes = ", ".join(f"{_quoted(field.column)} = {value}" for field, value in zip(changed, said, strict=True))
    returned = [field for field in model._meta.concrete_fields if field.column in columns]
    key = model._meta.pk.column
    sql = (
        f"WITH {', '.join(statements)} UPDATE {_quoted(model._meta.db_table)} subject SET {changes} "
        f"FROM found WHERE subject.{key} = found.{key} "
        f"RETURNING {', '.join(f'subject.{field.column}' for field in returned)}"
    )
    return sql, [field.attname for field in returned]


@cache
def _insert(model: type[models.Model], fields: tuple[Any, ...]) -> str:
    return f"INSERT INTO {_into(model, fields)} VALUES ({', '.join('%s' for _ in fields)})"


@cache
def _update(model: type[models.Model], fields: tuple[Any, ...]) -> str:
    changes = ", ".join(f"{_quoted(field.column)} = %s" for field in fields)
    return f"UPDATE {_quoted(model._meta.db_table)} SET {changes} WHERE {_quoted(model._meta.pk.column)} = %s"


@cache
def _change_where(
    model: type[models.Model], names: tuple[str, ...], something: tuple[str, ...], nothing: tuple[str, ...]
) -> tuple[str, list[Any]]:
    known: dict[str, Any] = {field.name: field for field in model._meta.concrete_fields}
    fields = [known[name] for name in names]
    changes = ", ".join(f"{_quoted(field.column)} = %s" for field in fields)
    holds = [f"{_quoted(known[name].column)} = %s" for name in something]
    holds += [f"{_quoted(known[name].column)} IS NULL" for name in nothing]
    where = " AND ".join([f"{_quoted(model._meta.pk.column)} = ANY(%s)", *holds])
    return f"UPDATE {_quoted(model._meta.db_table)} SET {changes} WHERE {where}", fields


@cache
def _together(statements: tuple[str, ...]) -> str:
    *first, last = statements
    told = ", ".join(f"told_{number} AS ({one})" for number, one in enumerate(first))
    return f"WITH {told} {last}" if told else last


@cache
def _into(model: type[models.Model], fields: tuple[Any, ...]) -> str:
    return f"{_quoted(model._meta.db_table)} ({', '.join(_quoted(field.column) for field in fields)})"


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(str(name))
