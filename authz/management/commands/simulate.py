"""`manage.py simulate`: what a draft policy would have changed over recorded history, before anybody activates it."""

import json
import sys
import tomllib
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from authz.errors import AuthzError, InvalidInput
from authz.formulary import selectors as formularies
from authz.policies.models import Plan
from authz.policies.schema import read_policy
from authz.policies.version import PolicyVersion
from authz.simulations.comparison import compare
from authz.simulations.report import Period
from authz.simulations.services import MINUTES_A_REQUEST

_BAR = 40


class Command(BaseCommand):
    """Prints figures, never who they are about."""

    help = "Compare a draft policy with the one in force, over the recorded history of some plans' members."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("policy", type=Path, metavar="POLICY.toml", help="the draft, as a file of the catalog")
        parser.add_argument("--from", dest="since", type=date.fromisoformat, required=True, help="first day")
        parser.add_argument("--to", dest="until", type=date.fromisoformat, required=True, help="last day")
        parser.add_argument(
            "--plan", action="append", default=[], metavar="CODE", help="a plan; else those that name the policy's code"
        )
        parser.add_argument(
            "--minutes-a-request", type=int, default=MINUTES_A_REQUEST, help="a reviewer's time for one request"
        )
        parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: when the file is no policy, a plan is unknown, or the period makes no sense.
        """
        draft = _read(options["policy"])
        try:
            report = compare(
                draft,
                _plans(options["plan"], draft),
                period=Period(since=options["since"], until=options["until"]),
                minutes_a_request=options["minutes_a_request"],
                formulary=formularies.current(),
                progress=_bar(sys.stderr),
            )
        except AuthzError as refusal:
            raise CommandError(_sentence(refusal)) from refusal
        self.stdout.write(json.dumps(report, indent=2) if options["json"] else _in_words(report))


def _read(path: Path) -> PolicyVersion:
    try:
        return read_policy(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from error
    except InvalidInput as refusal:
        raise CommandError(f"{path}: {_sentence(refusal)}") from refusal


def _sentence(refusal: AuthzError) -> str:
    if not isinstance(refusal, InvalidInput):
        return refusal.detail
    return "; ".join(f"{path}: {' '.join(sentences)}" for path, sentences in refusal.fields.items())


def _plans(codes: list[str], draft: PolicyVersion) -> list[Plan]:
    plans = Plan.objects.select_related("insurer").order_by("pk")
    found = list(plans.filter(code__in=codes) if codes else plans.filter(policy=draft.code))
    missing = sorted(set(codes) - {plan.code for plan in found})
    if missing:
        raise CommandError(f"There is no plan {', '.join(missing)}.")
    if not found:
        raise CommandError(f"No plan names the policy {draft.code!r}: name plans with --plan.")
    return found


def _bar(stream: IO[str]) -> Any:
    """Return what draws how far the work is, on one line of a terminal; nothing where nobody watches."""

    def draw(done: int, of: int) -> None:
        if stream.isatty():
            filled = _BAR * done // of if of else _BAR
            end = "\n" if done >= of else ""
            stream.write(f"\r[{'#' * filled}{' ' * (_BAR - filled)}] {done:,} of {of:,} patients{end}")
            stream.flush()

    return draw


def _in_words(report: dict[str, Any]) -> str:
    then, now = report["draft"], report["in_force"]
    rows = [("", report["policy_in_force"], report["policy_drafted"])]
    names = {
        "patients": "patients",
        "requests": "requests",
        "requests_a_week": "requests a week",
        "reviewer_hours": f"reviewer hours, at {report['minutes_a_request']} minutes",
    }
    rows += [(words, f"{now[name]}", f"{then[name]}") for name, words in names.items()]
    table = [f"  {words:34}{left:>22}{right:>22}" for words, left, right in rows]
    return "\n".join(
        [
            f"{', '.join(report['plans'])} from {report['since']} to {report['until']}, as known on the last day: "
            f"{report['members']} members, {report['members_with_use']} with opioid use",
            *table,
            f"newly caught: {report['newly_caught']} patients, {report['newly_caught_in_mid_therapy']} in mid-therapy; "
            f"released: {report['released']}; caught by both: {report['caught_by_both']}",
        ]
    )
