"""Which days are beyond the limit: tables a pharmacist can read."""

from dataclasses import replace
from typing import Any

import pytest

from authz.rules.records import AuthorizedPeriod, Exemption
from authz.rules.use_days import Naive
from tests.rules.builders import FENTANYL_PATCH_75, TRAMADOL_50, case, day, fill, only_episode, order, verdict

JANUARY = "2025-01-"


def january(*fills: tuple[int, int]) -> list:
    """Fills of January 2025 as (day of the month, days' supply)."""
    return [fill(f"f{place}", f"2025-01-{first:02d}", days) for place, (first, days) in enumerate(fills)]


@pytest.mark.parametrize(
    ("fills", "settings", "exceeded_on", "days_beyond"),
    [
        # one fill
        ([(1, 7)], {}, None, 0),
        ([(1, 8)], {}, "08", 1),
        ([(1, 4)], {"limit_days": 3}, "04", 1),
        ([(1, 1)], {"limit_days": 0}, "01", 1),
        # two fills, one after the other, with a pause, and overlapping
        ([(1, 4), (5, 4)], {}, "08", 1),
        ([(1, 4), (11, 4)], {}, "14", 1),
        ([(1, 7), (6, 7)], {}, "08", 5),
        ([(1, 7), (6, 7)], {"overlap": "shift"}, "08", 7),
        ([(1, 7), (6, 7)], {"overlap": "sum"}, "06", 7),
        # two fills on one day: calendar days once, days' supply twice
        ([(1, 5), (1, 5)], {}, None, 0),
        ([(1, 5), (1, 5)], {"overlap": "shift"}, None, 0),
        ([(1, 5), (1, 5)], {"overlap": "sum"}, "01", 5),
        # only the last five days are looked at
        ([(1, 8)], {"limit_days": 4, "window_days": 5}, "05", 4),
        ([(1, 4), (6, 4)], {"limit_days": 4, "window_days": 5}, None, 0),
        ([(1, 4), (6, 5)], {"limit_days": 4, "window_days": 5}, "10", 1),
        ([(1, 4), (4, 3)], {"limit_days": 6, "window_days": 4, "overlap": "sum"}, "04", 1),
        ([(1, 4), (5, 3)], {"limit_days": 6, "window_days": 4, "overlap": "sum"}, None, 0),
        ([(1, 7), (5, 7)], {"window_days": 10, "overlap": "sum"}, "05", 6),  # on the 11th the first is ten days back
        # only the first ten days of the episode are looked at
        ([(1, 20)], {"horizon_days": 10}, "08", 3),
        ([(1, 5), (11, 5)], {"horizon_days": 10}, None, 0),
        # one fill to a patient free of opioids
        ([(1, 7), (8, 7)], {"mode": "per_fill_naive"}, None, 0),
        ([(1, 8)], {"mode": "per_fill_naive"}, "08", 1),
        ([(1, 2), (3, 20)], {"mode": "per_fill_naive"}, None, 0),
        ([(1, 9), (1, 10)], {"mode": "per_fill_naive"}, "08", 3),
        # settings of the cumulative mode do nothing per fill
        ([(1, 20)], {"mode": "per_fill_naive", "horizon_days": 3, "window_days": 2, "overlap": "sum"}, "08", 13),
    ],
)
def test_days_beyond_the_limit(fills: list, settings: dict, exceeded_on: str | None, days_beyond: int) -> None:
    episode = only_episode(*january(*fills), **settings)

    assert episode.exceeded_on == (day(JANUARY + exceeded_on) if exceeded_on else None)
    assert episode.pa_required_from == episode.exceeded_on
    assert episode.pa_required_days == days_beyond


@pytest.mark.parametrize(
    ("second_on", "anchor", "episodes"),
    [
        ("2025-01-09", "supply_end", 2),  # 6, 7 and 8 January: three days without
        ("2025-01-08", "supply_end", 1),
        ("2025-01-05", "fill_date", 2),  # four days after the first fill
        ("2025-01-04", "fill_date", 1),
    ],
)
def test_a_gap_of_three_days_ends_an_episode(second_on: str, anchor: str, episodes: int) -> None:
    found = verdict(fill("a", "2025-01-01", 5), fill("b", second_on, 5), gap_days=3, gap_anchor=anchor).episodes

    assert len(found) == episodes


