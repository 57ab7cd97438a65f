"""Our own rules, held by tests: what is marked, who writes, who reads the clock, what things are called."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("authz", "workers", "config")
WRITES = {
    "save", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "select_for_update", "delete",
}  # fmt: skip
ASK_THE_RULE = {"evaluate", "findings", "trace", "counterfactual"}
BANNED_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "data", "info", "misc", "common"}


def modules(*folders: str) -> Iterator[Path]:
    for folder in folders or PRODUCT:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, node.func.attr


def may_write(path: Path) -> bool:
    """Services write; so does what keeps the door's answers, leases and settles rows, or loads the demonstration."""
    place = relative(path)
    return (
        path.name in {"services.py", "leases.py", "idempotency.py"}
        or "/services/" in place
        or "/channels/" in place
        or place.startswith("authz/demonstration/")
    )


@pytest.mark.parametrize("model", list(apps.get_app_config("authz").get_models()), ids=lambda model: model.__name__)
def test_every_field_is_marked_phi_or_plain(model: type[models.Model]) -> None:
    marks: Any = model
    own = {
        field.name
        for field in [*model._meta.fields, *model._meta.many_to_many]
        if not isinstance(field, models.ManyToOneRel)
    }

    assert own == marks.PHI | marks.PLAIN
    assert not marks.PHI & marks.PLAIN


def test_only_services_write() -> None:
    writers = [
        f"{relative(path)}:{call.lineno} {name}"
        for path in modules("authz", "workers")
        if not may_write(path)
        for call, name in calls(path)
        if name in WRITES
    ]

    assert writers == []


def test_only_doors_workers_and_commands_read_the_clock() -> None:
    doors = ("authz/api/", "authz/web/", "authz/management/", "workers/", "config/", "authz/clock.py")
    readers = [
        f"{relative(path)}:{call.lineno}"
        for path in modules()
        if not relative(path).startswith(doors)
        for call, name in calls(path)
        if name == "now" and isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "clock"
    ]

    assert readers == []


def test_only_what_means_the_same_everywhere_reads_the_packaged_formulary() -> None:
    rooms = [path for path in modules() if not relative(path).startswith(("authz/rules/", "authz/formulary/"))]
    readers = [relative(path) for path in rooms if re.search(r"\bpackaged\(", path.read_text(encoding="utf-8"))]
    # Where none is named, the rule goes by the packaged one.
    silent = [
        f"{relative(path)}:{call.lineno}"
        for path in rooms
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ASK_THE_RULE
        if "formular" not in ast.unparse(call)
    ]

    assert readers == ["authz/management/commands/formulary.py", "authz/policies/examples.py"]
    assert silent == []


def test_services_take_keywords_only() -> None:
    positional = [
        f"{relative(path)}:{node.lineno} {node.name}"
        for path in modules("authz")
        if path.name == "services.py" or "/services/" in relative(path)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        # The row that is locked or leased may come first; everything else is named.
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and len(node.args.args) > 1
    ]

    # must_be_legal and take are the tables' own two questions, asked all over this room.
    assert [place for place in positional if "steps.py:" not in place] == []


def test_nothing_is_called_utils() -> None:
    assert [relative(path) for path in modules() if path.stem in BANNED_NAMES] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        relative(path)
        for path in modules("authz", "workers", "config")
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert silent == []


def test_every_public_service_and_selector_is_explained_to_its_caller() -> None:
    silent = [
        f"{relative(path)}:{node.lineno} {node.name}"
        for path in modules("authz")
        if path.name in {"services.py", "selectors.py"} or "/services/" in relative(path)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]

    assert silent == []
