"""What became of the mutants; which survivors are known, and why that is no fault of the tests."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

FLOOR = 95
"""Percent of all mutants that must be killed. Whoever looks equivalent counts as a survivor like any other."""
KILLED = {"killed", "timeout"}
"""A mutant that never comes to an end is noticed, too."""
LIST = Path(__file__).with_name("survivors.toml")


@dataclass(frozen=True, slots=True)
class Change:
    """What a mutant changes: lines of a function as they are, and as they become; not where they stand."""

    function: str
    before: str
    after: str

    @classmethod
    def of(cls, mutant: str, diff: str) -> "Change":
        """Return the change that mutmut calls by this name and shows as this unified diff."""
        module, _, name = mutant.partition("__mutmut_")[0].rpartition(".")
        plain = name.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
        return cls(f"{module}.{plain}", _lines(diff, "-"), _lines(diff, "+"))

    def __str__(self) -> str:
        return f"{self.function}\n    - {self.before}\n    + {self.after}"


def _lines(diff: str, sign: str) -> str:
    lines = [line[1:] for line in diff.splitlines() if line.startswith(sign) and not line.startswith(sign * 3)]
    return " ".join(" ".join(lines).split())


class Result(NamedTuple):
    """A mutant and what became of it, in mutmut's words."""

    change: Change
    status: str


def listed(path: Path = LIST) -> dict[Change, str]:
    """Return the known survivors, each with the reason why no test notices it."""
    return {
        Change(function, before, after): group["why"]
        for group in tomllib.loads(path.read_text(encoding="utf-8"))["group"]
        for function, changes in group["changes"].items()
        for before, after in changes
    }


def report(results: Iterable[Result], known: Mapping[Change, str], *, is_whole: bool) -> tuple[str, bool]:
    """Return what to print, and whether enough mutants were killed.

    Of the whole rule at least `FLOOR` percent must be killed. In a part of it known survivors may lie thick, so there
    they are set aside, and as many of the others must be killed.
    """
    listed_results = list(results)
    survivors = [one.change for one in listed_results if one.status not in KILLED]
    new = [one for one in survivors if one not in known]
    total, missed = len(listed_results), len(survivors) if is_whole else len(new)
    score = 100 * (total - missed) / max(total, 1)
    lines = (
        ["", "New survivors: write the test that kills them, or list them with the reason.", *map(str, new)]
        if new
        else []
    )
    if is_whole and (gone := set(known) - set(survivors)):
        lines += ["", "Listed, but killed or no longer there; take them off the list.", *sorted(map(str, gone))]
    statuses = Counter(one.status for one in listed_results)
    lines += [
        "",
        *(f"{status:<12}{number:>6}" for status, number in sorted(statuses.items())),
        f"{'all':<12}{total:>6}",
        f"Of {len(survivors)} survivors {len(survivors) - len(new)} are listed with a reason, {len(new)} are new.",
        f"{score:.1f} % {'killed' if is_whole else 'killed or listed'}; at least {FLOOR} % are needed.",
    ]
    return "\n".join(lines), total > 0 and score >= FLOOR