def test_episodes_by_fill_date_may_overlap_and_each_counts_its_own_days() -> None:
    long, short = verdict(
        fill("a", "2025-01-01", 30), fill("b", "2025-01-10", 5), gap_days=5, gap_anchor="fill_date"
    ).episodes

    assert (long.covered_days, long.exceeded_on) == (30, day("2025-01-08"))
    assert (short.start, short.covered_days, short.exceeded_on) == (day("2025-01-10"), 5, None)


def test_where_episodes_overlap_a_need_may_have_no_single_cause() -> None:
    window = {"window_days": 10, "limit_days": 8, "gap_days": 5, "gap_anchor": "fill_date"}

    first, _ = verdict(
        fill("a", "2025-01-01", 3), fill("c", "2025-01-05", 6, rxcui=TRAMADOL_50), fill("b", "2025-01-11", 4), **window
    ).episodes

    assert first.pa_required_from == day("2025-01-10")
    assert first.trigger_record == "c"


def test_supply_of_another_ingredient_is_not_shifted() -> None:
    episode = only_episode(fill("a", "2025-01-01", 7), fill("b", "2025-01-06", 7, rxcui=TRAMADOL_50), overlap="shift")

    assert episode.covered_days == 12


def test_supply_that_is_shifted_waits_for_the_longest_of_the_day_before() -> None:
    for one, other in ((3, 5), (5, 3)):
        episode = only_episode(
            fill("a", "2025-01-01", one), fill("b", "2025-01-01", other), fill("c", "2025-01-02", 2), overlap="shift"
        )

        assert episode.end == day("2025-01-07")


def test_elapsed_use_needs_nothing_before_the_day_has_come() -> None:
    on_day_seven = verdict(fill("a", "2025-01-01", 30), basis="elapsed", as_of="2025-01-07")
    on_day_eight = verdict(fill("a", "2025-01-01", 30), basis="elapsed", as_of="2025-01-08")

    assert (on_day_seven.pa_required, on_day_seven.first_known_on) == (False, None)
    assert on_day_eight.episodes[0].pa_required_days == 1
    assert on_day_eight.first_known_on == day("2025-01-08")


def test_of_two_episodes_that_need_something_the_earlier_need_is_known_first() -> None:
    overlapping = [fill("a", "2025-01-01", 20), fill("b", "2025-01-03", 20)]

    answer = verdict(*overlapping, basis="elapsed", gap_anchor="fill_date", gap_days=1)

    assert [episode.pa_required_from for episode in answer.episodes] == [day("2025-01-08"), day("2025-01-10")]
    assert answer.first_known_on == day("2025-01-08")


def test_supply_shifted_beyond_today_counts_as_a_record_but_covers_no_day() -> None:
    fills = [fill("a", "2025-01-01", 10), fill("b", "2025-01-02", 10)]

    answer = verdict(*fills, overlap="shift", basis="elapsed", as_of="2025-01-05")

    assert answer.counted == ("a", "b")
    assert answer.episodes[0].records == ("a",)


@pytest.mark.parametrize(
    ("born", "exceeded_on"),
    [
        ("2007-01-06", None),  # 18 on the sixth day: the ordinary limit holds by then
        ("2007-01-07", "2025-01-06"),
        ("2007-02-28", "2025-01-06"),
        ("1970-05-05", None),
        (None, None),
    ],
)
def test_a_minor_has_a_lower_limit_until_the_birthday(born: str | None, exceeded_on: str | None) -> None:
    episode = only_episode(fill("a", "2025-01-01", 6), born=born, minor_limit_days=5)

    assert episode.exceeded_on == (day(exceeded_on) if exceeded_on else None)


