"""PURE: the regimes as a person reads them: the tables in docs/clocks.md."""

from collections.abc import Iterable, Iterator

from authz.policies.regime import AppealRules, Regime, Span, Track
from authz.prior_auths.deadline_words import MISSED
from authz.prior_auths.lifecycle_drawing import between_marks

BEGIN = "<!-- drawn by: manage.py clocks_doc -->"


def redrawn(page: str, regimes: Iterable[Regime]) -> str:
    """Return the page with everything between the marks drawn anew.

    :raises NoPlaceForDrawing: when it lacks the marks.
    """
    return between_marks(page, BEGIN, drawing(list(regimes)))


def drawing(regimes: list[Regime]) -> str:
    """Return the table of all regimes, then each with its figures and what they rest on, as Markdown."""
    parts = ["## All regimes\n", *_overview(regimes)]
    for regime in regimes:
        parts += [f"\n## {regime.title} ({regime.version})\n", *_one(regime)]
    return "\n".join([*parts, ""])


def _overview(regimes: list[Regime]) -> Iterator[str]:
    yield "| Code | In force | Standard | Expedited | Starts | Missing information | If missed | Appeal: file, decide |"
    yield "|---|---|---|---|---|---|---|---|"
    for regime in regimes:
        cells = (
            f"`{regime.code}`",
            _in_force(regime),
            _track(regime.standard),
            _track(regime.expedited),
            _words(regime.starts) + (f", at the latest {regime.latest_start}" if regime.latest_start else ""),
            _words(regime.standard.missing_information),
            MISSED[regime.if_missed],
            _appeal(regime.appeal),
        )
        yield f"| {' | '.join(cells)} |"


def _one(regime: Regime) -> Iterator[str]:
    drugs = "" if regime.covers_drugs else " **Not for drugs.**"
    yield f"`{regime.code}`, version {regime.version}, in force {_in_force(regime)}. {regime.calendar.title}.{drugs}"
    yield f"Unconfirmed figures: {len(regime.unconfirmed) or 'none'}.\n"
    if regime.notes:
        yield "\n".join(f"- {note}" for note in regime.notes) + "\n"
    yield from ("| Figure | Value | Rule | What it rests on | Confirmed |", "|---|---|---|---|---|")
    for name, value, source, confirmed in regime.figures():
        yield f"| `{name}` | {value} | {source.cites} | {source.basis} | {'yes' if confirmed else '**no**'} |"


def _in_force(regime: Regime) -> str:
    since = "always" if regime.in_force_from.year == 1 else f"from {regime.in_force_from}"
    return f"{since} until {regime.in_force_until}" if regime.in_force_until else since


def _track(track: Track) -> str:
    return str(track.decide_within) + (f" (+{track.extend_by} with notice)" if track.extend_by else "")


def _appeal(rules: AppealRules | None) -> str:
    if rules is None:
        return "–"
    presumed = f" + {_days(rules.presumed_receipt)}" if rules.presumed_receipt else ""
    return f"{rules.file_within}{presumed}, {rules.standard.decide_within} / {rules.expedited.decide_within}"


def _days(span: Span) -> str:
    return f"{span} until receipt"


def _words(name: str) -> str:
    return name.replace("_", " ")
