"""Pain that rose while the dose of opioids did not fall: a hint for the prescriber, and for nobody else.

Decision support, not a diagnosis. It says what was seen and what could explain it, without ranking and without any
advice on doses; it is no part of a request and never goes to an insurer. Whether a clinic wants it is the caller's
question.

Two periods of one length that follow each other are compared, the later one ending today. A score is one 0–10 pain
rating, or one PEG: the mean of pain, enjoyment of life and general activity in the past week, each 0–10 (Krebs et al.,
J Gen Intern Med 2009;24:733–738). What was asked for in different ways is never mixed.

The literature measures *improvement*, and knows no figures for a signal like this one. The thresholds below take the
size of change it calls important and ask for it in the other direction; that, and wherever it says so, is our choice.
A dose that rose does not stand against the signal: with more pain on more opioid, too, the dose did not fall.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple, Self

from authz.errors import InvalidInput
from authz.rules.amounts import two_decimals
from authz.rules.policy import MmeTable
from authz.rules.records import Exemption
from authz.rules.spans import Span, clipped, length
from authz.rules.use_days import period_span
from authz.rules.verdict import Mme, MmeRun

PERIOD_DAYS: Final = 90
"""CDC 2022 (recommendation 7) suggests for most patients on long-term opioids to look again every 3 months or more
often, so a period holds a visit or two. That there are two such periods is our choice."""
LEAST_SCORES: Final = 2
"""Our choice: one score is a moment; two make a mean that a single bad day does not carry alone."""
LEAST_SPACING_DAYS: Final = 7
"""Our choice, since a PEG asks about the past week: scores that lie closer together tell of the same days."""
LEAST_RISE: Final = Fraction(2)
"""Points on 0–10. A fall of about two points, or of about 30 %, is what patients call important (Farrar et al., Pain
2001;94:149–158, on pain ratings). To ask for both at once, of a rise, and of a PEG too, is our choice."""
LEAST_RELATIVE_RISE: Final = Fraction(30, 100)
"""Of the earlier mean. CDC (2016, 2022, and its checklist for PEG) calls 30 % of improvement clinically meaningful."""
LEAST_PAIN_NOW: Final = Fraction(4)
"""Our choice. Below 4 is commonly called mild; where studies looked, the bound lay between 3 and 5 for most kinds of
pain (table 3 of Boonstra et al., Front Psychol 2016;7:1466)."""
DOSE_TOLERANCE: Final = Fraction(10, 100)
"""Our choice: a mean dose up to so much lower has not fallen, as refills do not come to the day."""
LEAST_COVERAGE: Final = Fraction(90, 100)
"""Our choice, of a period's days with an opioid in hand; with fewer, pain may have risen for want of it."""


class Instrument(StrEnum):
    """How pain was asked for. The first one with enough scores is used: PEG asks for more than the number."""

    PEG = "peg"
    PAIN_PAST_WEEK = "pain_past_week"
    PAIN_NOW = "pain_now"


class Explanation(StrEnum):
    """What could explain the signal, by the alphabet, which ranks nothing."""

    DISEASE_PROGRESSION = "disease_progression"
    MISSED_DOSES = "missed_doses"
    NEW_PROBLEM = "new_problem"
    OPIOID_INDUCED_HYPERALGESIA = "opioid_induced_hyperalgesia"
    TOLERANCE = "tolerance"
    WITHDRAWAL_BETWEEN_DOSES = "withdrawal_between_doses"


class NoSignal(StrEnum):
    """Why there is no signal."""

    EXEMPT = "exempt"
    SURGERY = "surgery"
    TOO_FEW_SCORES = "too_few_scores"
    COVERAGE_TOO_LOW = "coverage_too_low"
    DOSE_UNKNOWN = "dose_unknown"
    PAIN_NOT_RISEN = "pain_not_risen"
    PAIN_MILD = "pain_mild"
    DOSE_FELL = "dose_fell"