@pytest.mark.parametrize(("born", "limit"), [("2007-01-05", 7), ("2007-01-06", 5)])
def test_use_within_the_limit_is_told_with_the_limit_of_its_last_day(born: str, limit: int) -> None:
    episode = only_episode(fill("a", "2025-01-01", 5), born=born, minor_limit_days=5)

    assert (episode.exceeded_on, episode.limit_days) == (None, limit)


@pytest.mark.parametrize(
    ("start", "born", "exceeded_on"),
    [
        ("2025-02-24", "2007-02-28", None),
        ("2025-02-24", "2008-02-29", "2025-03-01"),
        ("2026-02-24", "2008-02-29", None),  # 18 on 1 March 2026, the sixth day
        ("2026-02-23", "2008-02-29", "2026-02-28"),
        ("2028-02-24", "2010-02-28", None),
    ],
)
def test_born_on_29_february_one_comes_of_age_on_1_march_of_common_years(
    start: str, born: str, exceeded_on: str | None
) -> None:
    episode = only_episode(fill("a", start, 6), born=born, minor_limit_days=5, as_of="2028-12-31")

    assert episode.exceeded_on == (day(exceeded_on) if exceeded_on else None)


def test_in_a_leap_year_one_comes_of_age_on_29_february_itself() -> None:
    fill_to_29_february = fill("a", "2028-02-24", 6)

    assert (
        only_episode(
            fill_to_29_february, born="2008-02-29", minor_limit_days=5, minor_age=20, as_of="2028-12-31"
        ).exceeded_on
        is None
    )
    assert only_episode(
        fill_to_29_february, born="2008-03-01", minor_limit_days=5, minor_age=20, as_of="2028-12-31"
    ).exceeded_on


@pytest.mark.parametrize(("born", "is_limited"), [("2007-01-01", False), ("2007-01-02", True)])
def test_per_fill_the_limit_is_that_of_the_day_dispensed(born: str, is_limited: bool) -> None:
    episode = only_episode(fill("a", "2025-01-01", 6), mode="per_fill_naive", born=born, minor_limit_days=5)

    assert (episode.exceeded_on is not None) == is_limited
    assert episode.limit_days == (5 if is_limited else 7)


def test_an_age_beyond_the_calendar_is_never_reached() -> None:
    assert only_episode(fill("a", "2025-01-01", 6), born="2000-01-01", minor_age=9000, minor_limit_days=5).exceeded_on


@pytest.mark.parametrize(
    ("start", "end", "needed_from", "needed_days"),
    [
        ("2025-01-08", "2025-01-30", None, 0),
        (None, None, None, 0),
        ("2025-01-09", None, "2025-01-08", 1),
        (None, "2025-01-29", "2025-01-30", 1),
        ("2025-01-10", "2025-01-12", "2025-01-08", 20),
    ],
)
def test_an_exemption_and_an_authorization_release_their_days(
    start: str | None, end: str | None, needed_from: str | None, needed_days: int
) -> None:
    first, last = (day(text) if text else None for text in (start, end))
    supply = fill("a", "2025-01-01", 30)

    for released in (
        {"exemptions": [Exemption(category="hospice", start=first, end=last)]},
        {"authorizations": [AuthorizedPeriod(start=first, end=last)]},
    ):
        episode = only_episode(supply, **released)
        assert episode.exceeded_on == day("2025-01-08")
        assert episode.pa_required_from == (day(needed_from) if needed_from else None)
        assert episode.pa_required_days == needed_days
        assert episode.trigger_record == ("a" if needed_from else None)
        assert verdict(supply, **released).first_known_on == (day("2025-01-01") if needed_from else None)


def test_a_period_that_ends_before_it_starts_releases_nothing() -> None:
    upside_down = AuthorizedPeriod(start=day("2025-01-20"), end=day("2025-01-10"))

    episode = only_episode(fill("a", "2025-01-01", 30), authorizations=[upside_down])

    assert (episode.pa_required_days, episode.releases) == (23, ())


def test_an_exemption_that_the_policy_does_not_grant_changes_nothing() -> None:
    hospice, surgery = Exemption(category="hospice"), Exemption(category="surgery")

    assert verdict(fill("a", "2025-01-01", 8), exemptions=[hospice], exempt_categories=["cancer"]).pa_required
    assert verdict(fill("a", "2025-01-01", 8), exemptions=[surgery]).pa_required


