"""A connection whose every transaction begins by saying in whose name it asks."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.backends.postgresql import base

from authz.access import tenancy


class DatabaseWrapper(base.DatabaseWrapper):
    """Says it when a transaction begins; a statement outside of any gets one of its own, or it would see nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(_in_a_transaction)

    def get_connection_params(self) -> dict[str, Any]:
        """Return what a connection begins with."""
        params: dict[str, Any] = super().get_connection_params()
        if tenancy.works_for_everybody():
            params["options"] = f"{params.get('options', '')} -c authz.tenant={tenancy.ACROSS}".strip()
        return params

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]  # Django's stubs leave it out
        if not autocommit:
            tenancy.tell(self)


def _in_a_transaction(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    connection = context["connection"]
    if connection.in_atomic_block or not tenancy.is_said():
        return execute(sql, params, many, context)
    with transaction.atomic(using=connection.alias):
        return execute(sql, params, many, context)
