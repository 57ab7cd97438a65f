"""Pain that rose while the dose did not fall is shown to the prescriber; anything less is not."""

import re
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import InvalidInput
from authz.rules.evaluate import evaluate
from authz.rules.pain_signal import (
    PERIOD_DAYS,
    Explanation,
    Instrument,
    NoPainSignal,
    NoSignal,
    PainScore,
    PainSignal,
    Period,
    pain_signal,
    sentences,
)
from authz.rules.policy import MmeOverlap, MmeTable
from authz.rules.records import Exemption
from authz.rules.verdict import Mme, MmeRun
from tests.rules.builders import BUPRENORPHINE_PATCH_10, case, day, fill

TODAY = date(2025, 7, 1)
LATER_FIRST = date(2025, 4, 3)  # 1 July is the 90th day from there
EARLIER_FIRST = date(2025, 1, 3)


def score(on: str, value: str | int, instrument: Instrument = Instrument.PAIN_NOW) -> PainScore:
    return PainScore(on=day(on), instrument=instrument, score=Fraction(value))


def dose(*runs: tuple[str, str, int], is_complete: bool = True) -> Mme:
    """MME a day from a day to a day, both included."""
    series = tuple(MmeRun(day(first), day(last), Fraction(amount), is_complete) for first, last, amount in runs)
    return Mme(table=MmeTable.CDC_2022, overlap=MmeOverlap.SUM, series=series)


def pains(before: str | int, now: str | int, instrument: Instrument = Instrument.PAIN_NOW) -> list[PainScore]:
    """The same score twice in each period."""
    earlier = [score(on, before, instrument) for on in ("2025-01-10", "2025-03-10")]
    return earlier + [score(on, now, instrument) for on in ("2025-04-10", "2025-06-10")]


STEADY = dose(("2024-12-01", "2025-08-01", 60))


def ask(scores: list[PainScore] | None = None, mme: Mme = STEADY, **rest: Any) -> PainSignal | NoPainSignal:
    return pain_signal(as_of=TODAY, scores=pains(4, 7) if scores is None else scores, mme=mme, **rest)


def reasons(*given: Any, **rest: Any) -> tuple[NoSignal, ...]:
    """The reasons why there is no signal; none when there is one."""
    found = ask(*given, **rest)
    return found.reasons if isinstance(found, NoPainSignal) else ()


