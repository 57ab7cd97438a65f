"""PURE: what an adverse letter says of what happens next: the ways on under a regime, or all regimes' common ones."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from authz.policies.regime import FileFrom, NextLevel, Regime
from authz.prior_auths.determination import ADVERSE, Outcome

_ONWARD: Mapping[NextLevel | None, str] = {
    NextLevel.INDEPENDENT_REVIEWER: "You may ask for an independent review.",
    NextLevel.FAIR_HEARING: "You may ask for a State fair hearing.",
    None: "Your plan's terms say whether anybody else looks at it next.",
}


def next_steps(outcome: Outcome, regime: Regime, *, insurer: str, is_on_appeal: bool = False) -> list[str]:
    """Return the sentences of a determination's letter on what happens next; none when everything was granted."""
    if outcome not in ADVERSE:
        return []
    is_forwarded = outcome is Outcome.DEEMED_ADVERSE and regime.forward_within is not None
    kind = "after_appeal" if is_on_appeal else "forwarded" if is_forwarded else "appeal"
    said = {
        "insurer": insurer,
        "to_appeal": _time_to_appeal(regime),
        "forward_within": regime.forward_within,
        "onward": _ONWARD[regime.appeal.next_level if regime.appeal else None],
    }
    return [text.format(**said) for text in _texts(regime.code)[kind]]


def _time_to_appeal(regime: Regime) -> str:
    if regime.appeal is None:
        return "in the time that your plan's terms give"
    since = "receiving this letter" if regime.appeal.file_from is FileFrom.RECEIPT else "the date of this letter"
    return f"within {regime.appeal.file_within} of {since}"


@cache
def _texts(regime: str) -> Mapping[str, tuple[str, ...]]:
    folder = resources.files("authz.prior_auths").joinpath("appeal_rights")
    common = _read(folder.joinpath("default.toml").read_text(encoding="utf-8"))
    own = folder.joinpath(f"{regime}.toml")
    return {**common, **_read(own.read_text(encoding="utf-8"))} if own.is_file() else common


def _read(text: str) -> dict[str, tuple[str, ...]]:
    read = tomllib.loads(text)
    return {name: tuple(read[name]) for name in ("appeal", "forwarded", "after_appeal") if name in read}
