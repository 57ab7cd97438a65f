"""Columns whose content PostgreSQL never sees: sealed on the way in, opened on the way out.

Nothing can be searched, ordered or joined by such a column in the database. `BlindIndex` beside it finds a row by the
exact text, and only `isnull` may be asked of the sealed column itself.
"""

import json
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import In

from authz.sealing.identifiers import digests, opened, sealed


class _Bytes(models.Field):  # type: ignore[type-arg]  # no generic when it runs
    """A column of bytes that belong to their place."""

    empty_strings_allowed = False

    def get_internal_type(self) -> str:
        return "BinaryField"

    @cached_property
    def place(self) -> str:
        """The column, by its own name: what is sealed for it opens nowhere else."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        kept = value if prepared else self.get_prep_value(value)
        return None if kept is None else connection.Database.Binary(kept)  # type: ignore[attr-defined]  # DB-API's


class SealedBytes(_Bytes):
    """Bytes that only the keys of this deployment open."""

    def get_prep_value(self, value: Any) -> bytes | None:
        return None if value is None else sealed(self.written(value), place=self.place)

    def from_db_value(self, value: Any, *_of_django: Any) -> Any:
        """Open what was kept.

        :raises CannotOpen: when a key is missing, or the database was tampered with; never an empty text instead.
        """
        return None if value is None else self.read(opened(bytes(value), place=self.place))

    def written(self, value: Any) -> bytes:
        """Return the bytes of a value."""
        return bytes(value)

    def read(self, content: bytes) -> Any:
        """Return the value of some bytes."""
        return content

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is sealed: find it by its BlindIndex, or open it.")
        return super().get_lookup(lookup_name)


class SealedText(SealedBytes):
    """Text of at most `max_length` characters; also the empty one is sealed."""

    empty_strings_allowed = True

    def written(self, value: Any) -> bytes:
        text = str(value)
        if self.max_length is not None and len(text) > self.max_length:
            raise ValueError(f"{self.place} holds at most {self.max_length} characters.")
        return text.encode()

    def read(self, content: bytes) -> str:
        return content.decode()


class SealedJson(SealedBytes):
    """What JSON can say."""

    def written(self, value: Any) -> bytes:
        return json.dumps(value, separators=(",", ":")).encode()

    def read(self, content: bytes) -> Any:
        return json.loads(content)


class BlindIndex(_Bytes):
    """By what a sealed text is found: its keyed hash, set whenever the row is saved. It is asked for by the text.

    Only equal texts are found, and only whoever has the keys can ask. While keys are replaced, each of them is asked.
    """

    def __init__(self, *, of: str, **options: Any) -> None:
        self.of = of
        super().__init__(**{**options, "editable": False})

    def deconstruct(self) -> Any:
        name, path, positional, named = super().deconstruct()
        del named["editable"]
        return name, path, positional, named | {"of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes:
        digest = digests(getattr(model_instance, self.of), place=self.place)[0]
        setattr(model_instance, self.attname, digest)
        return digest


@BlindIndex.register_lookup
class _OneOf(In):
    """Whether a row's text is one of these."""

    def get_prep_lookup(self) -> list[bytes]:
        texts: Iterable[str] = self.rhs
        return [digest for text in texts for digest in digests(text, place=self.lhs.output_field.place)]


@BlindIndex.register_lookup
class _Exactly(_OneOf):
    """Whether a row's text is this one."""

    lookup_name = "exact"

    def get_prep_lookup(self) -> list[bytes]:
        self.rhs = [self.rhs]
        return super().get_prep_lookup()
