"""`make mutation`: change the rule in thousands of ways, and see whether its tests notice. See docs/mutation.md."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

from tests.mutation.sample import ROOT, RULES, base, by_turns, changed, commit, functions_at, functions_now
from tests.mutation.survivors import Change, Result, listed, report

MUTANTS = ROOT / "mutants"


def main() -> None:
    """Do what the command line says; exit status 1 when too few mutants are killed."""
    asked = _arguments()
    patterns = asked.names or ([] if asked.share == 100 else _sample(asked.share))
    _run_mutmut(patterns, asked.processes)
    results = _results()
    text, is_enough = report(results, listed(), is_whole=not patterns)
    print(text)
    sys.exit(0 if is_enough else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these mutants, such as 'authz.rules.spans.*'")
    parser.add_argument(
        "--share", type=int, default=100, metavar="PERCENT", help="only functions just changed and so much of the rest"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="how many at once")
    return parser.parse_args()


def _sample(percent: int) -> list[str]:
    now = functions_now()
    chosen = {one.pattern for one in [*changed(now, functions_at(base())), *by_turns(now, percent, commit())]}
    print(f"Mutating {len(chosen)} of {len(now)} functions.", flush=True)
    return sorted(chosen)


def _run_mutmut(patterns: list[str], processes: int) -> None:
    """Run it afresh: it would take earlier results for true although the tests have changed."""
    shutil.rmtree(MUTANTS, ignore_errors=True)
    mutmut = str(Path(sys.executable).with_name("mutmut"))
    # With one order of sets and hashes, a mutant meets one fate.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    command = [mutmut, "run", "--max-children", str(processes), *patterns]
    output = None if sys.stdout.isatty() else subprocess.PIPE
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=output, check=False)
    if done.returncode != 0:
        sys.exit(f"{_still(done.stdout or b'')}\nmutmut failed (exit status {done.returncode}).")


def _still(output: bytes) -> str:
    """Return what is left to see where a terminal's line was written over and over."""
    return re.sub(r"[^\n]*\r", "", output.decode())


def _results() -> list[Result]:
    return [
        _result(name, file, status_by_exit_code[code])
        for file in sorted((ROOT / RULES).rglob("*.py"))
        for name, code in _codes(file.relative_to(ROOT)).items()
        if code is not None
    ]


def _codes(file: Path) -> dict[str, int | None]:
    kept = json.loads((MUTANTS / f"{file}.meta").read_text(encoding="utf-8"))
    return dict(kept["exit_code_by_key"])


def _result(name: str, file: Path, status: str) -> Result:
    function = name.partition("__mutmut_")[0]
    diff = "" if status in ("killed", "timeout") else get_diff_for_mutant(name, path=file.relative_to(ROOT))
    return Result(Change.of(function, diff), status)


if __name__ == "__main__":
    main()
