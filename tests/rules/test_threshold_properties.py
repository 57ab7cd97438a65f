"""Laws of what the thresholds find, for any records and any policy."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from authz.rules.evaluate import evaluate
from authz.rules.policy import Basis, ExemptionCategory
from authz.rules.records import Case, Exemption
from authz.rules.thresholds import BenzodiazepineDays, Finding, FindingAction, Threshold, findings
from tests.rules.test_properties import cases, days
from tests.rules.threshold_builders import ALPRAZOLAM, LORAZEPAM, dose, duplicate, with_benzodiazepine

doses = st.sampled_from([1, 10, 29, 30, 31, 60, 90, 180, 400]).map(Decimal)
actions = st.sampled_from(FindingAction)
thresholds = st.one_of(
    st.builds(dose, doses, actions, spares_established=st.booleans()),
    st.builds(duplicate, actions),
    st.builds(with_benzodiazepine, actions),
)


@st.composite
def periods(draw: st.DrawFn) -> BenzodiazepineDays:
    first = draw(days)
    length = draw(st.integers(0, 20))
    ingredient = draw(st.sampled_from([ALPRAZOLAM, LORAZEPAM]))
    return BenzodiazepineDays(ingredient=ingredient, first=first, last=first + timedelta(days=length))


told = st.lists(periods(), max_size=3)


def look(given_case: Case, threshold: Threshold, benzodiazepines: Any = ()) -> tuple[Finding, ...]:
    return findings(given_case, evaluate(given_case), [threshold], benzodiazepine_days=benzodiazepines)


def days_of(seen: tuple[Finding, ...]) -> set[date]:
    return {
        finding.first_day + timedelta(days=n)
        for finding in seen
        for n in range((finding.last_day - finding.first_day).days + 1)
    }


@given(cases(), doses, doses)
def test_raising_a_threshold_never_adds_a_day(given_case: Case, one: Decimal, other: Decimal) -> None:
    lower, higher = sorted((one, other))

    assert days_of(look(given_case, dose(higher))) <= days_of(look(given_case, dose(lower)))


@given(cases(), doses)
def test_the_days_found_are_those_of_the_series_at_or_over_the_dose(given_case: Case, least: Decimal) -> None:
    over = {
        run.first + timedelta(days=n)
        for run in evaluate(given_case).mme.series
        if run.amount >= Fraction(least)
        for n in range((run.last - run.first).days + 1)
    }

    assert days_of(look(given_case, dose(least))) == over


@given(cases(), thresholds, told)
def test_the_order_of_records_changes_nothing(given_case: Case, threshold: Threshold, benzodiazepines: Any) -> None:
    turned = replace(given_case, records=given_case.records[::-1])

    assert look(turned, threshold, benzodiazepines[::-1]) == look(given_case, threshold, benzodiazepines)


@given(cases(), thresholds, told, st.sampled_from(ExemptionCategory), st.none() | days, st.none() | days)
def test_one_more_exemption_never_adds_a_requirement(
    given_case: Case, threshold: Threshold, benzodiazepines: Any, category: Any, start: Any, end: Any
) -> None:
    more = (*given_case.exemptions, Exemption(category=category, start=start, end=end))
    before = look(given_case, threshold, benzodiazepines)
    after = look(replace(given_case, exemptions=more), threshold, benzodiazepines)

    assert [finding.first_day for finding in after] == [finding.first_day for finding in before]
    for earlier, later in zip(before, after, strict=True):
        assert later.required_from is None or (
            earlier.required_from is not None and later.required_from >= earlier.required_from
        )


@given(cases(), thresholds, told)
def test_every_finding_hangs_together(given_case: Case, threshold: Threshold, benzodiazepines: Any) -> None:
    starts = {record.id: record.start for record in given_case.records}
    seen = look(given_case, threshold, benzodiazepines)

    for finding in seen:
        assert finding.first_day <= finding.last_day
        assert finding.amount >= threshold.least
        assert finding.reasons
        assert (finding.cause is None) == (finding.required_from is None)
        if finding.required_from is not None:
            assert finding.action is FindingAction.REQUIRE_AUTHORIZATION
            assert finding.first_day <= finding.required_from <= finding.last_day
            assert finding.cause in finding.records
            assert starts[finding.cause] <= finding.required_from
    assert [finding.first_day for finding in seen] == sorted(finding.first_day for finding in seen)


@given(cases(), thresholds, told, st.integers(-400, 400))
def test_moving_everything_by_whole_days_moves_the_findings(
    given_case: Case, threshold: Threshold, benzodiazepines: Any, by: int
) -> None:
    shift = timedelta(days=by)

    def move(whole: Any, *names: str) -> Any:
        given = {name: getattr(whole, name) for name in names}
        return replace(whole, **{name: value and value + shift for name, value in given.items()})

    moved = replace(
        move(given_case, "as_of", "history_start"),
        records=tuple(move(record, "start", "recorded_on") for record in given_case.records),
        exemptions=tuple(move(period, "start", "end") for period in given_case.exemptions),
        authorizations=tuple(move(period, "start", "end") for period in given_case.authorizations),
    )
    later = look(moved, threshold, [move(period, "first", "last") for period in benzodiazepines])

    assert [(f.first_day - shift, f.last_day - shift, f.amount, f.records, f.cause) for f in later] == [
        (f.first_day, f.last_day, f.amount, f.records, f.cause) for f in look(given_case, threshold, benzodiazepines)
    ]


@given(cases(), thresholds, told)
@settings(max_examples=50)
def test_the_basis_makes_no_difference(given_case: Case, threshold: Threshold, benzodiazepines: Any) -> None:
    without_release = replace(threshold, spares_established=False)
    seen = [
        look(replace(given_case, policy=replace(given_case.policy, basis=basis)), without_release, benzodiazepines)
        for basis in Basis
    ]

    assert seen[0] == seen[1]
