"""The second layer: with every filter of the selectors taken away, the database shows nobody a stranger's rows."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Model
from psycopg import sql

from authz.access import tenancy
from authz.access.models import Membership, Organization
from authz.access.ownership import SHARED, UNDER_POLICY
from authz.policies.models import Plan
from tests.access.full_house import fill_the_house, owned
from tests.cast import Cast

PROTECTED = [model for model in owned() if model.__name__ in UNDER_POLICY]


def keys(model: type[Model]) -> set[int]:
    return set(model._base_manager.values_list("pk", flat=True))


def own_rows(organization: Organization) -> dict[type[Model], set[int]]:
    """Return what a stranger does see: themselves, and of payers what every clinic may know."""
    is_clinic = organization.kind == "clinic"
    seen = {organization.pk} | set(
        Organization.objects.filter(kind="insurer").values_list("pk", flat=True) if is_clinic else ()
    )
    return {
        Organization: seen,
        Membership: set(Membership.objects.filter(organization=organization).values_list("pk", flat=True)),
        Plan: keys(Plan) if is_clinic else set(),
    }


def refused(statement: str, table: str, *values: object, **names: sql.Composable) -> bool:
    """Try a statement, and say whether it was refused or found nothing to do."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(table=sql.Identifier(table), **names), values)
            return cursor.rowcount == 0
    except DatabaseError:
        return True


def columns_but_the_key(model: type[Model]) -> sql.Composable:
    named = [sql.Identifier(field.column) for field in model._meta.concrete_fields if not field.primary_key]
    return sql.SQL(", ").join(named)


def written_by(stranger: Organization) -> list[str]:
    """Have a stranger copy one row of every table, and return the tables that took it."""
    written = list[str]()
    for model in PROTECTED:
        columns, table = columns_but_the_key(model), sql.Identifier(model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE TEMPORARY TABLE copied AS SELECT * FROM {} LIMIT 1").format(table))
        insert = "INSERT INTO {table} ({columns}) SELECT {columns} FROM copied"
        with tenancy.within(stranger.pk):
            if not refused(insert, model._meta.db_table, columns=columns):
                written.append(model.__name__)
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE copied")

    return written


def test_every_table_is_under_a_policy_or_shared_for_a_reason(db: None) -> None:
    tables = {model._meta.db_table: model.__name__ for model in owned()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
        secured = {tables[name] for (name,) in cursor.fetchall()}
        cursor.execute("SELECT DISTINCT tablename FROM pg_policies WHERE policyname = 'mine' AND cmd = 'ALL'")
        with_policy = {tables[name] for (name,) in cursor.fetchall()}

    assert set(UNDER_POLICY) | set(SHARED) == set(tables.values())
    assert not set(UNDER_POLICY) & set(SHARED)
    assert secured == with_policy == set(UNDER_POLICY)
    assert all({**UNDER_POLICY, **SHARED}.values())


@pytest.mark.thorough
def test_without_the_selectors_filters_nothing_of_a_strangers_is_read_written_changed_or_deleted(cast: Cast) -> None:
    fill_the_house(cast)
    before = {model: keys(model) for model in PROTECTED}

    assert [model.__name__ for model, rows in before.items() if not rows] == []
    for stranger in (cast.hillside, cast.summit):
        allowed, leaks = own_rows(stranger), list[str]()
        with tenancy.within(stranger.pk):
            for model, rows in before.items():
                theirs = list(rows - allowed.get(model, set()))
                table = model._meta.db_table
                last = sql.Identifier(model._meta.concrete_fields[-1].column)
                is_kept = (
                    keys(model) <= allowed.get(model, set())
                    and refused("SELECT id FROM {table} WHERE id = ANY(%s)", table, theirs)
                    and refused("UPDATE {table} SET {last} = {last} WHERE id = ANY(%s)", table, theirs, last=last)
                    and refused("DELETE FROM {table} WHERE id = ANY(%s)", table, theirs)
                )
                if not is_kept:
                    leaks.append(model.__name__)
        assert leaks == []
        assert written_by(stranger) == []
    assert {model: keys(model) for model in PROTECTED} == before