def test_an_established_patient_is_not_limited() -> None:
    episode = only_episode(fill("a", "2025-01-01", 30), established_days=10, established_window=12)

    assert episode.exceeded_on == day("2025-01-08")
    assert episode.pa_required_days == 3  # 8, 9 and 10 January have fewer than ten days of use before them


def test_use_that_has_faded_from_the_window_establishes_nobody() -> None:
    fills = [fill("a", "2025-01-01", 10), fill("b", "2025-01-20", 10)]

    episode = only_episode(*fills, established_days=9, established_window=15)

    # 10 January has nine days of use before it; 20 January only six of the first ten, and 29 January nine again.
    assert (episode.pa_required_from, episode.pa_required_days) == (day("2025-01-08"), len([8, 9]) + len(range(20, 29)))


@pytest.mark.parametrize(
    ("earlier", "known_from", "anchor", "naive"),
    [
        (None, None, "supply_end", Naive.NAIVE),
        (None, "2025-01-02", "supply_end", Naive.NAIVE),
        (None, "2025-01-03", "supply_end", Naive.UNKNOWN),
        (("2024-12-30", 4), None, "supply_end", Naive.NOT_NAIVE),  # until 2 January, 60 days before 3 March
        (("2024-12-30", 3), None, "supply_end", Naive.NAIVE),
        (("2024-12-30", 4), "2025-02-01", "supply_end", Naive.NOT_NAIVE),
        (("2025-01-02", 1), None, "fill_date", Naive.NOT_NAIVE),
        (("2024-12-30", 30), None, "fill_date", Naive.NAIVE),
    ],
)
def test_naive_means_no_opioid_in_the_sixty_days_before(
    earlier: tuple[str, int] | None, known_from: str | None, anchor: str, naive: Naive
) -> None:
    records = [fill("b", "2025-03-03", 30)] + ([fill("a", *earlier)] if earlier else [])
    settings = {"mode": "per_fill_naive", "gap_anchor": anchor, "gap_days": 60}

    answer = verdict(*records, known_from=known_from, **settings)

    beyond = any("b" in episode.records and episode.exceeded_on for episode in answer.episodes)
    assert beyond == (naive is not Naive.NOT_NAIVE)
    assert (("b", "history_incomplete") in answer.attention) == (naive is Naive.UNKNOWN)


@pytest.mark.parametrize(("mode", "records"), [("cumulative", ["a"]), ("per_fill_naive", ["a", "b"])])
def test_missing_history_is_told_of_each_supply_whose_answer_rests_on_it(mode: str, records: list[str]) -> None:
    same_day = [fill("a", "2025-01-01", 5), fill("b", "2025-01-01", 5), fill("c", "2025-01-04", 5)]

    answer = verdict(*same_day, mode=mode, known_from="2025-01-01")

    assert answer.attention == tuple((record, "history_incomplete") for record in records)


def test_the_cause_is_the_record_with_which_the_need_arises() -> None:
    fills = [
        fill("z", "2025-01-01", 4),
        fill("y", "2025-01-05", 3),
        fill("x", "2025-01-08", 3),
        fill("w", "2025-01-11", 3),
    ]

    cause = only_episode(*fills).cause

    assert cause is not None
    assert (cause.record_id, cause.place, cause.start) == ("x", 3, day("2025-01-08"))


def test_the_cause_is_counted_among_records_of_its_kind() -> None:
    cause = only_episode(order("a", "2025-01-01", 4), fill("b", "2025-01-05", 4), as_of="2025-01-06").cause

    assert cause is not None
    assert (cause.record_id, cause.place) == ("b", 1)


def test_days_released_do_not_make_a_record_the_cause() -> None:
    through_january = AuthorizedPeriod(start=day("2025-01-01"), end=day("2025-01-31"))
    fills = [fill("a", "2025-01-01", 30), fill("b", "2025-01-31", 30)]

    assert only_episode(*fills, authorizations=[through_january]).trigger_record == "b"