# -- the table --------------------------------------------------------------------------------------------------------
SIGNAL: tuple[NoSignal, ...] = ()


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        # mean pain before, mean pain now, why there is no signal
        (4, 7, SIGNAL),
        (4, 6, SIGNAL),  # exactly 2 points, 50 %
        (4, "5.9", (NoSignal.PAIN_NOT_RISEN,)),
        (7, 9, (NoSignal.PAIN_NOT_RISEN,)),  # 2 points are 29 % of 7
        (7, "9.1", SIGNAL),  # 2.1 points are exactly 30 % of 7
        (7, "9.09", (NoSignal.PAIN_NOT_RISEN,)),
        (0, 4, SIGNAL),
        (1, "3.9", (NoSignal.PAIN_MILD,)),
        (2, 4, SIGNAL),
        (3, "3.5", (NoSignal.PAIN_NOT_RISEN, NoSignal.PAIN_MILD)),
        (7, 4, (NoSignal.PAIN_NOT_RISEN,)),
    ],
)
def test_how_much_pain_must_rise(before: Any, now: Any, expected: tuple[NoSignal, ...]) -> None:
    assert reasons(pains(before, now)) == expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        # mean MME a day before and now
        (60, 60, SIGNAL),
        (60, 90, SIGNAL),
        (60, 54, SIGNAL),  # exactly 10 % less
        (60, 53, (NoSignal.DOSE_FELL,)),
        (60, 0, (NoSignal.DOSE_FELL,)),
        (0, 60, (NoSignal.DOSE_UNKNOWN,)),  # nothing to compare with
    ],
)
def test_how_little_the_dose_may_fall(before: int, now: int, expected: tuple[NoSignal, ...]) -> None:
    assert reasons(mme=dose(("2024-12-01", "2025-04-02", before), ("2025-04-03", "2025-08-01", now))) == expected


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        # an opioid in hand from a day to a day; a period has 90 days, of which 81 are enough
        ([("2025-01-03", "2025-07-01", 60)], SIGNAL),
        ([("2025-01-12", "2025-07-01", 60)], SIGNAL),
        ([("2025-01-13", "2025-07-01", 60)], (NoSignal.COVERAGE_TOO_LOW,)),
        ([("2025-01-03", "2025-06-22", 60)], SIGNAL),
        ([("2025-01-03", "2025-06-21", 60)], (NoSignal.COVERAGE_TOO_LOW, NoSignal.DOSE_FELL)),
        ([("2025-01-03", "2025-02-28", 60), ("2025-03-11", "2025-07-01", 60)], (NoSignal.COVERAGE_TOO_LOW,)),
        ([], (NoSignal.COVERAGE_TOO_LOW, NoSignal.DOSE_UNKNOWN)),
    ],
)
def test_how_many_days_must_be_covered(runs: list[tuple[str, str, int]], expected: tuple[NoSignal, ...]) -> None:
    assert reasons(mme=dose(*runs)) == expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        # days with a score in each period
        (["01-03", "01-10"], ["04-03", "04-10"], SIGNAL),
        (["01-03", "04-02"], ["04-03", "07-01"], SIGNAL),
        (["01-10", "01-16"], ["04-10", "04-17"], (NoSignal.TOO_FEW_SCORES,)),  # six days apart
        (["01-10"], ["04-10", "06-10"], (NoSignal.TOO_FEW_SCORES,)),
        (["01-10", "03-10"], ["04-10"], (NoSignal.TOO_FEW_SCORES,)),
        (["01-02", "01-10"], ["04-10", "06-10"], (NoSignal.TOO_FEW_SCORES,)),  # the first is a day too old
        (["01-10", "03-10"], ["04-10", "07-02"], (NoSignal.TOO_FEW_SCORES,)),  # the last is yet to come
        ([], [], (NoSignal.TOO_FEW_SCORES,)),
    ],
)
def test_two_spaced_scores_are_needed_in_each_period(
    before: list[str], now: list[str], expected: tuple[NoSignal, ...]
) -> None:
    scores = [score(f"2025-{on}", 4) for on in before] + [score(f"2025-{on}", 7) for on in now]

    assert reasons(scores) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, (NoSignal.EXEMPT,)),
        (None, "2025-01-02", SIGNAL),
        (None, "2025-01-03", (NoSignal.EXEMPT,)),
        ("2025-07-01", None, (NoSignal.EXEMPT,)),
        ("2025-07-02", None, SIGNAL),
    ],
)
def test_an_exempt_patient_has_no_signal(start: str | None, end: str | None, expected: tuple[NoSignal, ...]) -> None:
    period = Exemption(category="cancer", start=day(start) if start else None, end=day(end) if end else None)

    assert reasons(exemptions=[period]) == expected


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("2025-01-02", SIGNAL),
        ("2025-01-03", (NoSignal.SURGERY,)),
        ("2025-05-05", (NoSignal.SURGERY,)),
        ("2025-07-01", (NoSignal.SURGERY,)),
        ("2025-07-02", SIGNAL),
    ],
)
def test_pain_around_surgery_gives_no_signal(on: str, expected: tuple[NoSignal, ...]) -> None:
    assert reasons(surgery_days=[day(on)]) == expected


# -- scores and doses -------------------------------------------------------------------------------------------------
def test_a_peg_is_the_exact_mean_of_its_answers() -> None:
    assert PainScore.of_peg(TODAY, pain=7, enjoyment=7, activity=6).score == Fraction(20, 3)


def test_a_peg_is_used_before_single_ratings_and_never_mixed_with_them() -> None:
    pegs, ratings = pains(5, 6, Instrument.PEG), pains(4, 9)

    assert reasons(pegs + ratings) == (NoSignal.PAIN_NOT_RISEN,)
    assert reasons(pegs[:3] + ratings) == SIGNAL
    assert reasons(pegs[:2] + ratings[2:]) == (NoSignal.TOO_FEW_SCORES,)


