"""The patient page: the verdict in words, the days as a drawing and as a table."""

from datetime import date, timedelta
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz import clock
from authz.ids import FillId, PatientId, PlanId
from authz.policies.services import create_plan
from authz.prescriptions.facts import CoverageFacts, ExemptionFacts
from authz.prescriptions.models import PatientIdentifier
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.opioid_use import opioid_use
from authz.prior_auths.services import intake
from authz.rules.records import ExemptionCategory
from authz.web.chart import MOST_DAYS, Mark, Standing, Supply, chart
from authz.web.opioid_days import UseDay, day_of_use, newest_episode, runs, use_days
from tests.cast import NOW, TODAY, Cast, fill, insure, queued, register
from tests.web.conftest import Door
from tests.web.reading import findings, read


def test_the_page_tells_the_verdict_the_records_and_the_days(cast: Cast, enter: Door) -> None:
    patient = register(cast, mrn="MRN-77")
    fill(cast, patient, 4, on=TODAY - timedelta(days=4), identifier="F-A")
    fill(cast, patient, 6, identifier="F-B")
    reversed_fill, _ = fill(cast, patient, 3, on=TODAY - timedelta(days=2), identifier="F-C")
    intake.reverse_fill(fill_id=FillId(reversed_fill.public_id), by=cast.stella, now=NOW)

    seen = unescape(enter("stella").get(f"/patients/{patient.public_id}/?as_of=2025-03-03").content.decode())

    assert "MRN-77" in seen
    assert "Needs authorization, as known on" in seen
    assert "day 8 is 2025-03-06" in seen
    assert "Not counted: reversed" in seen
    assert "The fill of 2025-03-01 (" in seen
    assert str(reversed_fill.public_id) not in seen
    assert "30.00 MME" in seen
    assert (
        "10 covered days; the limit is 7. 3 days from Mar 6, 2025 on need authorization. The most a day is 30 MME"
        in seen
    )
    assert "Beyond the limit, needs authorization" in seen


def test_a_day_that_cannot_be_read_is_named_and_today_is_shown(cast: Cast, enter: Door) -> None:
    patient = register(cast)

    seen = enter("stella").get(f"/patients/{patient.public_id}/?as_of=2025-02-30").content.decode()

    assert "Give a day as YYYY-MM-DD." in seen
    assert 'value="2025-02-30"' in seen
    assert "No order and no fill is known." in seen


def test_the_page_tells_the_rule_the_count_and_the_way_out(cast: Cast, enter: Door) -> None:
    patient = register(cast)
    fill(cast, patient, 4, on=TODAY - timedelta(days=4))
    fill(cast, patient, 6)

    html = enter("stella").get(f"/patients/{patient.public_id}/?as_of=2025-03-03").content.decode()

    seen, tables = " ".join(unescape(read(html).whole_text()).split()), read(html).all("table")
    assert "Why this needs authorization" in seen
    assert "Use beyond seven days (default, version 1)" in seen
    assert "The limit was read in: PQA / CMS measure" in seen
    assert "for 3 fewer days (3 instead of 6)" in seen
    (count,) = [table for table in tables if "with the count on each" in table.whole_text()]
    assert [row.all("td")[1].whole_text() for row in count.all("tr")[1:]] == list("12345678")
    assert "Beyond the limit, needs authorization" in count.all("tr")[-1].whole_text()
    assert "The fill of 2025-03-03 (" in count.all("tr")[-1].whole_text()
    assert "Payer rule unknown" not in seen
    assert findings(html) == []


def test_an_unknown_payers_rule_is_marked_and_what_is_unconfirmed_says_so(cast: Cast, enter: Door) -> None:
    stranger = register(cast, insured=False)
    member = register(cast, insured=False)
    part_d = create_plan(insurer=cast.evergreen, code="D", name="Part D", policy="part_d_2019")
    covered = CoverageFacts(plan_id=PlanId(part_d.public_id), member_id="M-9", starts_on=TODAY, ends_on=None)
    intake.record_coverage(patient_id=PatientId(member.public_id), facts=covered, by=cast.stella, now=NOW)
    stella = enter("stella")

    unknown, unconfirmed = (
        unescape(stella.get(f"/patients/{patient.public_id}/?as_of=2025-03-03").content.decode())
        for patient in (stranger, member)
    )

    assert "Payer rule unknown." in unknown
    assert "Confirm against the payer's current document" not in unknown
    assert "settings are not confirmed: compare with the payer's current document." in unconfirmed
    assert unconfirmed.count("Confirm against the payer's current document") > 3
    assert "Payer rule unknown." not in unconfirmed