@dataclass(frozen=True, slots=True, kw_only=True)
class PainScore:
    """One score from 0 (none) to 10 (as bad as can be), exactly: a PEG of 20/3 is 20/3.

    :raises InvalidInput: naming the field.
    """

    on: date
    instrument: Instrument
    score: Fraction

    def __post_init__(self) -> None:
        wrong: dict[str, list[str]] = {}
        if type(self.on) is not date:
            wrong["on"] = ["A calendar date is needed."]
        if not isinstance(self.instrument, Instrument):
            wrong["instrument"] = [f"Use one of: {', '.join(Instrument)}."]
        if type(self.score) is not Fraction or not 0 <= self.score <= 10:
            wrong["score"] = ["An exact number from 0 to 10 is needed."]
        if wrong:
            raise InvalidInput(wrong)

    @classmethod
    def of_peg(cls, on: date, *, pain: int, enjoyment: int, activity: int) -> Self:
        """Return the PEG of its three answers, each a whole number from 0 to 10.

        :raises InvalidInput: naming the answer.
        """
        answers = {"pain": pain, "enjoyment": enjoyment, "activity": activity}
        wrong = {name: value for name, value in answers.items() if type(value) is not int or not 0 <= value <= 10}
        if wrong:
            raise InvalidInput({name: ["A whole number from 0 to 10 is needed."] for name in wrong})
        return cls(on=on, instrument=Instrument.PEG, score=Fraction(sum(answers.values()), 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What was seen from `first` to `last`, both included: mean pain over `scored_days`, and mean MME a day."""

    first: date
    last: date
    scored_days: int
    pain: Fraction
    covered_days: int
    mme: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class PainSignal:
    """Pain rose from `earlier` to `later` while the dose did not fall. `table` is that of the MME factors."""

    instrument: Instrument
    table: MmeTable
    earlier: Period
    later: Period
    explanations: tuple[Explanation, ...] = tuple(Explanation)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPainSignal:
    """Every reason against a signal that could be told, in the order of `NoSignal`; at least one."""

    reasons: tuple[NoSignal, ...]


def pain_signal(
    *,
    as_of: date,
    scores: Iterable[PainScore],
    mme: Mme,
    exemptions: Iterable[Exemption] = (),
    surgery_days: Iterable[date] = (),
) -> PainSignal | NoPainSignal:
    """Return the signal as of a day, or why there is none. What lies after that day is not looked at.

    Exemptions of any category and surgery count when they touch either period: pain then has another course. Of
    several scores of one day the middle between the lowest and the highest is that day's.
    """
    later, earlier = _days_ending(as_of), _days_ending(as_of - timedelta(days=PERIOD_DAYS))
    before, now = _Dose(mme, earlier), _Dose(mme, later)
    pain = _pain_in(list(scores), earlier, later)
    against = {
        NoSignal.EXEMPT: any(clipped([period_span(one)], earlier[0], later[1]) for one in exemptions),
        NoSignal.SURGERY: any(earlier[0] <= day.toordinal() < later[1] for day in surgery_days),
        NoSignal.TOO_FEW_SCORES: pain is None,
        NoSignal.COVERAGE_TOO_LOW: min(before.covered_days, now.covered_days) < LEAST_COVERAGE * PERIOD_DAYS,
        NoSignal.DOSE_UNKNOWN: not (before.is_complete and now.is_complete and before.mean),
        NoSignal.PAIN_NOT_RISEN: pain is not None and not pain.is_risen,
        NoSignal.PAIN_MILD: pain is not None and _mean(pain.now) < LEAST_PAIN_NOW,
        NoSignal.DOSE_FELL: now.mean < (1 - DOSE_TOLERANCE) * before.mean,
    }
    reasons = tuple(reason for reason in NoSignal if against[reason])
    if reasons or pain is None:
        return NoPainSignal(reasons=reasons)
    return PainSignal(
        instrument=pain.instrument,
        table=mme.table,
        earlier=_period(earlier, pain.before, before),
        later=_period(later, pain.now, now),
    )


def _days_ending(last: date) -> Span:
    stop = last.toordinal() + 1
    return stop - PERIOD_DAYS, stop


class _Pain(NamedTuple):
    """One instrument's scores in both periods, by day."""

    instrument: Instrument
    before: Mapping[int, Fraction]
    now: Mapping[int, Fraction]

    @property
    def is_risen(self) -> bool:
        before = _mean(self.before)
        return _mean(self.now) - before >= max(LEAST_RISE, LEAST_RELATIVE_RISE * before)


def _pain_in(scores: Sequence[PainScore], earlier: Span, later: Span) -> _Pain | None:
    for instrument in Instrument:
        own = [score for score in scores if score.instrument is instrument]
        before, now = _by_day(own, earlier), _by_day(own, later)
        if _is_enough(before) and _is_enough(now):
            return _Pain(instrument, before, now)
    return None


def _by_day(scores: Iterable[PainScore], days: Span) -> dict[int, Fraction]:
    found: dict[int, list[Fraction]] = {}
    for score in scores:
        if days[0] <= score.on.toordinal() < days[1]:
            found.setdefault(score.on.toordinal(), []).append(score.score)
    return {day: (min(values) + max(values)) / 2 for day, values in found.items()}


def _is_enough(by_day: Mapping[int, Fraction]) -> bool:
    return len(by_day) >= LEAST_SCORES and max(by_day) - min(by_day) >= LEAST_SPACING_DAYS


def _mean(by_day: Mapping[int, Fraction]) -> Fraction:
    return Fraction(sum(by_day.values()), len(by_day))


class _Dose:
    """The opioids of a period; a day without any counts as no dose."""

    def __init__(self, mme: Mme, days: Span) -> None:
        runs = [(run, length(clipped([_span(run)], *days))) for run in mme.series]
        self.covered_days = sum(held for _, held in runs)
        self.is_complete = all(run.is_complete for run, held in runs if held)
        self.mean = Fraction(sum(run.amount * held for run, held in runs), PERIOD_DAYS)


def _span(run: MmeRun) -> Span:
    return run.first.toordinal(), run.last.toordinal() + 1


def _period(days: Span, pain: Mapping[int, Fraction], dose: _Dose) -> Period:
    return Period(
        first=date.fromordinal(days[0]),
        last=date.fromordinal(days[1] - 1),
        scored_days=len(pain),
        pain=_mean(pain),
        covered_days=dose.covered_days,
        mme=dose.mean,
    )


_ASKED_BY = {
    Instrument.PEG: "PEG",
    Instrument.PAIN_PAST_WEEK: "Average pain in the past week (0 to 10)",
    Instrument.PAIN_NOW: "Pain when asked (0 to 10)",
}
_COULD_BE = {
    Explanation.DISEASE_PROGRESSION: "progression of the disease",
    Explanation.MISSED_DOSES: "missed doses",
    Explanation.NEW_PROBLEM: "a new problem",
    Explanation.OPIOID_INDUCED_HYPERALGESIA: "opioid-induced hyperalgesia",
    Explanation.TOLERANCE: "tolerance",
    Explanation.WITHDRAWAL_BETWEEN_DOSES: "withdrawal between doses",
}
_BECAUSE = {
    NoSignal.EXEMPT: "An exemption applies in one of the periods.",
    NoSignal.SURGERY: "There was surgery in one of the periods.",
    NoSignal.TOO_FEW_SCORES: f"Each period needs scores on {LEAST_SCORES} days, {LEAST_SPACING_DAYS} days apart.",
    NoSignal.COVERAGE_TOO_LOW: f"An opioid was in hand on less than {100 * LEAST_COVERAGE} % of a period's days.",
    NoSignal.DOSE_UNKNOWN: "The daily MME of one of the periods is not wholly known.",
    NoSignal.PAIN_NOT_RISEN: f"Pain did not rise by {LEAST_RISE} points and by {100 * LEAST_RELATIVE_RISE} %.",
    NoSignal.PAIN_MILD: f"Mean pain is below {LEAST_PAIN_NOW} now.",
    NoSignal.DOSE_FELL: f"The mean dose fell by more than {100 * DOSE_TOLERANCE} %.",
}


def sentences(answer: PainSignal | NoPainSignal) -> list[str]:
    """Return the answer in words, for the prescriber alone."""
    if isinstance(answer, NoPainSignal):
        return [_BECAUSE[reason] for reason in answer.reasons]
    before, now = answer.earlier, answer.later
    could_be = "; ".join(_COULD_BE[explanation] for explanation in answer.explanations)
    return [
        f"{_ASKED_BY[answer.instrument]}: {_scored(before)}; {_scored(now)}.",
        f"Mean dose: {two_decimals(before.mme)} MME a day, then {two_decimals(now.mme)} "
        f"(factor table {answer.table.value}).",
        f"Pain rose and the dose did not fall. Several explanations are possible (by the alphabet): {could_be}.",
        "This is decision support, not a diagnosis. It is shown to the prescriber only and never sent to an insurer.",
    ]


def _scored(period: Period) -> str:
    return f"{two_decimals(period.pain)} on {period.scored_days} days from {period.first} to {period.last}"
