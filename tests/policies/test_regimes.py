"""The regimes that ship: every file is right, says where it was read, and the schema refuses what makes no sense."""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from authz.errors import InvalidInput
from authz.policies import regimes
from authz.policies.calendars import calendars
from authz.policies.history import Kind, What
from authz.policies.regime import IfMissed, Regime, Span, Unit
from authz.policies.regime_schema import read_regime
from authz.policies.regimes import UnknownRegime

FOLDER = Path(regimes.__file__).parent
SHIPPED = list(regimes.every_version())
every_version = pytest.mark.parametrize("regime", SHIPPED, ids=lambda regime: regime.key)


def test_every_file_is_read() -> None:
    assert sorted(regime.key for regime in SHIPPED) == sorted(path.stem for path in FOLDER.glob("*.toml"))


def test_all_eight_regimes_say_what_the_law_says() -> None:
    newest = {code: versions[-1] for code, versions in regimes.regimes().items()}
    said = {
        code: (
            str(regime.standard.decide_within),
            str(regime.expedited.decide_within),
            regime.starts.value,
            regime.standard.missing_information.value,
            regime.if_missed.value,
            appeal_of(regime),
        )
        for code, regime in newest.items()
    }

    assert said == {
        "part_d": ("72 hours", "24 hours", "receipt", "keeps_running", "deemed_adverse", "60+5; 7 / 72 hours"),
        "part_d_exception": (
            "72 hours", "24 hours", "supporting_statement", "waits", "deemed_adverse", "60+5; 7 / 72 hours",
        ),
        "medicaid": ("24 hours", "24 hours", "receipt", "keeps_running", "by_state", "60; 30 / 72 hours"),
        "erisa": ("15 calendar days", "72 hours", "receipt", "stops", "deemed_exhausted", "180; 30 / 72 hours"),
        "california": ("72 hours", "24 hours", "completed_request", "restarts", "deemed_approved", ""),
        "oklahoma": ("4 business days", "24 hours", "all_necessary_information", "waits", "deemed_approved", ""),
        "medicare_advantage": (
            "7 calendar days", "72 hours", "receipt", "may_extend", "adverse_appealable", "60+5; 30 / 72 hours",
        ),
        "generic": ("72 hours", "24 hours", "receipt", "keeps_running", "breach_only", "60; 30 / 72 hours"),
    }  # fmt: skip


def appeal_of(regime: Regime) -> str:
    appeal = regime.appeal
    if appeal is None:
        return ""
    presumed = f"+{appeal.presumed_receipt.amount}" if appeal.presumed_receipt else ""
    standard, expedited = appeal.standard.decide_within, appeal.expedited.decide_within
    return f"{appeal.file_within.amount}{presumed}; {standard.amount} / {expedited}"


def test_what_few_regimes_say() -> None:
    exception, medicaid = regimes.in_force("part_d_exception", date(2026, 1, 1)), regimes.versions("medicaid")[0]
    erisa, not_for_drugs = regimes.versions("erisa")[0], [r.code for r in SHIPPED if not r.covers_drugs]

    assert str(exception.latest_start) == "14 calendar days"
    assert [r.code for r in SHIPPED if r.forward_within == Span(24, Unit.HOURS)] == ["part_d", "part_d_exception"]
    assert str(medicaid.emergency_supply) == "72 hours"
    assert (str(erisa.standard.reply_within), str(erisa.standard.extend_by)) == ("45 calendar days", "15 calendar days")
    assert set(not_for_drugs) == {"medicare_advantage"}


@every_version
def test_only_the_products_own_regime_is_confirmed_in_full(regime: Regime) -> None:
    assert regime.confirmed == (regime.code == "generic")
    assert regime.confirmed == (regime.unconfirmed == [])


@every_version
def test_a_source_is_named_for_every_figure_and_used(regime: Regime) -> None:
    assert {mark.source for mark in regime.marks.values()} == set(regime.sources)
    unread = {key for key, source in regime.sources.items() if source.basis.startswith("not read")}
    assert [name for name, mark in regime.marks.items() if mark.confirmed and mark.source in unread] == []


@pytest.mark.parametrize("code", sorted(regimes.regimes()))
def test_the_newest_version_has_an_example_of_each_speed(code: str) -> None:
    timed = [example for example in regimes.versions(code)[-1].examples if Kind.DECIDE_BY in example.due]
    speeds = {any(event.what is What.EXPEDITED_ASKED for event in example.history) for example in timed}

    assert speeds == {True, False}


