"""Log lines: one JSON object each, of ids and of our own words.

What an exception says may quote what was sent, and a database error quotes whole rows. So of an exception only its
type, its place in the code and the names that the database gives are written, and of an address not its query.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any
from uuid import UUID

import psycopg
from structlog.processors import JSONRenderer
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict

ACCESS = "gunicorn.access"
MOST_FRAMES = 60
LEFT_OUT = "…"

_ROOT = f"{Path(__file__).resolve().parent.parent}/"
_QUERY = re.compile(r"(/\S*?)\?\S*")
_DETAIL = re.compile(r"(?:\\n|\s)*\b(?:DETAIL|CONTEXT|HINT|LINE \d+): .*", re.DOTALL)
# Celery fills its lines from a mapping that also holds arguments, results, exceptions and tracebacks.
_TOLD_OF_A_TASK = {"id", "name", "description", "hostname", "runtime"}


def json_lines() -> ProcessorFormatter:
    """Return the formatter of every line, whoever writes it."""
    return ProcessorFormatter(
        processors=[_line, JSONRenderer(ensure_ascii=False, default=str)],
        use_get_message=False,
        pass_foreign_args=True,
    )


def _line(_logger: object, _method: str, given: EventDict) -> EventDict:
    """Return what is written of a record, and nothing that is not named here."""
    record: logging.LogRecord = given["_record"]
    failures = list(_chain(given.get("exc_info")))
    arguments = given.get("positional_args", ())
    told = _answered(arguments) if record.name == ACCESS else {"event": _event(given["event"], arguments, failures)}
    return {
        "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        **told,
        **_asked(record),
        **({"exceptions": [_failure(*failure) for failure in failures]} if failures else {}),
    }


def _answered(arguments: Mapping[str, Any]) -> dict[str, object]:
    """Return what gunicorn tells of one answer; U is the address without its query, M milliseconds."""
    told = {"method": "m", "path": "U", "status": "s", "milliseconds": "M"}
    return {"event": "answered", **{name: arguments[atom] for name, atom in told.items()}}


def _event(template: str, arguments: Any, failures: list[tuple[BaseException, TracebackType | None]]) -> str:
    """Return the sentence, without what any exception says, be it in the sentence already or in its arguments."""
    sentence = template % _safe(arguments) if arguments else template
    said = {words: type(error).__name__ for error, _place in failures for words in (str(error), repr(error)) if words}
    for words in sorted(said, key=len, reverse=True):  # the longer may quote the shorter
        sentence = re.sub(rf"(?<!\w){re.escape(words)}(?!\w)", said[words], sentence)
    return _QUERY.sub(r"\1", _DETAIL.sub("", sentence))


def _safe(arguments: Any) -> Any:
    if isinstance(arguments, Mapping):
        return {name: _of_a_task(name, value) for name, value in arguments.items()}
    return tuple(_name(value) if isinstance(value, BaseException) else value for value in arguments)


def _of_a_task(name: str, value: object) -> object:
    return value if name in _TOLD_OF_A_TASK or isinstance(value, int | float) else LEFT_OUT


def _name(error: BaseException) -> str:
    """Return the type, and for a database error what kind of refusal it was."""
    return " ".join([type(error).__name__, *_refusal(error).values()])


def _refusal(error: BaseException) -> dict[str, str]:
    """Return the names that PostgreSQL gives to a refusal; Django's own error carries psycopg's as its cause."""
    source = error if isinstance(error, psycopg.Error) else error.__cause__
    if not isinstance(source, psycopg.Error):
        return {}
    found = {"sqlstate": source.sqlstate, "constraint": source.diag.constraint_name, "table": source.diag.table_name}
    return {name: value for name, value in found.items() if value}


def _asked(record: logging.LogRecord) -> dict[str, object]:
    """Return the request that Django speaks of, by its route and the ids in its address."""
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    if match is None:
        return {}
    ids = {name: str(value) for name, value in match.kwargs.items() if isinstance(value, UUID)}
    return {"method": record.request.method, "route": match.route, **ids}  # type: ignore[attr-defined]  # Django's extra


def _chain(exc_info: Any) -> Iterator[tuple[BaseException, TracebackType | None]]:
    """Yield the exception and what it came from, the last first, each with its traceback."""
    error, place = exc_info[1:3] if exc_info else (None, None)
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error, place
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        place = error.__traceback__ if error is not None else None


def _failure(error: BaseException, place: TracebackType | None) -> dict[str, object]:
    kind = type(error)
    frames = [f"{_short(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}" for frame, line in walk_tb(place)]
    return {"type": f"{kind.__module__}.{kind.__qualname__}", **_refusal(error), "frames": frames[-MOST_FRAMES:]}


def _short(file: str) -> str:
    return file.rpartition("/site-packages/")[2].removeprefix(_ROOT)
