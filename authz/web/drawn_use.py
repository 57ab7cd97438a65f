"""A stretch of a patient's use, the newest or the one that something planned belongs to: drawn, and as a table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from authz.prior_auths.opioid_use import OpioidUse
from authz.prior_auths.what_if import PLANNED, WhatIf
from authz.rules.records import RecordKind
from authz.rules.verdict import Episode, Verdict
from authz.web.chart import Chart, Standing, Supply, chart
from authz.web.opioid_days import UseRun, newest_episode, runs, use_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One stretch of use: as a drawing, and the same as a table."""

    chart: Chart | None
    runs: list[UseRun]


def drawn_use(use: OpioidUse, *, today: date) -> Drawn | None:
    """Return the newest stretch of use; None without any."""
    episode = newest_episode(use.payer.verdict)
    return None if episode is None else _drawn(use.payer.verdict, episode, _supplies(use, episode), today)


def drawn_plan(use: OpioidUse, planned: WhatIf, *, today: date) -> Drawn | None:
    """Return the stretch of use that the plan would belong to; None when it would count as none."""
    verdict = planned.payer.verdict
    episode = next((one for one in verdict.episodes if PLANNED in one.records), None)
    if episode is None:
        return None
    plan = Supply(
        name=planned.product_name,
        starts_on=planned.record.start,
        days=planned.record.days_supply or 0,
        standing=Standing.PLANNED,
    )
    return _drawn(verdict, episode, [*_supplies(use, episode), plan], today)


def _drawn(verdict: Verdict, episode: Episode, supplies: Iterable[Supply], today: date) -> Drawn:
    days = use_days(verdict, episode)
    return Drawn(chart=chart(days, supplies, limit=episode.limit_days, today=today), runs=runs(days))


def _supplies(use: OpioidUse, episode: Episode) -> list[Supply]:
    return [
        Supply(
            name=record.product_name,
            starts_on=record.starts_on,
            days=record.days_supply,
            standing=Standing.PENDING if record.kind == RecordKind.RX.value else Standing.FILLED,
        )
        for record in use.records
        if str(record.record_id) in episode.records and record.days_supply
    ]