def test_a_need_can_first_be_known_when_the_start_date_comes() -> None:
    assert verdict(fill("a", "2025-01-10", 8, learned="2025-01-01")).first_known_on == day("2025-01-10")


def test_a_need_known_once_stays_known_though_the_order_has_expired() -> None:
    answer = verdict(order("a", "2025-01-01", 10), as_of="2025-03-01")

    assert (answer.pa_required, answer.first_known_on) == (False, day("2025-01-01"))


def test_an_order_that_expires_can_bring_the_need() -> None:
    # Until it expires, the order makes the patient not naive, and the long fill needs nothing.
    records = [order("a", "2025-01-01", 3), fill("b", "2025-01-06", 20)]

    answer = verdict(*records, mode="per_fill_naive", written_expiry_days=10)

    assert answer.first_known_on == day("2025-01-12")


def test_nothing_recorded_by_today_gives_an_empty_verdict() -> None:
    answer = verdict(fill("a", "2025-01-01", 30, learned="2025-02-01"), as_of="2025-01-15")

    assert (answer.counted, answer.ignored, answer.episodes, answer.first_known_on) == ((), (), (), None)
    assert verdict().episodes == ()


def test_patches_cover_days_like_anything_else() -> None:
    assert only_episode(fill("a", "2025-01-01", 9, rxcui=FENTANYL_PATCH_75)).exceeded_on == day("2025-01-08")


def test_a_verdict_far_from_today_is_exact_too() -> None:
    assert only_episode(fill("a", "8999-12-30", 8), as_of="9000-12-31").exceeded_on == day("9000-01-06")
    assert case(as_of="9000-12-31").as_of.year == 9000


def test_a_window_reaches_back_into_the_episode_before() -> None:
    for overlap, exceeded_on, count in (("sum", "2025-01-06", 8), ("union", "2025-01-09", 8)):
        _, second = verdict(
            *january((1, 4), (6, 4)), gap_days=1, window_days=10, limit_days=7, overlap=overlap
        ).episodes

        assert (second.exceeded_on, second.count) == (day(exceeded_on), count)


def test_of_two_fills_of_one_day_the_longer_is_told() -> None:
    episode = only_episode(fill("a", "2025-01-01", 7), fill("b", "2025-01-01", 10), mode="per_fill_naive")

    assert (episode.exceeded_on, episode.count) == (day("2025-01-08"), 10)


# Until the third fill is begun on the 15th, the last one is seen as a first one, and its day 8 is the 12th.
PASSING = [*january((1, 7), (2, 7), (3, 5)), fill("other", "2025-01-05", 20, rxcui=TRAMADOL_50)]
ELAPSED: dict[str, Any] = {
    "mode": "per_fill_naive",
    "gap_anchor": "fill_date",
    "gap_days": 2,
    "overlap": "shift",
    "basis": "elapsed",
}


@pytest.mark.parametrize("as_of", ["2025-01-15", "2025-01-20"])
def test_a_need_that_passed_before_today_was_still_known(as_of: str) -> None:
    answer = verdict(*PASSING, **ELAPSED, as_of=as_of)

    assert (answer.pa_required, answer.first_known_on) == (False, day("2025-01-12"))


def test_a_need_that_had_passed_when_its_records_were_learned_was_never_known() -> None:
    learned_late = [replace(record, recorded_on=day("2025-01-15")) for record in PASSING]

    assert verdict(*learned_late, **ELAPSED, as_of="2025-01-20").first_known_on is None


@pytest.mark.parametrize(("as_of", "known_on"), [("2025-01-08", None), ("2025-01-09", "2025-01-09")])
def test_a_need_of_tomorrow_is_not_known_today_though_more_supply_waits(as_of: str, known_on: str | None) -> None:
    nine_days, waiting = january((1, 9), (2, 3))  # the second is begun on the 10th

    answer = verdict(nine_days, waiting, overlap="shift", basis="elapsed", limit_days=8, as_of=as_of)

    assert answer.first_known_on == (day(known_on) if known_on else None)