def test_figures_are_told_with_their_rule_and_what_they_rest_on() -> None:
    figures = {figure.name: figure for figure in regimes.versions("part_d")[0].figures()}

    assert figures["standard.decide_within"].value == "72 hours"
    assert figures["standard.decide_within"].source.cites == "42 CFR 423.568(b)"
    assert (figures["rules.peer_to_peer_required"].value, figures["rules.peer_to_peer_required"].confirmed) == (
        "no",
        False,
    )
    assert figures["appeal.presumed_receipt"].value == "5 calendar days"


# -- which version holds


def test_seven_days_hold_from_2026_on() -> None:
    before, after = (regimes.in_force("medicare_advantage", day) for day in (date(2025, 12, 31), date(2026, 1, 1)))

    assert (str(before.standard.decide_within), str(after.standard.decide_within)) == (
        "14 calendar days",
        "7 calendar days",
    )


@pytest.mark.parametrize("day", [date.min, date(2024, 12, 31)])
def test_before_a_regime_is_in_force_the_generic_one_holds(day: date) -> None:
    assert regimes.in_force("part_d", day).code == "generic"


def test_what_is_not_there_is_refused_in_words() -> None:
    with pytest.raises(UnknownRegime, match="There is no regime 'martian'; there are california, erisa"):
        regimes.in_force("martian", date(2025, 1, 1))
    with pytest.raises(UnknownRegime, match="There is no version '7' of the regime 'generic'"):
        regimes.version("generic", "7")
    assert regimes.version("generic", "1").if_missed is IfMissed.BREACH_ONLY


# -- the schema

BUSINESS = "business"
EXTEND_BY, WITHIN = 'extend_by = { value = "15 calendar days"', 'decide_within = { value = "15 calendar days"'
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.toml")}


@pytest.mark.parametrize(
    ("key", "right", "wrong", "path", "told"),
    [
        ("generic-1", '"72 hours", source', '"3 days", source', "standard.decide_within.value", "A length such as"),
        ("generic-1", '"72 hours", source', '"1 hours", source', "standard.decide_within.value", "A length such as"),
        ("generic-1", '"receipt"', '"reception"', "rules.starts.value", "Use one of: receipt, supporting_statement"),
        ("generic-1", '"breach_only"', '"deemed_adverse"', "rules.forward_within", "It goes with deemed_adverse"),
        ("generic-1", '"keeps_running"', '"waits"', "standard.missing_information", "A start at receipt goes with"),
        ("generic-1", '"keeps_running"', '"stops"', "standard.reply_within", "A clock that stops needs an end"),
        ("generic-1", '"keeps_running"', '"may_extend"', "standard.extend_by", "Say by how much"),
        ("generic-1", 'source = "product"', 'source = "elsewhere"', "rules.starts.source", "It names none"),
        ("generic-1", '"us_federal-1"', '"moon-1"', "calendar", "Use one of: oklahoma-1"),
        ("generic-1", '"America/Chicago"', '"Moon/Base"', "examples[1].zone", "no such time zone"),
        ("generic-1", '[["received"', '[["recieved"', "examples[0].history[0][0]", "Use one of: received"),
        ("generic-1", "T10:00:00-05:00]]", "T10:00:00]]", "examples[0].history[0][1]", "with its offset from UTC"),
        ("generic-1", "notify_by =", "notfy_by =", "examples[0].due.notfy_by", "Use one of: decide_by"),
        ("generic-1", "[appeal.expedited]", "[appeal.speedy]", "appeal.expedited", "It is missing."),
        ("generic-1", "covers_drugs = true", "covers_drugs = 1", "covers_drugs", "True or false"),
        ("part_d_exception-2025", "supporting_statement", "receipt", "rules.latest_start", "It goes with a start at"),
        ("erisa-2003", '"restarts"', '"keeps_running"', "expedited.then_within", "It goes with restarts."),
        ("erisa-2003", EXTEND_BY, EXTEND_BY.replace("calendar", BUSINESS), "standard.extend_by", "Notice extends by"),
        (
            "erisa-2003",
            WITHIN,
            WITHIN.replace("calendar", BUSINESS),
            "standard.decide_within",
            "A clock that can stop",
        ),
        ("erisa-2003", ', basis = "not read" }', " }", "sources.h_3.basis", "It is missing."),
    ],
)
def test_a_document_that_makes_no_sense_is_refused_with_the_place(
    key: str, right: str, wrong: str, path: str, told: str
) -> None:
    assert right in TEXTS[key]

    with pytest.raises(InvalidInput) as refused:
        read_regime(tomllib.loads(TEXTS[key].replace(right, wrong, 1)), calendars())

    assert told in " ".join(refused.value.fields[path])