def test_pain_in_the_past_week_is_never_compared_with_pain_now() -> None:
    before, now = pains(4, 9, Instrument.PAIN_PAST_WEEK)[:2], pains(4, 9, Instrument.PAIN_NOW)[2:]

    assert reasons(before + now) == (NoSignal.TOO_FEW_SCORES,)


def test_a_dose_that_rose_does_not_stand_against_the_signal() -> None:
    found = ask(mme=dose(("2024-12-01", "2025-04-02", 60), ("2025-04-03", "2025-08-01", 120)))

    assert isinstance(found, PainSignal)
    assert "Mean dose: 60.00 MME a day, then 120.00 (factor table 2022)." in sentences(found)


def test_several_scores_of_one_day_count_as_one() -> None:
    scores = [*pains(4, 6), score("2025-06-10", 2)]

    assert reasons(scores) == (NoSignal.PAIN_NOT_RISEN,)  # 6, and between 6 and 2 it is 4


@pytest.mark.parametrize("on", ["2025-01-03", "2025-04-02", "2025-04-03", "2025-07-01"])
def test_an_incomplete_day_leaves_the_dose_unknown(on: str) -> None:
    one = MmeRun(day(on), day(on), Fraction(60), False)
    before, after = day(on) - timedelta(days=1), day(on) + timedelta(days=1)
    series = (STEADY.series[0]._replace(last=before), one, STEADY.series[0]._replace(first=after))

    assert reasons(mme=replace(STEADY, series=series)) == (NoSignal.DOSE_UNKNOWN,)


def test_an_incomplete_day_outside_the_periods_does_not_matter() -> None:
    before = MmeRun(day("2024-12-01"), day("2025-01-02"), Fraction(60), False)

    assert reasons(mme=replace(STEADY, series=(before, *dose(("2025-01-03", "2025-07-01", 60)).series))) == SIGNAL


