"""Errors are sentences with a stable code. The domain never mentions HTTP; the doors translate."""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class AuthzError(Exception):
    """A refusal a caller can act on.

    `code` is stable and documented in docs/problems.md; `detail` is one sentence for a person, without patient data.
    """

    code: ClassVar[str]

    def __init__(self, detail: str, **context: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.context = context


class NotFound(AuthzError):
    """The thing does not exist, or belongs to a tenant the actor must not know about."""

    code = "not-found"


class StaleVersion(AuthzError):
    """What the caller read has changed since."""

    code = "stale-version"


class Forbidden(AuthzError):
    """The actor may see the thing but may not do this."""

    code = "forbidden"


class InvalidInput(AuthzError):
    """One or more fields are wrong. `fields` names every one of them, by dotted path."""

    code = "invalid-input"

    def __init__(self, fields: Mapping[str, Sequence[str]], detail: str = "Some fields are not right.") -> None:
        super().__init__(detail)
        self.fields = {name: list(sentences) for name, sentences in fields.items()}
