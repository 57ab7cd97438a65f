"""PURE: what an adverse letter says of what happens next: the ways on under a regime, or all regimes' common ones."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from authz.access.contact import Contact
from authz.policies.regime import AppealRules, FileFrom, NextLevel, Regime
from authz.prior_auths.determination import ADVERSE, Outcome

_ONWARD: Final[Mapping[NextLevel | None, str]] = {
    NextLevel.INDEPENDENT_REVIEWER: "you may ask for an independent review",
    NextLevel.FAIR_HEARING: "you may ask for a State fair hearing",
    None: "your plan's terms say whether anybody else looks at it next",
}
_KINDS: Final = ("appeal", "forwarded", "after_appeal", "after_independent_review")
_NO_LAW: Final = "product"
"""The source of what no law says, but the product chose: a letter cites nothing for it."""


def next_steps(
    outcome: Outcome,
    regime: Regime,
    *,
    insurer: str,
    contact: Contact | None = None,
    clinic: str,
    number: str,
    is_on_appeal: bool = False,
    is_independent: bool = False,
) -> list[str]:
    """Return the sentences of a determination's letter on what happens next; none when everything was granted.

    `clinic` is who asked, `number` that of the request. The `contact` itself stands below them, where there is one.
    """
    if outcome not in ADVERSE:
        return []
    is_forwarded = outcome is Outcome.DEEMED_ADVERSE and regime.forward_within is not None
    after = "after_independent_review" if is_independent else "after_appeal" if is_on_appeal else ""
    kind = after or ("forwarded" if is_forwarded else "appeal")
    said = {
        "insurer": insurer,
        "clinic": clinic,
        "number": number,
        "where": _where(contact),
        "hurry": _hurry(contact),
        "to_appeal": _time_to_appeal(regime),
        "to_decide": _time_to_decide(regime, insurer),
        "forward_within": regime.forward_within,
        "forward_rule": _rules(regime, "rules.forward_within"),
        "onward": _ONWARD[regime.appeal.next_level if regime.appeal else None] + _rules(regime, "appeal.next_level"),
    }
    return [text.format(**said) for text in _texts(regime.code)[kind]]


def _where(contact: Contact | None) -> str:
    if contact is None:
        return ""
    return f" at the postal address{' or fax number' if contact.fax else ''} below"


def _hurry(contact: Contact | None) -> str:
    if contact is None:
        return ""
    return f" Ask for that by phone{' or fax' if contact.fax else ''}: the post takes longer."


def _time_to_appeal(regime: Regime) -> str:
    if regime.appeal is None:
        return "in the time that your plan's terms give"
    since = "receiving this letter" if regime.appeal.file_from is FileFrom.RECEIPT else "the date of this letter"
    return f"within {regime.appeal.file_within} of {since}{_rules(regime, 'appeal.file_within')}"


def _time_to_decide(regime: Regime, insurer: str) -> str:
    appeal = regime.appeal
    if appeal is None:
        return "Your plan's terms say how soon an appeal is decided."
    standard, expedited = appeal.standard.decide_within, appeal.expedited.decide_within
    rules = _rules(regime, "appeal.standard.decide_within", "appeal.expedited.decide_within")
    told = f"{insurer} decides an appeal within {standard} of receiving it, an expedited one within {expedited}{rules}."
    return f"{told}{_longer(regime, appeal)}"


def _longer(regime: Regime, appeal: AppealRules) -> str:
    spans = dict.fromkeys(str(one.extend_by) for one in (appeal.standard, appeal.expedited) if one.extend_by)
    rules = _rules(regime, "appeal.standard.extend_by", "appeal.expedited.extend_by")
    return f" With notice it may take up to {' or '.join(spans)} more{rules}." if spans else ""


def _rules(regime: Regime, *figures: str) -> str:
    """Return what the figures rest on, in brackets; nothing for those that no law says."""
    sources = [regime.marks[name].source for name in figures if name in regime.marks]
    cited = dict.fromkeys(regime.sources[source].cites for source in sources if source != _NO_LAW)
    return f" ({'; '.join(cited)})" if cited else ""


@cache
def _texts(regime: str) -> Mapping[str, tuple[str, ...]]:
    folder = resources.files("authz.prior_auths").joinpath("appeal_rights")
    common = _read(folder.joinpath("default.toml").read_text(encoding="utf-8"))
    own = folder.joinpath(f"{regime}.toml")
    return {**common, **_read(own.read_text(encoding="utf-8"))} if own.is_file() else common


def _read(text: str) -> dict[str, tuple[str, ...]]:
    read = tomllib.loads(text)
    return {name: tuple(read[name]) for name in _KINDS if name in read}