def test_buprenorphine_has_no_dose_to_compare() -> None:
    patches = [fill(f"p{n}", f"2025-0{n}-01", 31, rxcui=BUPRENORPHINE_PATCH_10) for n in range(1, 8)]
    mme = evaluate(case(*patches, as_of="2025-07-01", count_pain_buprenorphine=True)).mme

    assert reasons(mme=mme) == (NoSignal.DOSE_UNKNOWN,)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"score": Fraction(11)}, {"score": ["An exact number from 0 to 10 is needed."]}),
        ({"score": Fraction(-1)}, {"score": ["An exact number from 0 to 10 is needed."]}),
        ({"score": 5}, {"score": ["An exact number from 0 to 10 is needed."]}),
        ({"score": 0.5}, {"score": ["An exact number from 0 to 10 is needed."]}),
        ({"instrument": "peg"}, {"instrument": ["Use one of: peg, pain_past_week, pain_now."]}),
        ({"on": "2025-01-01"}, {"on": ["A calendar date is needed."]}),
    ],
)
def test_a_score_that_makes_no_sense_is_refused(facts: dict[str, Any], says: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        PainScore(**{"on": TODAY, "instrument": Instrument.PEG, "score": Fraction(5), **facts})

    assert refusal.value.fields == says


@pytest.mark.parametrize("name", ["pain", "enjoyment", "activity"])
@pytest.mark.parametrize("answer", [11, -1, 2.5, True])
def test_an_answer_of_a_peg_is_a_whole_number_from_0_to_10(name: str, answer: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        PainScore.of_peg(TODAY, **{"pain": 5, "enjoyment": 5, "activity": 5, name: answer})

    assert refusal.value.fields == {name: ["A whole number from 0 to 10 is needed."]}


def test_a_peg_reaches_from_0_to_10() -> None:
    assert PainScore.of_peg(TODAY, pain=0, enjoyment=0, activity=0).score == 0
    assert PainScore.of_peg(TODAY, pain=10, enjoyment=10, activity=10).score == 10


# -- what is said -----------------------------------------------------------------------------------------------------
def the_signal() -> PainSignal:
    found = ask(pains(4, "6.5", Instrument.PEG))
    assert isinstance(found, PainSignal)
    return found


def test_the_signal_holds_what_was_seen_in_each_period() -> None:
    gap = dose(("2024-12-01", "2025-05-01", 60), ("2025-05-04", "2025-08-01", 90))

    found = ask([*pains(4, "6.5"), score("2025-05-05", 8)], gap)

    assert isinstance(found, PainSignal)
    assert (found.instrument, found.table) == (Instrument.PAIN_NOW, MmeTable.CDC_2022)
    assert found.earlier == Period(
        first=EARLIER_FIRST,
        last=date(2025, 4, 2),
        scored_days=2,
        pain=Fraction(4),
        covered_days=90,
        mme=Fraction(60),
    )
    assert found.later == Period(
        first=LATER_FIRST,
        last=TODAY,
        scored_days=3,
        pain=Fraction(7),
        covered_days=88,
        mme=Fraction(29 * 60 + 59 * 90, 90),
    )


def test_the_signal_says_what_was_seen() -> None:
    said = sentences(the_signal())

    assert said[0] == "PEG: 4.00 on 2 days from 2025-01-03 to 2025-04-02; 6.50 on 2 days from 2025-04-03 to 2025-07-01."
    assert said[1] == "Mean dose: 60.00 MME a day, then 60.00 (factor table 2022)."


def test_the_signal_lists_every_explanation_and_ranks_none() -> None:
    found = the_signal()

    assert found.explanations == tuple(sorted(Explanation))
    assert len(found.explanations) == 6
    assert "tolerance; withdrawal between doses" in sentences(found)[2]


def test_the_signal_says_that_it_is_no_diagnosis_and_for_the_prescriber_only() -> None:
    assert sentences(the_signal())[-1] == (
        "This is decision support, not a diagnosis. It is shown to the prescriber only and never sent to an insurer."
    )


def test_nothing_advises_on_doses() -> None:
    said = sentences(the_signal()) + sentences(NoPainSignal(reasons=tuple(NoSignal)))
    advice = r"\b(should|increase|reduce|lower|raise|taper|stop|switch|rotate|titrate|consider|recommend)\w*"

    assert [word for sentence in said for word in re.findall(advice, sentence, flags=re.IGNORECASE)] == []


def test_every_reason_against_it_has_its_words() -> None:
    said = sentences(NoPainSignal(reasons=tuple(NoSignal)))

    assert len(set(said)) == len(NoSignal)
    assert "Pain did not rise by 2 points and by 30 %." in said
    assert "Each period needs scores on 2 days, 7 days apart." in said


# -- laws -------------------------------------------------------------------------------------------------------------
numbers = st.integers(0, 40).map(lambda quarters: Fraction(quarters, 4))
days_back = st.integers(-5, 2 * PERIOD_DAYS + 5).map(lambda number: TODAY - timedelta(days=number))
some_scores = st.lists(
    st.builds(PainScore, on=days_back, instrument=st.sampled_from(Instrument), score=numbers), max_size=12
)
risen_scores = st.tuples(st.integers(0, 5), st.integers(4, 10)).map(lambda pair: pains(*pair))


@st.composite
def doses(draw: st.DrawFn) -> Mme:
    """Days in a row from half a year before, of a few doses; now and then a gap or an incomplete day."""
    series, first = [], EARLIER_FIRST
    for amount in draw(st.lists(st.sampled_from([50, 55, 60, 60, 60, 65, 90]), min_size=3, max_size=8)):
        last = first + timedelta(days=draw(st.integers(10, 80)))
        series.append(MmeRun(first, last, Fraction(amount), draw(st.sampled_from([True] * 19 + [False]))))
        first = last + timedelta(days=draw(st.sampled_from([1, 1, 1, 5])))
    return Mme(table=MmeTable.CDC_2022, overlap=MmeOverlap.SUM, series=tuple(series))


scores_of_any_kind = st.one_of(some_scores, risen_scores)


@given(scores_of_any_kind, doses(), st.randoms())
def test_neither_the_order_of_scores_nor_one_told_twice_matters(scores: list[PainScore], mme: Mme, random: Any) -> None:
    shuffled = scores * 2
    random.shuffle(shuffled)

    assert ask(shuffled, mme) == ask(scores, mme)


@given(scores_of_any_kind, doses(), st.integers(-400, 400))
def test_only_the_distance_between_days_matters(scores: list[PainScore], mme: Mme, by: int) -> None:
    shift = timedelta(days=by)
    moved = [replace(one, on=one.on + shift) for one in scores]
    series = tuple(run._replace(first=run.first + shift, last=run.last + shift) for run in mme.series)

    there = pain_signal(as_of=TODAY + shift, scores=moved, mme=replace(mme, series=series))

    here = ask(scores, mme)
    assert isinstance(there, PainSignal) == isinstance(here, PainSignal)
    assert isinstance(here, PainSignal) or there == here


@given(scores_of_any_kind, doses(), numbers)
def test_less_pain_now_never_makes_a_signal(scores: list[PainScore], mme: Mme, less: Fraction) -> None:
    eased = [replace(one, score=max(Fraction(0), one.score - less)) if one.on >= LATER_FIRST else one for one in scores]

    assert reasons(scores, mme) == SIGNAL or reasons(eased, mme) != SIGNAL


@given(scores_of_any_kind, doses(), st.lists(days_back, max_size=2))
def test_a_surgery_or_an_exemption_never_makes_a_signal(scores: list[PainScore], mme: Mme, surgery: list[date]) -> None:
    told = reasons(
        scores, mme, surgery_days=surgery, exemptions=[Exemption(category="ltc", start=one) for one in surgery]
    )

    assert set(reasons(scores, mme)) <= set(told)


@given(scores_of_any_kind, doses())
def test_a_signal_holds_to_every_condition_counted_day_by_day(scores: list[PainScore], mme: Mme) -> None:
    found = ask(scores, mme)

    assert isinstance(found, PainSignal) == any(_is_signal(scores, mme, instrument) for instrument in _usable(scores))


def _usable(scores: list[PainScore]) -> list[Instrument]:
    """The first instrument with two scores a week apart in each period, if any."""
    usable = []
    for instrument in (Instrument.PEG, Instrument.PAIN_PAST_WEEK, Instrument.PAIN_NOW):
        kinds = [_days_of(scores, instrument, period) for period in _periods()]
        if all(any(abs((a - b).days) >= 7 for a in kind for b in kind) for kind in kinds):
            usable.append(instrument)
    return usable[:1]


def _periods() -> list[list[date]]:
    return [[first + timedelta(days=n) for n in range(90)] for first in (EARLIER_FIRST, LATER_FIRST)]


def _days_of(scores: list[PainScore], instrument: Instrument, period: list[date]) -> set[date]:
    return {one.on for one in scores if one.instrument is instrument and one.on in period}


def _is_signal(scores: list[PainScore], mme: Mme, instrument: Instrument) -> bool:
    pain, daily, incomplete = [], [], False
    for period in _periods():
        by_day = [
            [one.score for one in scores if one.instrument is instrument and one.on == on]
            for on in _days_of(scores, instrument, period)
        ]
        pain.append(sum((min(values) + max(values)) / 2 for values in by_day) / len(by_day))
        runs = [run for on in period for run in mme.series if run.first <= on <= run.last]
        daily.append([run.amount for run in runs])
        incomplete = incomplete or not all(run.is_complete for run in runs)
    covered = all(10 * len(amounts) >= 9 * 90 for amounts in daily)
    before, now = (sum(amounts) for amounts in daily)
    risen = pain[1] - pain[0] >= 2 and 10 * (pain[1] - pain[0]) >= 3 * pain[0] and pain[1] >= 4
    return covered and not incomplete and risen and 10 * now >= 9 * before