# The pages read the clock, so what was learned "since" is everything, and "before" any day of the cast's.
def test_a_past_day_can_be_compared_with_today(cast: Cast, enter: Door) -> None:
    patient = register(cast)
    late, _ = fill(cast, patient, 10, on=TODAY - timedelta(days=2))
    stella = enter("stella")

    def compared(as_of: str) -> str:
        path = f"/patients/{patient.public_id}/?as_of={as_of}&compare=today"
        html = stella.get(path).content.decode()
        assert findings(html) == []
        return unescape(html)

    before, after, to_come = compared("2025-03-02"), compared("2025-03-03"), compared("2100-01-01")

    assert "What has become known since" in before
    assert "The fill of 2025-03-01 (" in before
    assert "was learned on 2025-03-03, 2 days after its own day, 2025-03-01; it counts." in before
    assert str(late.public_id) not in before
    assert "Nothing was learned since that changes a day" in after
    assert "What has become known since" not in to_come


def test_an_insurer_sees_its_own_number_and_never_what_the_clinic_typed(cast: Cast, enter: Door) -> None:
    prior_auth = queued(cast)
    key = prior_auth.patient.public_id
    typed = PatientIdentifier.objects.get(patient=prior_auth.patient, assigner=cast.riverside)
    rae, stella = enter("rae"), enter("stella")

    for path in ("/?show=open", f"/prior-auths/{prior_auth.public_id}/", f"/patients/{key}/"):
        seen, own = rae.get(path).content.decode(), stella.get(path).content.decode()

        assert f"Member M-{key}" in seen
        assert "Pat Doe" not in seen
        assert typed.value not in seen
        assert "Pat Doe" in own


# -- the drawing --------------------------------------------------------------------------------------------------
def test_every_covered_day_has_its_number_and_the_limit_stands_before_the_first_beyond(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 4, on=TODAY)
    fill(cast, patient, 5, on=TODAY + timedelta(days=6))
    use = opioid_use(cast.stella, PatientId(patient.public_id), now=NOW + timedelta(days=6))
    episode = newest_episode(use.payer.verdict)
    assert episode is not None

    days = use_days(use.payer.verdict, episode)
    drawn = chart(days, [Supply(name="x", starts_on=TODAY, days=4)], limit=7, today=TODAY)

    assert [day.number for day in days] == list(range(1, 10))
    assert [day.on for day in days if day.needs_authorization] == [date(2025, 3, 12), date(2025, 3, 13)]
    assert [(run.first.number, run.last.number) for run in runs(days)] == [(1, 4), (5, 7), (8, 9)]
    assert drawn is not None
    assert drawn.limit_mark is not None
    assert drawn.limit_mark.x == next(cell.x for cell in drawn.cells if cell.day.number == 8)
    assert drawn.bars[0].width == 4 * drawn.cell
    assert drawn.today_mark is not None


def test_a_long_stretch_is_cut_to_its_last_days_and_says_so(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 300)
    use = opioid_use(cast.stella, PatientId(patient.public_id), now=NOW)
    episode = newest_episode(use.payer.verdict)
    assert episode is not None
    days = use_days(use.payer.verdict, episode)

    drawn = chart(days, [Supply(name="x", starts_on=TODAY, days=300)], limit=7, today=TODAY)

    assert drawn is not None
    assert drawn.is_cut
    assert len(drawn.cells) == MOST_DAYS
    assert drawn.cells[-1].day.number == 300
    assert drawn.limit_mark is None
    assert drawn.bars[0].width == MOST_DAYS * drawn.cell


def test_released_days_are_told_apart(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 12)
    facts = ExemptionFacts(
        category=ExemptionCategory.HOSPICE, starts_on=TODAY + timedelta(days=9), ends_on=None, evidence="Letter"
    )
    intake.record_exemption(patient_id=PatientId(patient.public_id), facts=facts, by=cast.stella, now=NOW)
    use = opioid_use(cast.stella, PatientId(patient.public_id), now=NOW)
    episode = newest_episode(use.payer.verdict)
    assert episode is not None

    standings = [day.standing for day in use_days(use.payer.verdict, episode)]

    assert standings[6:] == [
        "within the limit",
        "beyond the limit, needs authorization",
        "beyond the limit, needs authorization",
        "beyond the limit, released",
        "beyond the limit, released",
        "beyond the limit, released",
    ]


def test_the_day_of_use_counts_covered_days_up_to_today(cast: Cast) -> None:
    patient = register(cast)
    insure(cast, patient)
    fill(cast, patient, 10)
    row = PriorAuth.objects.select_related("evaluation").get()

    def on(days: int) -> tuple[int, date | None]:
        found = day_of_use(row.evaluation.verdict, row.record_ids, on=TODAY + timedelta(days=days))
        assert found is not None
        assert found.limit == 7
        return found.number, found.ended_on

    assert [on(-1), on(0), on(7), on(9)] == [(0, None), (1, None), (8, None), (10, None)]
    assert on(30) == (10, TODAY + timedelta(days=9))
    assert day_of_use(row.evaluation.verdict, [], on=TODAY) is None


