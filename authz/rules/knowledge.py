"""Who caused a need, and since when it could be known (step 13)."""

from collections.abc import Sequence
from itertools import pairwise

from authz.rules.placement import Placed, Stretch, place
from authz.rules.policy import Basis, Mode, Policy
from authz.rules.selection import Ledger, Supply
from authz.rules.use_days import Circumstances, Use


def trigger_of(
    stretch: Stretch, placed: Sequence[Placed], policy: Policy, circumstances: Circumstances
) -> Supply | None:
    """Return the first supply of the episode with which, and everything before it, its episode needs authorization."""
    members = {item[2].id for item in stretch.members}
    for place_in_order, (_, _, supply) in enumerate(placed, start=1):
        if supply.id in members and _needs_with(placed[:place_in_order], policy, circumstances):
            return supply
    return None


def _needs_with(placed: Sequence[Placed], policy: Policy, circumstances: Circumstances) -> bool:
    """Return whether the episode of the last of the placed supplies needs authorization."""
    if _cannot_need(placed, policy, circumstances):
        return False
    last = placed[-1][2]
    use = Use(placed, policy, circumstances)
    holding = next(stretch for stretch in reversed(use.stretches) if any(item[2] is last for item in stretch.members))
    return bool(use.required(holding))


def _cannot_need(placed: Sequence[Placed], policy: Policy, circumstances: Circumstances) -> bool:
    """Return whether a glance rules a need out: too little supply, or all of it released. Spares most evaluations."""
    supplies = [supply.days for _, _, supply in placed]
    most = max(supplies, default=0) if policy.mode is Mode.PER_FILL_NAIVE else sum(supplies)
    if most <= policy.lowest_limit:
        return True
    first, stop = placed[0][0], max(item[1] for item in placed)
    return any(since <= first and stop <= until for since, until in circumstances.released)


def first_known_on(supplies: Sequence[Supply], as_of: int, policy: Policy, circumstances: Circumstances) -> int | None:
    """Return the first calendar day, no later than `as_of`, on which the evaluation as of that day needs authorization.

    `supplies` are all versions in the order learned. Only days on which what counts can change are looked at: a
    version is learned, its start is reached, a written order expires; between them, under the elapsed basis, the
    answer comes with the passing days.
    """
    if not supplies:
        return None
    ledger = Ledger(supplies, policy)
    days = _turning_days(supplies, as_of, policy)
    seen: list[Supply] | None = None
    for day, next_day in pairwise([*days, as_of + 1]):
        counted = ledger.counted_on(day)
        if counted == seen and policy.basis is Basis.PROJECTED:
            continue
        seen = counted
        known_on = _first_need(counted, day, next_day, policy, circumstances)
        if known_on is not None:
            return known_on
    return None


def _turning_days(supplies: Sequence[Supply], as_of: int, policy: Policy) -> list[int]:
    earliest = supplies[0].recorded
    days = {supply.recorded for supply in supplies} | {supply.start for supply in supplies}
    days |= {supply.start + policy.written_expiry_days + 1 for supply in supplies if not supply.is_fill}
    return sorted(day for day in days if earliest <= day <= as_of)


def _first_need(
    counted: Sequence[Supply], day: int, next_day: int, policy: Policy, circumstances: Circumstances
) -> int | None:
    """Return the first day in [day, next_day) as of which the same counted supplies need authorization."""
    if policy.basis is Basis.PROJECTED:
        return day if _needs(place(counted, policy, day), policy, circumstances) is not None else None
    placed = place(counted, policy, next_day - 1)
    turns = [day, *sorted({first for first, _, _ in placed if first > day}), next_day]
    for since, until in pairwise(turns):
        needed = _needs(place(counted, policy, until - 1), policy, circumstances)
        if needed is not None:
            return max(since, needed)
    return None


def _needs(placed: Sequence[Placed], policy: Policy, circumstances: Circumstances) -> int | None:
    """Return the first day on which any episode needs authorization."""
    if _cannot_need(placed, policy, circumstances):
        return None
    use = Use(placed, policy, circumstances)
    firsts = [spans[0][0] for stretch in use.stretches if (spans := use.required(stretch))]
    return min(firsts, default=None)
