"""Sealing rows anew, so that a key can be taken away: in batches, each a transaction, from where it stopped."""

from typing import Any, Final

from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import F, Func, Q, QuerySet, Value

from authz.sealing.fields import BlindIndex, SealedBytes
from authz.sealing.identifiers import KEY_ID_BYTES, key_ids

_BATCH: Final = 500
# Of bytes there are so many in a row that few rows are a batch.
_BATCH_OF_FILES: Final = 8


def sealed_models() -> list[type[models.Model]]:
    """Return the models that have sealed columns."""
    return [model for model in apps.get_models() if _sealed(model)]


def reseal(*, model: type[models.Model]) -> int:
    """Seal with the first key what another one sealed, and index it anew; return how many rows that were.

    Interrupted, it leaves whole rows behind, and goes on with the others when it is called again.

    :raises CannotOpen: when a row was sealed with a key that is no longer there.
    """
    done, last = 0, 0
    while rows := _reseal_batch(model, last):
        done, last = done + len(rows), rows[-1].pk
    return done


def may_reseal(*, model: type[models.Model]) -> bool:
    """Tell whether the database's role may: what is append-only only its owner can seal anew."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'UPDATE')", [model._meta.db_table])
        return bool(cursor.fetchone()[0])


def sealed_otherwise(*, model: type[models.Model], than: list[bytes]) -> QuerySet[Any]:
    """Return the rows of which something was sealed with none of these keys, named by their ids."""
    rows = model._base_manager.alias(
        **{f"key_of_{field.name}": _key_of(field) for field in _sealed(model)},
    )
    others = Q()
    for field in _sealed(model):
        others |= ~Q(**{f"key_of_{field.name}__in": than}) & Q(**{f"{field.name}__isnull": False})
    found: QuerySet[Any] = rows.filter(others)
    return found


@transaction.atomic
def _reseal_batch(model: type[models.Model], after: int) -> list[models.Model]:
    columns = [field.name for field in model._meta.concrete_fields if isinstance(field, SealedBytes | BlindIndex)]
    size = _BATCH if all(type(field) is not SealedBytes for field in _sealed(model)) else _BATCH_OF_FILES
    stale = sealed_otherwise(model=model, than=key_ids()[:1]).filter(pk__gt=after).order_by("pk")
    rows = list(stale.select_for_update(no_key=True).only("pk", *_read(model))[:size])
    for row in rows:
        row.save(update_fields=columns)
    return rows


def _read(model: type[models.Model]) -> list[str]:
    return [field.name for field in _sealed(model)]


def _sealed(model: type[models.Model]) -> list[SealedBytes]:
    return [field for field in model._meta.concrete_fields if isinstance(field, SealedBytes)]


def _key_of(field: SealedBytes) -> Func:
    bytes_of = models.BinaryField()
    return Func(F(field.name), Value(1), Value(KEY_ID_BYTES), function="substring", output_field=bytes_of)