def test_a_planned_prescription_is_answered_before_it_is_written(cast: Cast, enter: Door) -> None:
    patient = register(cast)
    fill(cast, patient, 4, on=clock.day_in("America/New_York", at=clock.now()), now=clock.now())
    stella, path = enter("stella"), f"/patients/{patient.public_id}/"
    first_day = read(stella.get(path).content.decode())
    (start,) = [field for field in first_day.all("input") if field.attributes.get("name") == "starts_on"]

    def planned(days: str) -> str:
        html = stella.get(path, {"days_supply": days, "starts_on": start.attributes["value"]}).content.decode()
        assert findings(html) == []
        return unescape(html)

    short, long, wrong = planned("3"), planned("5"), planned("0")

    assert "Needs no authorization</span> 3 days of oxycodone" in short
    assert "Needs authorization from" in long
    assert "No authorization would be needed with the planned prescription for 2 fewer days (3 instead of 5)" in long
    assert long.count("<svg") == 2
    assert "2 days from" in long
    assert "(planned)" in long
    assert "From 1 to 120 days." in wrong


def test_the_slider_leads_to_what_was_known_before(cast: Cast, enter: Door) -> None:
    patient = register(cast)
    fill(cast, patient, 10, on=clock.day_in("America/New_York", at=clock.now()), now=clock.now())

    seen = enter("stella").get(f"/patients/{patient.public_id}/?days_back=1").content.decode()

    assert "No order and no fill is known." in seen
    assert findings(seen) == []


def ten_days(*, mme: str = "60.00", beyond: int = 7) -> list[UseDay]:
    return [
        UseDay(
            on=TODAY + timedelta(days=number),
            number=number + 1,
            mme=mme,
            is_mme_whole=True,
            is_beyond=number >= beyond,
            needs_authorization=number >= beyond,
        )
        for number in range(10)
    ]


def test_what_is_ordered_and_what_is_planned_have_shapes_of_their_own_and_the_drawing_says_its_result() -> None:
    days = ten_days()
    supplies = [Supply(name="x", starts_on=TODAY, days=5, standing=standing) for standing in Standing]

    drawn = chart(days, supplies, limit=7, today=TODAY)

    assert drawn is not None
    assert [bar.standing for bar in drawn.bars] == list(Standing)
    assert [bar.label for bar in drawn.bars] == ["x", "x (ordered, pending)", "x (planned)"]
    assert drawn.title == "3 days from Mar 10, 2025 on need authorization: beyond the limit of 7"
    assert drawn.description.endswith("The most a day is 60 MME, which is from 50 up.")
    assert [level.amount for level in drawn.levels] == [50, 90]
    assert drawn.cells[0].mme_y < drawn.levels[0].y


def spread(mark: Mark) -> tuple[int, int]:
    """Return from where to where the word of a mark reaches, letters being seven wide."""
    length = 7 * len(mark.word)
    return (mark.word_x - length, mark.word_x) if mark.is_before else (mark.word_x, mark.word_x + length)


@given(day=st.integers(0, 9), beyond=st.integers(0, 9))
def test_the_words_above_the_drawing_stay_within_it_and_no_line_goes_through_one(day: int, beyond: int) -> None:
    drawn = chart(ten_days(beyond=beyond), [], limit=beyond, today=TODAY + timedelta(days=day))

    assert drawn is not None
    assert drawn.limit_mark is not None
    assert drawn.today_mark is not None
    for start, end in (spread(drawn.limit_mark), spread(drawn.today_mark)):
        assert 0 <= start < end <= drawn.width
    start, end = spread(drawn.today_mark)
    assert not start < drawn.limit_mark.x < end


@pytest.mark.parametrize(("mme", "is_right"), [("60.00", False), ("190.00", False), ("300.00", True)])
def test_the_two_amounts_of_the_band_stand_apart(mme: str, is_right: bool) -> None:
    drawn = chart(ten_days(mme=mme), [], limit=7, today=TODAY)

    assert drawn is not None
    assert [level.is_right for level in drawn.levels] == [False, is_right]


@given(start=st.integers(0, 9), days=st.integers(1, 10), length=st.integers(1, 90))
def test_a_long_name_has_room_whatever_its_bar(start: int, days: int, length: int) -> None:
    supply = Supply(name="x" * length, starts_on=TODAY + timedelta(days=start), days=days)

    drawn = chart(ten_days(), [supply], limit=7, today=TODAY)

    assert drawn is not None
    (bar,) = drawn.bars
    long = 7 * length
    assert (bar.name_x - long if bar.is_name_before else bar.name_x) >= 0
    assert (bar.name_x if bar.is_name_before else bar.name_x + long) <= drawn.width
