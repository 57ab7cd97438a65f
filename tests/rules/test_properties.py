"""Laws of the rule that hold for any records and any policy."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from authz.rules.evaluate import evaluate
from authz.rules.explain import sentences
from authz.rules.policy import Basis, ExemptionCategory, GapAnchor, MmeOverlap, MmeTable, Mode, Overlap, Policy
from authz.rules.records import AuthorizedPeriod, Case, Exemption, Record, RecordKind, RecordStatus
from authz.rules.verdict import Verdict, smallest_json, verdict_to_json
from tests.rules.builders import BUPRENORPHINE_PATCH_10, FENTANYL_PATCH_75, METHADONE_10, OXYCODONE_5, TRAMADOL_50

JANUARY = date(2025, 1, 1)
LONG_AFTER = date(2026, 1, 1)

days = st.integers(0, 50).map(lambda number: JANUARY + timedelta(days=number))
products = st.sampled_from([OXYCODONE_5] * 4 + [TRAMADOL_50, METHADONE_10, FENTANYL_PATCH_75, BUPRENORPHINE_PATCH_10])
quantities = st.none() | st.integers(1, 60).map(Decimal)


kinds_of_record = st.sampled_from(RecordKind)


@st.composite
def records(draw: st.DrawFn, *, kinds: Any = kinds_of_record) -> tuple[Record, ...]:
    """Up to six different records, each of one version."""
    return tuple(
        Record(
            id=f"r{number}",
            version=1,
            recorded_on=draw(days),
            kind=draw(kinds),
            status=RecordStatus.ACTIVE,
            rx_id=draw(st.sampled_from([None, "p", "q", f"x{number}"])),
            fill_number=draw(st.sampled_from([0, 1])),
            start=draw(days),
            rxcui=draw(products),
            quantity=draw(quantities),
            days_supply=draw(st.integers(1, 15)),
            daily_units=None,
        )
        for number in range(draw(st.integers(1, 6)))
    )


policies = st.builds(
    Policy,
    mode=st.sampled_from(Mode),
    limit_days=st.sampled_from([3, 5, 7, 10]),
    gap_days=st.sampled_from([1, 5, 20, 60]),
    gap_anchor=st.sampled_from(GapAnchor),
    window_days=st.sampled_from([None, 5, 20]),
    horizon_days=st.sampled_from([None, 10, 30]),
    overlap=st.sampled_from(Overlap),
    basis=st.sampled_from(Basis),
    count_pain_buprenorphine=st.booleans(),
    count_written=st.booleans(),
    written_expiry_days=st.sampled_from([5, 30]),
    established_days=st.sampled_from([None, 5, 10]),
    established_window=st.sampled_from([20, 120]),
    mme_table=st.sampled_from(MmeTable),
    mme_overlap=st.sampled_from(MmeOverlap),
)


@st.composite
def cases(draw: st.DrawFn, *, as_of: Any = days, policy: Any = policies, given_records: Any = None) -> Case:
    period = {"start": draw(days), "end": draw(st.none() | days)}
    return Case(
        id="any",
        as_of=draw(as_of),
        policy=draw(policy),
        records=draw(records() if given_records is None else given_records),
        exemptions=draw(st.sampled_from([(), (Exemption(category=ExemptionCategory.CANCER, **period),)])),
        authorizations=draw(st.sampled_from([(), (AuthorizedPeriod(**period),)])),
    )


def needed_days(verdict: Verdict) -> int:
    return sum(episode.pa_required_days for episode in verdict.episodes)


@given(cases(), st.randoms())
def test_the_order_of_the_records_changes_nothing(case: Case, random: Any) -> None:
    shuffled = list(case.records)
    random.shuffle(shuffled)

    assert evaluate(replace(case, records=tuple(shuffled))) == evaluate(case)


@given(cases())
def test_a_version_received_twice_changes_nothing(case: Case) -> None:
    assert evaluate(replace(case, records=case.records * 2)) == evaluate(case)


@given(cases())
def test_a_second_feed_of_the_same_dispensings_changes_nothing(case: Case) -> None:
    twins = tuple(
        replace(record, id=f"z-{record.id}")
        for record in case.records
        if record.kind is RecordKind.FILL and record.rx_id is not None
    )

    once, twice = evaluate(case), evaluate(replace(case, records=case.records + twins))

    assert replace(twice, ignored=(), attention=()) == replace(once, ignored=(), attention=())


@given(cases(as_of=st.just(LONG_AFTER), given_records=records(kinds=st.just(RecordKind.FILL))), st.integers(1, 14))
def test_splitting_a_fill_into_adjacent_parts_changes_no_day_under_union(case: Case, first_days: int) -> None:
    plain = {
        "overlap": Overlap.UNION,
        "gap_anchor": GapAnchor.SUPPLY_END,
        "mode": Mode.CUMULATIVE,
        "mme_overlap": MmeOverlap.SUM,
    }
    case = replace(
        case, policy=replace(case.policy, **plain), records=tuple(replace(r, rx_id=None) for r in case.records)
    )
    whole, others = _two_a_day(case.records[0]), case.records[1:]

    parts = evaluate(replace(case, records=(*_halves(whole, first_days), *others)))

    undivided = evaluate(replace(case, records=(whole, *others)))
    assert [_days_of(episode) for episode in parts.episodes] == [_days_of(episode) for episode in undivided.episodes]
    assert parts.mme.series == undivided.mme.series


def _halves(whole: Record, first_days: int) -> tuple[Record, ...]:
    total = whole.days_supply or 0
    if first_days >= total:
        return (whole,)
    later = whole.start + timedelta(days=first_days)
    first = replace(whole, days_supply=first_days)
    second = replace(whole, id=f"{whole.id}+", start=later, days_supply=total - first_days)
    return _two_a_day(first), _two_a_day(second)


def _two_a_day(record: Record) -> Record:
    """An amount that can be divided by days exactly."""
    return replace(record, quantity=Decimal(2 * (record.days_supply or 0)))


def _days_of(episode: Any) -> tuple[Any, ...]:
    return (
        episode.start,
        episode.end,
        episode.covered_days,
        episode.exceeded_on,
        episode.pa_required_from,
        episode.pa_required_days,
        episode.naive_at_start,
    )


@given(cases(as_of=st.just(LONG_AFTER)))
def test_a_reversed_record_equals_one_never_made(case: Case) -> None:
    made, *others = case.records
    reversal = replace(made, version=2, recorded_on=JANUARY + timedelta(days=51), status=RecordStatus.REVERSED)

    reversed_, never = (
        evaluate(replace(case, records=(made, reversal, *others))),
        evaluate(replace(case, records=tuple(others))),
    )

    assert reversed_.ignored == tuple(sorted((*never.ignored, (made.id, "reversed"))))
    assert replace(reversed_, ignored=(), first_known_on=None) == replace(never, ignored=(), first_known_on=None)


@given(cases(), days, st.integers(0, 30), st.integers(0, 30))
def test_a_longer_exemption_never_creates_a_need(case: Case, start: date, length: int, more: int) -> None:
    end = start + timedelta(days=length)
    shorter, longer = (
        Exemption(category="cancer", start=start, end=last) for last in (end, end + timedelta(days=more))
    )

    assert needed_days(evaluate(replace(case, exemptions=(longer,)))) <= needed_days(
        evaluate(replace(case, exemptions=(shorter,)))
    )
    assert needed_days(evaluate(replace(case, exemptions=(Exemption(category="cancer"),)))) == 0


@given(cases(), st.integers(0, 20))
def test_raising_the_limit_never_creates_a_need(case: Case, more: int) -> None:
    raised = replace(case.policy, limit_days=case.policy.limit_days + more)

    assert needed_days(evaluate(replace(case, policy=raised))) <= needed_days(evaluate(case))


@given(cases(), st.integers(-4000, 4000))
def test_moving_everything_by_whole_days_moves_the_answer(case: Case, number: int) -> None:
    shift = timedelta(days=number)
    moved = replace(
        case,
        as_of=case.as_of + shift,
        records=tuple(replace(r, start=r.start + shift, recorded_on=r.recorded_on + shift) for r in case.records),
        exemptions=tuple(replace(e, **_ends(e, shift)) for e in case.exemptions),
        authorizations=tuple(replace(a, **_ends(a, shift)) for a in case.authorizations),
    )

    assert smallest_json(evaluate(moved)) == _moved(smallest_json(evaluate(case)), shift)


def _ends(period: Exemption | AuthorizedPeriod, shift: timedelta) -> dict[str, date | None]:
    return {"start": period.start and period.start + shift, "end": period.end and period.end + shift}


def _moved(answer: Any, shift: timedelta) -> Any:
    """The same answer with every date moved."""
    if isinstance(answer, dict):
        return {name: _moved(value, shift) for name, value in answer.items()}
    if isinstance(answer, list):
        return [_moved(value, shift) for value in answer]
    if isinstance(answer, str) and len(answer) == 10 and answer[4] == "-":
        return (date.fromisoformat(answer) + shift).isoformat()
    return answer


@given(cases(), st.integers(0, 40))
def test_a_need_once_known_is_never_known_later(case: Case, days_on: int) -> None:
    today, later = evaluate(case), evaluate(replace(case, as_of=case.as_of + timedelta(days=days_on)))

    if today.first_known_on is not None:
        assert later.first_known_on == today.first_known_on
    else:
        assert later.first_known_on is None or later.first_known_on > case.as_of


@given(cases())
def test_calendar_days_are_never_more_than_days_supplied(case: Case) -> None:
    # In a rolling window they can be: there, supply counts by its start and days by themselves.
    policy = replace(case.policy, window_days=None)
    union, summed = (replace(case, policy=replace(policy, overlap=overlap)) for overlap in (Overlap.UNION, Overlap.SUM))

    assert needed_days(evaluate(union)) <= needed_days(evaluate(summed))


@given(cases())
def test_every_current_record_is_either_counted_or_ignored_with_a_reason(case: Case) -> None:
    verdict = evaluate(case)

    told = [*verdict.counted, *(item.record_id for item in verdict.ignored)]
    assert sorted(told) == sorted(record.id for record in case.records if record.recorded_on <= case.as_of)


@settings(max_examples=50)
@given(cases())
def test_every_verdict_can_be_explained_and_written_down(case: Case) -> None:
    verdict = evaluate(case)

    told = sentences(verdict, case.policy)

    assert all(sentence.endswith(".") and "None" not in sentence for sentence in told)
    assert any("is needed from" in sentence for sentence in told) == verdict.pa_required
    assert verdict_to_json(verdict)["pa_required"] == verdict.pa_required
