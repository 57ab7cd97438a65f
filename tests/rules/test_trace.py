"""The trace of a verdict: what a person would write down who counts by hand."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authz.rules.case_json import case_from_json
from authz.rules.evaluate import evaluate
from authz.rules.explain import trace_sentences
from authz.rules.policy import Mode
from authz.rules.records import AuthorizedPeriod, Case, Exemption
from authz.rules.selection import Ignored
from authz.rules.trace import MOST_DAYS, RuleStep, Trace, TracedDay, TracedEpisode, trace, trace_to_json
from authz.rules.use_days import Naive
from authz.rules.verdict import Episode, ReleasedBy
from tests.rules.builders import TRAMADOL_50, case, day, fill, later_version, order
from tests.rules.random_cases import random_case

TWO_FILLS = (fill("a", "2025-01-01", 5), fill("b", "2025-01-05", 6))


def days(*records: Any, whole: bool = False, **rest: Any) -> tuple[TracedDay, ...]:
    """The listed days of the only episode."""
    (episode,) = trace(case(*records, **rest), whole=whole).episodes
    return episode.days


def counts(*records: Any, whole: bool = False, **rest: Any) -> list[tuple[str, int | None, int]]:
    """Day of the month, count and limit."""
    return [(f"{one.on:%d}", one.count, one.limit) for one in days(*records, whole=whole, **rest)]


def told(*records: Any, **rest: Any) -> list[str]:
    asked = case(*records, **rest)
    return trace_sentences(trace(asked), asked.policy)


# -- days -----------------------------------------------------------------------------------------------------------
def test_days_are_listed_to_the_first_beyond_the_limit_with_what_covers_them() -> None:
    listed = days(*TWO_FILLS)

    assert [(str(one.on)[-2:], one.number, one.count, one.limit, "".join(one.records)) for one in listed] == [
        ("01", 1, 1, 7, "a"),
        ("02", 2, 2, 7, "a"),
        ("03", 3, 3, 7, "a"),
        ("04", 4, 4, 7, "a"),
        ("05", 5, 5, 7, "ab"),
        ("06", 6, 6, 7, "b"),
        ("07", 7, 7, 7, "b"),
        ("08", 8, 8, 7, "b"),
    ]
    assert [one.is_required for one in listed] == [False] * 7 + [True]
    assert not any(one.released_by for one in listed)


def test_all_days_are_listed_when_asked_for() -> None:
    assert [(one.number, one.is_required) for one in days(*TWO_FILLS, whole=True)][-3:] == [
        (8, True), (9, True), (10, True),
    ]  # fmt: skip


def test_days_without_supply_are_no_days_of_use() -> None:
    listed = days(fill("a", "2025-01-01", 2), fill("b", "2025-01-05", 2))

    assert [(str(one.on)[-2:], one.number) for one in listed] == [("01", 1), ("02", 2), ("05", 3), ("06", 4)]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"overlap": "sum"}, [("01", 5, 7), ("02", 5, 7), ("03", 5, 7), ("04", 5, 7), ("05", 11, 7)]),
        ({"window_days": 2, "limit_days": 1}, [("01", 1, 1), ("02", 2, 1)]),
        ({"limit_days": 2, "born": "2007-01-02", "minor_limit_days": 1}, [("01", 1, 1), ("02", 2, 2), ("03", 3, 2)]),
        ({"mode": "per_fill_naive", "limit_days": 3}, [("01", 1, 3), ("02", 2, 3), ("03", 3, 3), ("04", 4, 3)]),
    ],
)
def test_each_way_of_counting_shows_its_count(
    policy: dict[str, Any], expected: list[tuple[str, int | None, int]]
) -> None:
    assert counts(*TWO_FILLS, **policy) == expected


def test_after_the_horizon_nothing_is_counted() -> None:
    assert counts(*TWO_FILLS, horizon_days=7)[-4:] == [("07", 7, 7), ("08", None, 7), ("09", None, 7), ("10", None, 7)]


def test_per_fill_only_fills_to_a_patient_free_of_opioids_are_counted() -> None:
    short_then_long = fill("a", "2025-01-01", 2), fill("b", "2025-01-03", 9)

    listed = counts(*short_then_long, mode="per_fill_naive")

    assert [count for _, count, _ in listed] == [1, 2, *[None] * 9]


def test_per_fill_the_supply_used_first_leads() -> None:
    policy = {"mode": "per_fill_naive", "gap_anchor": "fill_date", "overlap": "shift", "limit_days": 25}
    in_hand, same_day = fill("a", "2025-01-01", 91), "2025-03-20"
    shifted, at_once = fill("b", same_day, 30), fill("c", same_day, 30, rxcui=TRAMADOL_50)

    (_, later) = trace(case(in_hand, shifted, at_once, **policy)).episodes

    assert (later.days[-1].on, later.days[-1].count, later.days[-1].records) == (day("2025-04-14"), 26, ("b", "c"))


def test_per_fill_a_minors_limit_is_that_of_the_fills_first_day() -> None:
    policy = {"mode": "per_fill_naive", "born": "2007-01-03", "minor_limit_days": 3}

    assert counts(fill("a", "2025-01-01", 5), **policy)[-1] == ("04", 4, 3)


def test_what_releases_a_day_is_told_on_it() -> None:
    listed = days(
        fill("a", "2025-01-01", 12),
        exemptions=[Exemption(category="cancer", end=day("2025-01-09")), Exemption(category="surgery")],
        authorizations=[AuthorizedPeriod(start=day("2025-01-09"), end=day("2025-01-10"))],
        established_days=10,
        whole=True,
    )

    exempt, authorized, established = ReleasedBy.EXEMPTION, ReleasedBy.AUTHORIZATION, ReleasedBy.ESTABLISHED
    assert [one.released_by for one in listed[7:]] == [
        (exempt,), (exempt, authorized), (authorized,), (established,), (established,),
    ]  # fmt: skip
    assert not any(one.is_required for one in listed)


def test_the_list_goes_on_to_the_first_need() -> None:
    listed = days(fill("a", "2025-01-01", 30), authorizations=[AuthorizedPeriod(end=day("2025-01-20"))])

    assert (listed[-1].on, listed[-1].is_required, len(listed)) == (day("2025-01-21"), True, 21)


def test_a_long_list_is_cut_and_the_numbers_show_it() -> None:
    long = [fill("a", "2025-01-01", 366)]

    to_the_limit = days(*long, limit_days=100)
    to_the_need = days(*long, authorizations=[AuthorizedPeriod(end=day("2025-10-27"))])

    assert [one.number for one in to_the_limit] == list(range(102 - MOST_DAYS, 102))
    assert [one.number for one in to_the_need] == [*range(1, 9), *range(302 - MOST_DAYS, 302)]
    assert MOST_DAYS == 60


def test_every_episode_has_its_days() -> None:
    told = trace(case(fill("a", "2024-01-01", 2), fill("c", "2025-01-01", 1), fill("b", "2025-01-02", 1)))

    assert [(str(one.start), one.records, len(one.days)) for one in told.episodes] == [
        ("2024-01-01", ("a",), 2),
        ("2025-01-01", ("b", "c"), 2),
    ]


# -- records --------------------------------------------------------------------------------------------------------
def test_a_record_that_counts_tells_its_days_and_its_version() -> None:
    first = fill("a", "2025-01-01", 5)
    (told,) = trace(case(first, later_version(first, learned="2025-01-03", days_supply=3))).records

    assert (told.version, told.recorded_on, told.days_supply) == (2, day("2025-01-03"), 3)
    assert (told.step, told.reason, told.in_favour_of) == (RuleStep.COVERED_DAYS, None, None)
    assert (told.first, told.last, told.naive) == (day("2025-01-01"), day("2025-01-03"), Naive.NAIVE)
    assert (told.kind.value, told.start, told.rxcui) == ("fill", day("2025-01-01"), first.rxcui)
    assert told.product_name.startswith("oxycodone")


def test_days_supply_is_told_as_the_rule_takes_it() -> None:
    (told,) = trace(case(fill("a", "2025-01-01", None, quantity=Decimal(9), daily_units=Decimal(4)))).records

    assert (told.days_supply, told.last) == (3, day("2025-01-03"))


@pytest.mark.parametrize(
    ("reason", "step"),
    [
        (Ignored.DUPLICATE, RuleStep.DUPLICATES),
        (Ignored.RX_FILLED, RuleStep.WRITTEN_ORDERS),
        (Ignored.RX_UNFILLED_EXPIRED, RuleStep.WRITTEN_ORDERS),
        (Ignored.REVERSED, RuleStep.FITNESS),
        (Ignored.UNKNOWN_PRODUCT, RuleStep.FITNESS),
    ],
)
def test_a_record_that_does_not_count_tells_why_and_at_which_step(reason: Ignored, step: RuleStep) -> None:
    records = [
        fill("earlier", "2024-12-01"),
        fill("a", "2025-01-01", rx_id="p"),
        fill("duplicate", "2025-01-01", rx_id="p"),
        order("rx_filled", "2025-01-01", rx_id="p"),
        order("rx_unfilled_expired", "2024-01-01"),
        fill("reversed", "2025-01-01", status="reversed"),
        fill("unknown_product", "2025-01-01", rxcui="9999999"),
    ]
    told = {record.record_id: record for record in trace(case(*records)).records}

    found = told[reason.value]

    assert (found.reason, found.step, found.first, found.last, found.naive) == (reason, step, None, None, None)
    assert found.in_favour_of == ("a" if reason in {Ignored.DUPLICATE, Ignored.RX_FILLED} else None)


def test_orders_that_the_policy_does_not_count_are_settled_at_their_step() -> None:
    (told,) = trace(case(order("a", "2025-01-01"), as_of="2025-01-02", count_written=False)).records

    assert (told.reason, told.step) == (Ignored.WRITTEN_NOT_COUNTED, RuleStep.WRITTEN_ORDERS)


def test_an_unknown_product_has_no_name_and_records_stand_in_the_order_of_their_days() -> None:
    told = trace(
        case(fill("a", "2025-01-09"), fill("c", "2025-01-01", rxcui="9999999"), fill("b", "2025-01-01"))
    ).records

    assert [(record.record_id, bool(record.product_name)) for record in told] == [
        ("b", True),
        ("c", False),
        ("a", True),
    ]


def test_a_fill_of_which_no_day_has_come_yet_covers_none() -> None:
    shifted = [fill("a", "2025-01-01", 9), fill("b", "2025-01-05", 9)]
    policy = {"overlap": "shift", "basis": "elapsed", "as_of": "2025-01-06"}

    first, second = trace(case(*shifted, **policy)).records

    assert (first.last, second.reason, second.first, second.naive) == (day("2025-01-06"), None, None, None)
    assert told(*shifted, **policy)[1] == "Record b is counted, but none of its days has come."


# -- words ----------------------------------------------------------------------------------------------------------
def test_the_trace_in_words() -> None:
    twin = fill("z", "2025-01-01", 5, rx_id="rx-a")

    assert told(*TWO_FILLS, twin, fill("r", "2025-01-02", status="reversed")) == [
        "Record a is counted: 5 days, 2025-01-01 to 2025-01-05.",
        "Record z is not counted: it is the same dispensing as another record (record a counts).",
        "Record r is not counted: it was reversed.",
        "Record b is counted: 6 days, 2025-01-05 to 2025-01-10.",
        "Day 8 of use is 2025-01-08, covered by record b; 8 days counted, the limit is 7; it needs authorization.",
    ]


@pytest.mark.parametrize(("days_used", "counted"), [(1, "1 day"), (2, "2 days")])
def test_use_within_the_limit_is_told_by_its_last_day(days_used: int, counted: str) -> None:
    assert told(fill("a", "2025-01-01", days_used))[1:] == [
        f"Day {days_used} of use is 2025-01-0{days_used}, covered by record a; {counted} counted, the limit is 7."
    ]


def test_a_trace_of_all_days_is_told_in_the_same_words() -> None:
    asked = case(*TWO_FILLS)

    assert trace_sentences(trace(asked, whole=True), asked.policy) == trace_sentences(trace(asked), asked.policy)


def test_a_released_day_and_the_first_need_are_both_told() -> None:
    released = {
        "exemptions": [Exemption(category="cancer", end=day("2025-01-08"))],
        "authorizations": [AuthorizedPeriod(end=day("2025-01-08"))],
    }

    assert told(fill("a", "2025-01-01", 9), fill("b", "2025-01-09", 1, rxcui=TRAMADOL_50), **released)[2:] == [
        "Day 8 of use is 2025-01-08, covered by record a; 8 days counted, the limit is 7; it needs none, as an "
        "exemption applies and an authorization covers it.",
        "Day 9 of use is 2025-01-09, covered by record a and record b; 9 days counted, the limit is 7; it needs "
        "authorization.",
    ]


@pytest.mark.parametrize(
    ("policy", "number", "words"),
    [
        ({"overlap": "sum"}, 5, "11 days' supply counted, the limit is 7; it needs authorization."),
        (
            {"mode": "per_fill_naive", "limit_days": 4},
            5,
            "it is day 5 of a fill and the limit is 4; it needs authorization.",
        ),
        ({"horizon_days": 5}, 10, "the policy does not limit it."),
        (
            {"limit_days": 9, "established_days": 9},
            10,
            "10 days counted, the limit is 9; it needs none, as the patient is established.",
        ),
    ],
)
def test_each_way_of_counting_has_its_words(policy: dict[str, Any], number: int, words: str) -> None:
    last = told(*TWO_FILLS, **policy)[-1]

    assert last.startswith(f"Day {number} of use is 2025-01-{number:02d}, covered by record ")
    assert last.endswith(f"; {words}")


def test_per_fill_nothing_is_added_of_a_patient_free_of_opioids() -> None:
    assert told(fill("a", "2025-01-01", 3), mode="per_fill_naive")[0] == (
        "Record a is counted: 3 days, 2025-01-01 to 2025-01-03."
    )


def test_per_fill_it_is_told_who_was_in_treatment_and_what_is_not_known() -> None:
    lines = told(*TWO_FILLS, mode="per_fill_naive", known_from="2025-01-01")

    assert lines[:2] == [
        "Record a is counted: 5 days, 2025-01-01 to 2025-01-05; the time before it is not fully known.",
        "Record b is counted: 6 days, 2025-01-05 to 2025-01-10; the patient was in treatment with opioids.",
    ]


def test_the_trace_as_json() -> None:
    told = trace_to_json(trace(case(fill("a", "2025-01-01", 1), order("b", "2025-01-01", 1, rx_id="rx-a"))))

    assert told["records"][0] == {
        "record_id": "a",
        "version": 1,
        "recorded_on": "2025-01-01",
        "kind": "fill",
        "start": "2025-01-01",
        "rxcui": "1049621",
        "product_name": trace(case(fill("a", "2025-01-01", 1))).records[0].product_name,
        "days_supply": 1,
        "step": "covered_days",
        "is_counted": True,
        "reason": None,
        "in_favour_of": None,
        "first": "2025-01-01",
        "last": "2025-01-01",
        "naive": "naive",
    }
    left_out = told["records"][1]
    assert [left_out[name] for name in ("is_counted", "reason", "in_favour_of", "first", "last", "naive")] == [
        False, "rx_filled", "a", None, None, None,
    ]  # fmt: skip
    assert told["episodes"] == [
        {
            "start": "2025-01-01",
            "records": ["a"],
            "days": [
                {
                    "on": "2025-01-01",
                    "number": 1,
                    "count": 1,
                    "limit": 7,
                    "records": ["a"],
                    "released_by": [],
                    "is_beyond": False,
                    "is_required": False,
                }
            ],
        }
    ]


def test_released_days_as_json() -> None:
    told = trace_to_json(trace(case(fill("a", "2025-01-01", 8), authorizations=[AuthorizedPeriod()])))

    last = told["episodes"][0]["days"][-1]
    assert (last["released_by"], last["is_beyond"], last["is_required"]) == (["authorization"], True, False)


# -- laws -----------------------------------------------------------------------------------------------------------
@settings(max_examples=60)
@given(st.integers())
def test_the_trace_agrees_with_the_verdict(seed: int) -> None:
    random = Random(seed)
    for _ in range(4):
        asked = case_from_json(random_case(random))
        verdict, whole, short = evaluate(asked), trace(asked, whole=True), trace(asked)

        counted = tuple(sorted(record.record_id for record in whole.records if record.reason is None))
        ignored = tuple(sorted((record.record_id, record.reason) for record in whole.records if record.reason))
        assert (counted, ignored) == (verdict.counted, verdict.ignored)
        for episode, traced, brief in zip(verdict.episodes, whole.episodes, short.episodes, strict=True):
            agrees(episode, traced, asked)
            leads_to_the_need(episode, brief, traced)


def agrees(episode: Episode, traced: TracedEpisode, asked: Case) -> None:
    """Demand that all days of an episode say what the verdict says of it."""
    listed = traced.days
    beyond = [one for one in listed if one.is_beyond]
    required = [one.on for one in listed if one.is_required]
    assert (traced.start, listed[-1].on, len(listed)) == (episode.start, episode.end, episode.covered_days)
    assert [one.number for one in listed] == list(range(1, len(listed) + 1))
    assert (beyond[0].on if beyond else None) == episode.exceeded_on
    assert (required[0] if required else None, len(required)) == (episode.pa_required_from, episode.pa_required_days)
    assert traced.records == episode.records
    assert {record_id for one in listed for record_id in one.records} == set(episode.records)
    if beyond and asked.policy.mode is Mode.CUMULATIVE:
        assert (beyond[0].count, beyond[0].limit) == (episode.count, episode.limit_days)
    if beyond and asked.policy.mode is Mode.PER_FILL_NAIVE:
        assert beyond[0].limit == episode.limit_days
        assert beyond[0].count == episode.limit_days + 1
    released = [by for one in beyond for by in one.released_by]
    assert set(released) == {release.by for release in episode.releases}


def leads_to_the_need(episode: Episode, brief: TracedEpisode, whole: TracedEpisode) -> None:
    """Demand that the short list is a part of the whole that reaches the limit and the first need."""
    on = [one.on for one in brief.days]
    assert set(brief.days) <= set(whole.days)
    assert on[-1] == (episode.pa_required_from or episode.exceeded_on or episode.end)
    assert episode.exceeded_on is None or episode.exceeded_on in on
    assert len(on) <= 2 * MOST_DAYS


def test_records_and_days_speak_of_the_same() -> None:
    told: Trace = trace(case(*TWO_FILLS), whole=True)

    for record in told.records:
        covering = [one.on for one in told.episodes[0].days if record.record_id in one.records]
        assert (covering[0], covering[-1]) == (record.first, record.last)
