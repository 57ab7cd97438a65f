"""Which functions of the rule are mutated when there is no time for all: those just changed, and others by turns."""

import ast
import hashlib
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parents[2]
RULES = PurePath("authz/rules")


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method that mutmut mutates. `name` is mutmut's own for it, `meaning` its syntax without layout."""

    module: str
    name: str
    lines: int
    meaning: str

    @property
    def pattern(self) -> str:
        """What matches the names of all its mutants."""
        return f"{self.module}.{self.name}__mutmut_*"


def functions_now() -> list[Function]:
    """Return the rule's functions as they are in the working tree."""
    files = sorted(path.relative_to(ROOT) for path in (ROOT / RULES).rglob("*.py"))
    return [one for file in files for one in functions_in(file, (ROOT / file).read_text(encoding="utf-8"))]


def functions_in(file: PurePath, source: str) -> Iterator[Function]:
    """Yield what mutmut mutates in a file: functions and methods, unless decorated."""
    module = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            yield from _mutated(module, f"x_{node.name}", node)
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    yield from _mutated(module, f"xǁ{node.name}ǁ{method.name}", method)


def _mutated(module: str, name: str, node: ast.FunctionDef) -> Iterator[Function]:
    if all(ast.unparse(decorator) in ("classmethod", "staticmethod") for decorator in node.decorator_list):
        yield Function(module, name, (node.end_lineno or node.lineno) - node.lineno + 1, ast.dump(node))


def by_turns(functions: Iterable[Function], percent: int, seed: str) -> list[Function]:
    """Return functions that hold so many percent of all lines; which ones, the seed decides."""
    listed = list(functions)
    wanted = sum(one.lines for one in listed) * percent / 100
    chosen: list[Function] = []
    for one in sorted(listed, key=lambda one: hashlib.sha256(f"{seed} {one.pattern}".encode()).digest()):
        if wanted <= 0:
            break
        chosen.append(one)
        wanted -= one.lines
    return chosen


def changed(now: Iterable[Function], before: Iterable[Function]) -> list[Function]:
    """Return the functions that are new or mean something else than before."""
    meant = {one.pattern: one.meaning for one in before}
    return [one for one in now if meant.get(one.pattern) != one.meaning]


def functions_at(commit: str) -> list[Function]:
    """Return the rule's functions as they were at a commit."""
    files = _git("ls-tree", "-r", "--name-only", commit, "--", str(RULES)).split()
    python = [PurePath(file) for file in files if file.endswith(".py")]
    return [one for file in python for one in functions_in(file, _git("show", f"{commit}:{file.as_posix()}"))]


def commit() -> str:
    """Return the commit that is checked out."""
    return _git("rev-parse", "HEAD").strip()


def base() -> str:
    """Return the commit to compare with: where this branch left main; on main, the commit before, if it is there."""
    head = commit()
    for other in ("origin/main", "main", "HEAD~1"):
        left = subprocess.run(["git", "merge-base", head, other], cwd=ROOT, capture_output=True, text=True, check=False)
        if left.returncode == 0 and left.stdout.strip() != head:
            return left.stdout.strip()
    return head


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout
