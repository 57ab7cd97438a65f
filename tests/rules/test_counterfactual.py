"""What would have avoided a need: the smallest change, and it really does."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authz.rules.counterfactual import LONGEST_DELAY, Counterfactual, FewerDays, LaterStart, counterfactual
from authz.rules.evaluate import evaluate
from authz.rules.formulary import Formulary, packaged
from authz.rules.policy import Basis
from authz.rules.records import AuthorizedPeriod, Case, Exemption, ExemptionCategory, Record, RecordKind
from authz.rules.verdict import Episode
from tests.rules.builders import OXYCODONE_5, case, day, fill, later_version, order
from tests.rules.test_properties import cases

JANUARY_1 = "2025-01-01"


def asked(*records: Record, **rest: Any) -> Counterfactual | None:
    """Ask about the first episode that needs authorization."""
    given_case = case(*records, **rest)
    needing = [episode for episode in evaluate(given_case).episodes if episode.pa_required_from]
    return counterfactual(given_case, needing[0])


def answer(*records: Record, **rest: Any) -> tuple[int | None, str | None, str | None]:
    """Return (fewer days, first day of a later start, its last day)."""
    found = asked(*records, **rest)
    fewer = found.fewer_days.fewer if found and found.fewer_days else None
    later = found.later_start if found else None
    return fewer, str(later.first) if later else None, str(later.last) if later and later.last else None


WEEK_AND_WEEK = (fill("a", JANUARY_1, 5), fill("b", "2025-01-06", 5))
CANCER = Exemption(category=ExemptionCategory.CANCER, start=day("2025-02-01"), end=day("2025-02-28"))
APPROVED = AuthorizedPeriod(start=day("2025-01-10"), end=day("2025-01-20"))
NEXT_YEAR = AuthorizedPeriod(start=day("2026-01-09"), end=None)
DAY_AFTER = AuthorizedPeriod(start=day("2026-01-10"), end=None)
NO_WAY = (None, None, None)
SOON = {"as_of": "2025-01-05"}

TABLE: list[tuple[str, tuple[Record, ...], dict[str, Any], tuple[Any, ...]]] = [
    # what happened; records; settings; fewer days, first and last day of a start that needs nothing.
    # After 5 January, 6 March is the sixtieth day without an opioid. On 11 February four of ten days are still counted.
    ("ten days at once", (fill("a", JANUARY_1, 10),), {}, (3, None, None)),
    ("eight days at once", (fill("a", JANUARY_1, 8),), {}, (1, None, None)),
    ("two fills, the second passes the limit", WEEK_AND_WEEK, {}, (3, "2025-03-07", None)),
    ("two fills that overlap", (fill("a", JANUARY_1, 5), fill("b", "2025-01-03", 7)), {}, (2, "2025-03-07", None)),
    (
        "all seven days used before",
        (fill("a", JANUARY_1, 7), fill("b", "2025-01-08", 3)),
        {},
        (None, "2025-03-09", None),
    ),
    ("a second fill too long by itself", (fill("a", JANUARY_1, 7), fill("b", "2025-01-08", 9)), {}, NO_WAY),
    ("one day is left", (fill("a", JANUARY_1, 6), fill("b", "2025-01-07", 5)), {}, (4, "2025-03-08", None)),
    ("a written order", (order("a", JANUARY_1, 9),), SOON, (2, None, None)),
    (
        "a rolling window: 14 in 45",
        (fill("a", JANUARY_1, 10), fill("b", "2025-01-15", 10)),
        {"limit_days": 14, "window_days": 45, "gap_days": 1},
        (6, "2025-02-11", None),
    ),
    (
        "each fill counts by itself",
        (fill("a", JANUARY_1, 10),),
        {"mode": "per_fill_naive"},
        (3, None, None),
    ),
    (
        "a minor's limit ends with the birthday",
        (fill("a", JANUARY_1, 5),),
        {"born": "2007-01-09", "minor_limit_days": 3},
        (2, "2025-01-06", None),
    ),
    (
        "an exemption comes, and goes",
        (fill("a", JANUARY_1, 10),),
        {"exemptions": [CANCER]},
        (3, "2025-01-25", "2025-02-19"),
    ),
    (
        "an approval for some days",
        (fill("a", JANUARY_1, 8),),
        {"authorizations": [APPROVED]},
        (1, "2025-01-03", "2025-01-13"),
    ),
    (
        "a minor's limit ends in time for the next day",
        (fill("a", JANUARY_1, 5),),
        {"born": "2007-01-05", "minor_limit_days": 3},
        (2, "2025-01-02", None),
    ),
    ("an approval a year away", (fill("a", JANUARY_1, 10),), {"authorizations": [NEXT_YEAR]}, (3, "2026-01-02", None)),
    ("an approval further away", (fill("a", JANUARY_1, 10),), {"authorizations": [DAY_AFTER]}, (3, None, None)),
    (
        "two fills of no known order",
        (fill("a", JANUARY_1, 9, rx_id=None), fill("b", JANUARY_1, 9, rx_id=None)),
        {},
        NO_WAY,
    ),
    (
        "two orders of one number",
        (order("a", JANUARY_1, 9, rx_id="p"), order("b", JANUARY_1, 9, rx_id="p")),
        SOON,
        NO_WAY,
    ),
    ("days still to pass", (fill("a", JANUARY_1, 10),), {"basis": "elapsed", "as_of": "2025-01-08"}, (3, None, None)),
    (
        "the next fill needs it all the same",
        (fill("a", JANUARY_1, 5), fill("b", "2025-01-06", 5), fill("c", "2025-01-11", 5)),
        {},
        NO_WAY,
    ),
]


@pytest.mark.parametrize(("records", "settings", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_would_have_avoided_it(
    records: tuple[Record, ...], settings: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert answer(*records, **settings) == expected


@pytest.mark.parametrize(
    ("fewer", "later", "sentence"),
    [
        (FewerDays(fewer=1, days_supply=7), None, "for 1 fewer day (7 instead of 8)."),
        (None, LaterStart(first=day("2025-03-02"), last=None), "starting on or after 2025-03-02."),
        (
            FewerDays(fewer=2, days_supply=5),
            LaterStart(first=day("2025-03-02"), last=day("2025-03-04")),
            "for 2 fewer days (5 instead of 7) or starting from 2025-03-02 to 2025-03-04.",
        ),
        (None, LaterStart(first=day("2025-03-02"), last=day("2025-03-02")), "starting on 2025-03-02."),
    ],
)
def test_the_change_in_words(fewer: FewerDays | None, later: LaterStart | None, sentence: str) -> None:
    found = Counterfactual(record_id="b", fewer_days=fewer, later_start=later)

    assert found.sentence == f"No authorization would be needed with record b {sentence}"


def test_an_episode_that_needs_nothing_has_nothing_to_avoid() -> None:
    given_case = case(fill("a", JANUARY_1, 7))

    assert counterfactual(given_case, evaluate(given_case).episodes[0]) is None


def test_it_is_the_causing_record_that_is_asked_about() -> None:
    found = asked(*WEEK_AND_WEEK)

    assert found is not None
    assert found.record_id == "b"


def test_a_second_report_of_the_same_dispensing_does_not_stand_in_for_it() -> None:
    one = fill("b", "2025-01-06", 5, rx_id="p")

    assert answer(fill("a", JANUARY_1, 5), one, replace(one, id="twin")) == (3, "2025-03-07", None)


@pytest.mark.parametrize("as_of", ["2025-01-03", "2025-01-05"])
def test_only_what_is_known_that_day_is_asked_about(as_of: str) -> None:
    first = fill("a", JANUARY_1, 10)
    corrected = later_version(first, learned="2025-01-03", days_supply=12)
    unknown_yet = later_version(corrected, learned="2025-01-09", days_supply=2)

    assert answer(first, corrected, unknown_yet, as_of=as_of) == (5, None, None)


def test_days_from_quantity_and_daily_use_can_be_fewer_too() -> None:
    assert answer(fill("a", JANUARY_1, None, quantity=Decimal(40), daily_units=Decimal(4))) == (3, None, None)


def test_the_need_of_another_episode_stays_and_is_not_in_the_way() -> None:
    long_ago, now = fill("a", "2024-01-01", 20), fill("b", JANUARY_1, 9)
    given_case = case(long_ago, now)

    found = counterfactual(given_case, evaluate(given_case).episodes[1])

    assert found is not None
    assert found.fewer_days == FewerDays(fewer=2, days_supply=7)


def test_it_goes_by_the_formulary_that_is_given() -> None:
    oxycodone = packaged().product(OXYCODONE_5)
    assert oxycodone is not None
    only_new = Formulary("new", {"new": replace(oxycodone, rxcui="new")})
    # The second fill needs authorization by the packaged formulary, and is unknown to this one.
    given_case = case(fill("a", JANUARY_1, 10, rxcui="new"), fill("b", "2025-06-01", 30))

    found = counterfactual(given_case, evaluate(given_case, only_new).episodes[0], only_new)

    assert found is not None
    assert found.fewer_days == FewerDays(fewer=3, days_supply=7)


# -- laws -------------------------------------------------------------------------------------------------------------
def needing(case: Case) -> set[str]:
    """The records of all episodes that need authorization, now or (elapsed) once their days have passed."""
    policies = {case.policy, replace(case.policy, basis=Basis.PROJECTED)} if _is_elapsed(case) else {case.policy}
    verdicts = [evaluate(replace(case, policy=policy)) for policy in policies]
    return {key for one in verdicts for episode in one.episodes if episode.pa_required_from for key in episode.records}


def _is_elapsed(case: Case) -> bool:
    return case.policy.basis is Basis.ELAPSED


def needed(case: Case) -> Iterator[tuple[Episode, set[str]]]:
    """Each episode with a cause, and the records that need authorization whatever becomes of it."""
    for episode in evaluate(case).episodes:
        if episode.pa_required_from and episode.cause:
            yield episode, needing(case) - set(episode.records)


def changed(case: Case, record_id: str, **values: Any) -> Case:
    one = next(record for record in case.records if record.id == record_id)
    twins = [other.id for other in case.records if _is_twin(one, other)]
    records = tuple(replace(record, **values) if record.id in twins else record for record in case.records)
    return replace(case, records=records, as_of=max(case.as_of, values.get("start", case.as_of)))


def _is_twin(one: Record, other: Record) -> bool:
    keys = [(r.rx_id, r.fill_number, r.start, r.rxcui, r.kind) for r in (one, other)]
    return one is other or (one.rx_id is not None and one.kind is RecordKind.FILL and keys[0] == keys[1])


def known(case: Case) -> Case:
    return replace(case, records=tuple(record for record in case.records if record.recorded_on <= case.as_of))


def supplied(case: Case, record_id: str) -> int:
    return next(record.days_supply for record in case.records if record.id == record_id) or 0


def started(case: Case, record_id: str) -> date:
    return next(record.start for record in case.records if record.id == record_id)


@pytest.mark.thorough
@settings(deadline=None)
@given(cases())
def test_the_days_fewer_avoid_the_need_and_one_day_less_does_not(case: Case) -> None:
    case = known(case)
    for episode, others in needed(case):
        found, key = counterfactual(case, episode), episode.trigger_record or ""
        fewer = found.fewer_days.fewer if found and found.fewer_days else supplied(case, key)
        helping = [
            days
            for days in range(1, min(fewer + 1, supplied(case, key)))
            if needing(changed(case, key, days_supply=supplied(case, key) - days)) <= others
        ]

        assert helping == ([fewer] if found and found.fewer_days else [])


@pytest.mark.thorough
@settings(deadline=None, max_examples=30)
@given(cases(), st.integers(0, LONGEST_DELAY))
def test_the_later_start_avoids_the_need_and_one_day_earlier_does_not(case: Case, further: int) -> None:
    case = known(case)
    for episode, others in needed(case):
        found, key = counterfactual(case, episode), episode.trigger_record or ""
        start = started(case, key)

        def helps(on: date, key: str = key, others: set[str] = others) -> bool:
            return needing(changed(case, key, start=on)) <= others

        later = found.later_start if found else None
        latest = start + timedelta(days=LONGEST_DELAY)
        tried = (later.first - start).days if later else LONGEST_DELAY + 1
        assert not any(helps(start + timedelta(days=delay)) for delay in range(1, tried))
        if later:
            last = later.last or latest
            assert all(helps(on) for on in {later.first, last, min(last, later.first + timedelta(days=further))})
            assert later.last is None or not helps(later.last + timedelta(days=1))


@pytest.mark.thorough
@settings(deadline=None)
@given(cases(), st.randoms())
def test_the_order_of_the_records_does_not_matter(case: Case, random: Any) -> None:
    shuffled = list(case.records)
    random.shuffle(shuffled)

    for episode, _ in needed(case):
        assert counterfactual(replace(case, records=tuple(shuffled)), episode) == counterfactual(case, episode)
