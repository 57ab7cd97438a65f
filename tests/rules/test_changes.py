"""What became other between two days, and why: late, reversed, corrected, expired."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authz.rules.case_json import case_from_json
from authz.rules.changes import Changes, Fact, Known, Reading, RecordChange, ReleaseChange, Why, changes
from authz.rules.evaluate import evaluate
from authz.rules.explain_changes import change_sentences
from authz.rules.records import AuthorizedPeriod, Case, Exemption, Record, RecordStatus
from authz.rules.selection import Ignored
from authz.rules.verdict import ReleasedBy
from tests.rules.builders import OXYCODONE_10, case, day, fill, later_version, order
from tests.rules.random_cases import random_case

THEN, NOW = "2025-01-08", "2025-03-01"
BEFORE = fill("a", "2025-01-01", 5)


def known(asked: Case) -> Known:
    return Known(asked, evaluate(asked))


def both(*records: Record, then: str = THEN, now: str = NOW, **rest: Any) -> tuple[Known, Known]:
    return known(case(*records, as_of=then, **rest)), known(case(*records, as_of=now, **rest))


def between(*records: Record, **rest: Any) -> Changes:
    return changes(*both(*records, **rest))


def only(*records: Record, **rest: Any) -> RecordChange:
    (change,) = between(*records, **rest).records
    return change


def told(*records: Record, **rest: Any) -> list[str]:
    """The sentences after the first, which tells the need."""
    before, after = both(*records, **rest)
    return change_sentences(changes(before, after), before, after)[1:]


# -- records --------------------------------------------------------------------------------------------------------
def test_a_fill_learned_late_is_told_with_its_delay() -> None:
    change = only(BEFORE, fill("b", "2025-01-06", 5, learned="2025-01-20"))

    assert change == RecordChange(
        record_id="b",
        why=Why.LEARNED,
        start=day("2025-01-06"),
        learned_on=day("2025-01-20"),
        before=None,
        after=Reading(1, None),
        facts=(),
    )
    assert change.days_late == 14


def test_a_late_fill_that_was_corrected_since_was_learned_when_it_was_first() -> None:
    late = fill("b", "2025-01-06", 5, learned="2025-01-20")

    change = only(later_version(late, learned="2025-02-01", days_supply=3), late)

    assert (change.why, change.learned_on, change.after, change.facts) == (
        Why.LEARNED, day("2025-01-20"), Reading(2, None), (),
    )  # fmt: skip


@pytest.mark.parametrize("status", [RecordStatus.REVERSED, RecordStatus.CANCELLED, RecordStatus.ENTERED_IN_ERROR])
def test_a_record_that_was_ended_is_told_by_its_end(status: RecordStatus) -> None:
    change = only(BEFORE, later_version(BEFORE, learned="2025-01-09", status=status))

    assert (change.why.value, change.learned_on, change.after) == (
        status.value, day("2025-01-09"), Reading(2, Ignored(status.value)),
    )  # fmt: skip
    assert (change.before, change.facts) == (Reading(1, None), (Fact("status", "active", status.value),))


def test_a_corrected_record_tells_every_field_that_is_other() -> None:
    corrected = later_version(
        BEFORE,
        learned="2025-01-09",
        start=day("2025-01-02"),
        rxcui=OXYCODONE_10,
        quantity=None,
        days_supply=9,
        daily_units=Decimal(4),
        rx_id="the pharmacy's number",
        fill_number=1,
    )

    change = only(BEFORE, corrected)

    assert (change.why, change.start) == (Why.CORRECTED, day("2025-01-02"))
    assert change.facts == (
        Fact("rx_id", None, None),
        Fact("fill_number", None, None),
        Fact("start", "2025-01-01", "2025-01-02"),
        Fact("rxcui", "1049621", OXYCODONE_10),
        Fact("quantity", "20", None),
        Fact("days_supply", "5", "9"),
        Fact("daily_units", None, None),
    )


def test_a_reversal_taken_back_is_a_correction() -> None:
    reversed_fill = replace(BEFORE, status=RecordStatus.REVERSED)

    change = only(reversed_fill, later_version(reversed_fill, learned="2025-01-09", status=RecordStatus.ACTIVE))

    assert (change.why, change.before, change.after) == (
        Why.CORRECTED, Reading(1, Ignored.REVERSED), Reading(2, None),
    )  # fmt: skip


def test_a_correction_of_a_reversed_record_is_no_second_reversal() -> None:
    gone = replace(BEFORE, status=RecordStatus.REVERSED)

    assert only(gone, later_version(gone, learned="2025-01-09", days_supply=3)).why is Why.CORRECTED


@pytest.mark.parametrize(
    ("records", "before", "after"),
    [
        ([order("a", "2025-01-02")], None, Ignored.RX_UNFILLED_EXPIRED),
        ([fill("a", "2025-02-01", learned="2025-01-05")], Ignored.FUTURE_DATED, None),
    ],
)
def test_a_record_can_count_otherwise_though_nothing_was_learned_of_it(
    records: list[Record], before: Ignored | None, after: Ignored | None
) -> None:
    change = only(*records)

    assert (change.why, change.before, change.after) == (Why.RECONSIDERED, Reading(1, before), Reading(1, after))


def test_an_order_that_was_dispensed_is_reconsidered_and_its_fill_learned() -> None:
    first, second = between(order("a", "2025-01-02", rx_id="p"), fill("b", "2025-01-09", rx_id="p")).records

    assert (first.why, first.after.reason, second.why) == (Why.RECONSIDERED, Ignored.RX_FILLED, Why.LEARNED)


def test_what_is_as_it_was_is_no_change() -> None:
    again = later_version(BEFORE, learned="2025-01-09")

    assert between(BEFORE, again, fill("z", "2025-01-01", learned="2025-03-02")) == Changes(
        records=(), releases=(), episodes=()
    )


def test_records_stand_in_the_order_of_their_ids() -> None:
    later = [fill(name, "2025-01-06", learned="2025-01-09") for name in ("c", "b", "d")]

    assert [change.record_id for change in between(BEFORE, *later).records] == ["b", "c", "d"]


# -- exemptions, authorizations, episodes ---------------------------------------------------------------------------
def test_exemptions_and_authorizations_known_on_one_day_only_are_told() -> None:
    cancer, hospice = Exemption(category="cancer", start=day("2025-01-01")), Exemption(category="hospice")
    granted = AuthorizedPeriod(start=day("2025-01-01"), end=day("2025-01-31"))
    before = known(case(BEFORE, exemptions=[hospice, hospice]))
    after = known(case(BEFORE, exemptions=[hospice, cancer], authorizations=[granted]))

    told = changes(before, after).releases

    assert told == (
        ReleaseChange(by=ReleasedBy.EXEMPTION, category="hospice", start=None, end=None, is_new=False),
        ReleaseChange(by=ReleasedBy.EXEMPTION, category="cancer", start=day("2025-01-01"), end=None, is_new=True),
        ReleaseChange(
            by=ReleasedBy.AUTHORIZATION, category=None, start=day("2025-01-01"), end=day("2025-01-31"), is_new=True
        ),
    )


def test_an_episode_that_grew_stands_beside_what_it_was() -> None:
    (change,) = between(BEFORE, fill("b", "2025-01-06", 5, learned="2025-01-20")).episodes

    assert [episode.covered_days for episode in change.before] == [5]
    assert [(episode.covered_days, episode.pa_required_from) for episode in change.after] == [(10, day("2025-01-08"))]


def test_new_use_gone_use_and_untouched_use_are_told_apart() -> None:
    untouched, gone = fill("u", "2024-01-01", 3), fill("g", "2024-06-01", 3)
    reversal = later_version(gone, learned="2025-01-09", status=RecordStatus.REVERSED)
    new = fill("n", "2025-02-20", 3)

    told = between(new, untouched, gone, reversal).episodes

    assert [([e.records for e in change.before], [e.records for e in change.after]) for change in told] == [
        ([("g",)], []),
        ([], [("n",)]),
    ]


def test_episodes_that_a_late_fill_joins_are_one_change() -> None:
    apart = [fill("a", "2024-08-01", 5), fill("b", "2025-01-01", 5)]
    between_them = fill("m", "2024-10-01", 40, learned="2025-01-20")

    (change,) = between(*apart, between_them).episodes

    assert ([e.records for e in change.before], [e.records for e in change.after]) == (
        [("a",), ("b",)], [("a", "b", "m")],
    )  # fmt: skip


@pytest.mark.parametrize(("wrong", "right"), [("2025-01-01", "2025-01-05"), ("2025-01-05", "2025-01-01")])
def test_a_record_entered_anew_in_place_of_another_is_the_same_use(wrong: str, right: str) -> None:
    mistaken = fill("a", wrong, 5)
    error = later_version(mistaken, learned="2025-01-09", status=RecordStatus.ENTERED_IN_ERROR)
    instead = fill("b", right, 5, learned="2025-01-09")

    (change,) = between(mistaken, error, instead).episodes

    assert ([e.records for e in change.before], [e.records for e in change.after]) == ([("a",)], [("b",)])


@pytest.mark.parametrize(
    ("other", "changed"),
    [({}, 0), ({"exemptions": [Exemption(category="cancer")]}, 1), ({"limit_days": 3}, 1), ({"limit_days": 8}, 1)],
)
def test_an_episode_is_other_when_any_of_its_numbers_is(other: dict[str, Any], changed: int) -> None:
    use = fill("a", "2025-01-01", 9)

    assert len(changes(known(case(use)), known(case(use, **other))).episodes) == changed


# -- words ----------------------------------------------------------------------------------------------------------
def test_the_changes_in_words() -> None:
    late = fill("b", "2025-01-06", 5, learned="2025-01-20")
    corrected = later_version(BEFORE, learned="2025-01-15", days_supply=6, quantity=None, rx_id="q")
    before, after = both(BEFORE, corrected, late)

    assert change_sentences(changes(before, after), before, after) == [
        "Days of use do not need authorization, as known on 2025-01-08, and need it, as known on 2025-03-01.",
        "As known on 2025-01-08: 5 covered days from 2025-01-01 to 2025-01-05, within the limit. As known on "
        "2025-03-01: 10 covered days from 2025-01-01 to 2025-01-10, beyond the limit from 2025-01-08 on, authorization "
        "needed from 2025-01-08 on.",
        "Record a was corrected, learned on 2025-01-15: another order, quantity 20 before, not known since, "
        "days' supply 5 before, 6 since; it counts, as before.",
        "Record b was learned on 2025-01-20, 14 days after its own day, 2025-01-06; it counts.",
    ]


@pytest.mark.parametrize(
    ("days_then", "days_now", "sentence"),
    [
        (8, 9, "Days of use need authorization, as known on 2025-01-08 and on 2025-03-01."),
        (6, 7, "Days of use do not need authorization, as known on 2025-01-08 and on 2025-03-01."),
        (8, 7, "Days of use need authorization, as known on 2025-01-08, and do not need it, as known on 2025-03-01."),
    ],
)
def test_the_need_on_either_day_is_told_first(days_then: int, days_now: int, sentence: str) -> None:
    first = fill("a", "2025-01-01", days_then)
    before, after = both(first, later_version(first, learned="2025-01-09", days_supply=days_now))

    assert change_sentences(changes(before, after), before, after)[0] == sentence


@pytest.mark.parametrize(
    ("version", "event"),
    [
        ({"status": "reversed"}, "Record a was reversed, learned on 2025-01-09; it counted before."),
        ({"status": "entered_in_error"}, "Record a was entered in error, learned on 2025-01-09; it counted before."),
        ({"status": "cancelled"}, "Record a was cancelled, learned on 2025-01-09; it counted before."),
        (
            {"days_supply": 0},
            "Record a was corrected, learned on 2025-01-09: days' supply 5 before, 0 since; it counted before; it is "
            "not counted now: it has no days' supply of at least one day.",
        ),
    ],
)
def test_what_happened_to_a_record_in_words(version: dict[str, Any], event: str) -> None:
    changes_made = {name: RecordStatus(value) if name == "status" else value for name, value in version.items()}

    assert told(BEFORE, later_version(BEFORE, learned="2025-01-09", **changes_made))[-1] == event


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        (
            [order("a", "2025-01-02")],
            "Nothing new was learned of record a; it counted before; it is not counted now: the order was not "
            "dispensed in time.",
        ),
        (
            [fill("a", "2025-02-01", learned="2025-01-05")],
            "Nothing new was learned of record a; it counts; before, it was not counted: its date lies in the future.",
        ),
        ([fill("a", "2025-01-09")], "Record a was learned on 2025-01-09, its own day; it counts."),
        (
            [fill("a", "2025-01-08", learned="2025-01-09")],
            "Record a was learned on 2025-01-09, 1 day after its own day, 2025-01-08; it counts.",
        ),
        (
            [fill("a", "2025-01-10", learned="2025-01-09")],
            "Record a was learned on 2025-01-09, 1 day before its own day, 2025-01-10; it counts.",
        ),
        (
            [fill("a", "2025-01-01", learned="2025-01-09", status="reversed")],
            "Record a was learned on 2025-01-09, 8 days after its own day, 2025-01-01; it is not counted: it was "
            "reversed.",
        ),
        (
            [
                fill("a", "2025-01-01", rxcui="9999999"),
                later_version(
                    fill("a", "2025-01-01", rxcui="9999999"), learned="2025-01-09", status=RecordStatus.REVERSED
                ),
            ],
            "Record a was reversed, learned on 2025-01-09; it was not counted before, either.",
        ),
        (
            [
                fill("a", "2025-01-01", rxcui="9999999"),
                later_version(fill("a", "2025-01-01", rxcui="9999999"), learned="2025-01-09", days_supply=3),
            ],
            "Record a was corrected, learned on 2025-01-09: days' supply 5 before, 3 since; it was not counted before, "
            "either; it is not counted now: its product code is not known.",
        ),
    ],
)
def test_how_a_record_counts_in_words(records: list[Record], sentence: str) -> None:
    assert told(*records)[-1] == sentence


def test_use_that_is_wholly_released_and_then_gone_in_words() -> None:
    released = known(case(fill("a", "2025-01-01", 8), authorizations=[AuthorizedPeriod()]))
    nothing = known(case(as_of="2026-01-01"))

    assert change_sentences(changes(released, nothing), released, nothing)[1] == (
        "As known on 2025-12-31: 8 covered days from 2025-01-01 to 2025-01-08, beyond the limit from 2025-01-08 on, "
        "all of it released. As known on 2026-01-01: no use."
    )


def test_one_day_of_new_use_in_words() -> None:
    nothing, one_day = known(case()), known(case(fill("a", "2024-01-01", 1)))

    assert change_sentences(changes(nothing, one_day), nothing, one_day)[1] == (
        "As known on 2025-12-31: no use. As known on 2025-12-31: 1 covered day from 2024-01-01 to 2024-01-01, within "
        "the limit."
    )


@pytest.mark.parametrize(
    ("exemption", "sentence"),
    [
        (Exemption(category="cancer"), "The exemption cancer of all days is known only since."),
        (Exemption(category="cancer", start=day(THEN)), "The exemption cancer from 2025-01-08 on is known only since."),
        (Exemption(category="cancer", end=day(NOW)), "The exemption cancer to 2025-03-01 is known only since."),
        (
            AuthorizedPeriod(start=day(THEN), end=day(NOW)),
            "The authorization from 2025-01-08 to 2025-03-01 is known only since.",
        ),
    ],
)
def test_releases_in_words(exemption: Exemption | AuthorizedPeriod, sentence: str) -> None:
    name = "exemptions" if isinstance(exemption, Exemption) else "authorizations"
    without, with_it = known(case(BEFORE)), known(case(BEFORE, **{name: [exemption]}))

    assert change_sentences(changes(without, with_it), without, with_it)[-1] == sentence
    assert change_sentences(changes(with_it, without), with_it, without)[-1] == sentence.replace(
        "is known only since", "no longer holds"
    )


def test_episodes_that_were_joined_are_listed_in_words() -> None:
    apart = [fill("a", "2024-08-01", 5), fill("b", "2025-01-01", 5)]

    sentence = told(*apart, fill("m", "2024-10-01", 40, learned="2025-01-20"))[0]

    assert "5 covered days from 2024-08-01 to 2024-08-05, within the limit; 5 covered days from 2025-01-01" in sentence


# -- laws -----------------------------------------------------------------------------------------------------------
@settings(max_examples=40)
@given(st.integers(), st.integers(0, 40))
def test_every_difference_between_two_verdicts_has_a_record_or_the_time_behind_it(seed: int, days: int) -> None:
    random = Random(seed)
    for _ in range(3):
        now = case_from_json(random_case(random))
        before, after = known(replace(now, as_of=now.as_of - timedelta(days=days))), known(now)

        told = changes(before, after)

        assert change_sentences(told, before, after)
        moved = {change.record_id for change in told.records}
        assert set(before.verdict.counted) ^ set(after.verdict.counted) <= moved
        assert days or told == Changes(records=(), releases=(), episodes=())
        other = [e for change in told.episodes for e in change.before]
        same = [episode for episode in before.verdict.episodes if episode not in other]
        assert len(same) + len(other) == len(before.verdict.episodes)
        kept = {(e.start, e.end, e.pa_required_from) for e in after.verdict.episodes}
        assert all((e.start, e.end, e.pa_required_from) in kept for e in same)
