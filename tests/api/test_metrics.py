"""Figures over the API: whose they are, on which day a request counts, as a sheet, and what is refused."""

import csv
from datetime import UTC, datetime, timedelta
from typing import Any

from authz.ids import new_id
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import determinations, queue, request, timing
from authz.reporting.sheet import COLUMNS
from tests import cast as stage
from tests.api.callers import field_errors, nothing_changes, person, refused
from tests.cast import Cast, key_of, later

MARCH = {"since": "2025-03-01", "until": "2025-03-31"}


def only(answer: Any) -> Any:
    (block,) = answer.json()["results"]
    return block


def test_an_insurer_and_a_clinic_see_the_same_decisions_each_from_its_side(cast: Cast) -> None:
    stage.approved(cast)
    stage.denied(cast)
    stage.queued(cast)

    for caller in (person("nora"), person("rae"), person("stella")):
        block = only(caller.get("metrics/", **MARCH))
        counts = block["all"]["counts"]
        assert (block["payer"]["name"], block["plan"]) == ("Evergreen Health", None)
        assert (counts["received"], counts["decided"], counts["denied"]) == (3, 2, 1)
        assert block["standard"]["percentages"]["approved"] == {"numerator": 1, "denominator": 2, "percent": "50.00"}
        assert block["expedited"]["percentages"]["approved"]["percent"] is None


def test_another_clinic_and_another_insurer_see_nothing(cast: Cast) -> None:
    stage.approved(cast)
    plan = {"plan": str(cast.plan.public_id)}

    for name in ("mallory", "oscar"):
        stranger = person(name)
        assert stranger.get("metrics/", **MARCH).json()["results"] == []
        assert stranger.get("metrics/requests/", **MARCH, figure="approved").json()["results"] == []
        assert stranger.get("aging/").json()["open_requests"] == 0
    # Any clinic may name any payer's plan; to another payer it does not exist.
    assert person("mallory").get("metrics/", **MARCH, **plan).json()["results"] == []
    assert set(field_errors(person("oscar").get("metrics/", **MARCH, **plan))) == {"plan"}
    assert person("mallory").get("productivity/", **MARCH).json()["requests"] == 0


def test_an_insurer_hears_nothing_of_requests_that_were_not_submitted_to_it(cast: Cast) -> None:
    stage.drafted(cast)

    assert person("nora").get("metrics/", **MARCH).json()["results"] == []
    assert person("nora").get("aging/").json()["open_requests"] == 0
    assert person("stella").get("aging/").json()["open_requests"] == 1


def test_a_request_counts_on_the_day_of_its_plans_calendar_also_where_that_has_23_hours(cast: Cast) -> None:
    # New York goes from UTC-5 to UTC-4 in the night to 9 March; its day ends at 04:00 UTC.
    stage.queued(cast, now=datetime(2025, 3, 10, 3, 59, 59, 999_999, tzinfo=UTC))
    stage.queued(cast, now=datetime(2025, 3, 10, 4, tzinfo=UTC))
    stage.queued(cast, now=datetime(2025, 3, 9, 4, 59, 59, 999_999, tzinfo=UTC))

    days = [
        only(person("nora").get("metrics/", since=day, until=day))["all"]["counts"]["received"]
        for day in ("2025-03-08", "2025-03-09", "2025-03-10")
    ]

    assert days == [1, 1, 1]


def test_the_day_of_a_plan_fourteen_hours_ahead_begins_on_the_day_before(cast: Cast) -> None:
    cast.plan.time_zone = "Pacific/Kiritimati"
    cast.plan.save()
    stage.queued(cast, now=datetime(2025, 3, 9, 10, tzinfo=UTC))

    assert (
        only(person("nora").get("metrics/", since="2025-03-10", until="2025-03-10"))["all"]["counts"]["received"] == 1
    )


def test_a_request_is_received_on_one_day_and_decided_on_another(cast: Cast) -> None:
    in_review = stage.in_review(cast)
    determinations.approve(prior_auth_id=key_of(in_review), by=cast.rae, now=later(36))

    on_third = only(person("nora").get("metrics/", since="2025-03-03", until="2025-03-03"))["all"]
    on_fourth = only(person("nora").get("metrics/", since="2025-03-04", until="2025-03-04"))["all"]

    assert (on_third["counts"]["received"], on_third["counts"]["decided"]) == (1, 0)
    assert (on_fourth["counts"]["received"], on_fourth["counts"]["decided"]) == (0, 1)
    assert on_fourth["time_to_decision"] == {
        "mean_hours": "36.00",
        "median_hours": "36.00",
        "mean_days": "1.50",
        "median_days": "1.50",
    }


def test_what_was_extended_and_what_was_refused_speed_counts_as_such(cast: Cast) -> None:
    asked = key_of(stage.drafted(cast))
    request.submit(prior_auth_id=asked, urgency=Urgency.EXPEDITED, by=cast.stella, now=later(0))
    nora = person("nora")
    before = only(nora.get("metrics/", **MARCH))
    timing.refuse_expedited(prior_auth_id=asked, reason="Not urgent.", by=cast.rae, now=later(1))
    cast.plan.regime = "erisa"
    cast.plan.save()
    extended = key_of(stage.in_review(cast))
    timing.extend(prior_auth_id=extended, reason="A second opinion.", by=cast.rae, now=later(0.1))
    determinations.approve(prior_auth_id=extended, by=cast.rae, now=later(0.2))
    after = only(nora.get("metrics/", **MARCH))

    assert (before["expedited"]["counts"]["received"], before["standard"]["counts"]["received"]) == (1, 0)
    assert (after["expedited"]["counts"]["received"], after["standard"]["counts"]["received"]) == (0, 2)
    assert after["standard"]["counts"]["extended_and_approved"] == 1


def test_behind_a_figure_stand_requests_and_nothing_of_their_patients(cast: Cast) -> None:
    denied = stage.denied(cast)
    stage.approved(cast)

    page = person("nora").get("metrics/requests/", **MARCH, figure="denied_fully_or_partly", urgency="standard").json()

    assert page["results"] == [
        {"id": str(denied.public_id), "number": denied.number, "urgency": "standard", "counted_on": "2025-03-03"}
    ]


def test_the_sheet_says_what_the_answer_says_and_runs_no_formula(cast: Cast) -> None:
    stage.approved(cast)
    cast.plan.name = '=HYPERLINK("http://example.org")'
    cast.plan.save()

    answer = person("nora").get_csv("metrics/", **MARCH, by="plan")
    heading, *rows = csv.reader(b"".join(answer.streaming_content).decode().splitlines(keepends=True))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert tuple(heading) == COLUMNS
    assert [dict(zip(heading, row, strict=True))["urgency"] for row in rows] == ["standard", "expedited", "all"]
    told = dict(zip(heading, rows[0], strict=True))
    assert (told["plan"], told["approved"], told["approved_percent"]) == (f"'{cast.plan.name}", "1", "100.00")


def test_the_age_of_open_requests_and_what_requests_cost_are_sheets_too(cast: Cast) -> None:
    stage.drafted(cast)
    stage.queued(cast)
    stella, jones = cast.people["stella"], cast.people["jones"]
    stella.full_name = "=Stella"
    stella.save()

    aged = rows_of(person("stella").get_csv("aging/"))
    work = rows_of(person("stella").get_csv("productivity/", **MARCH))

    assert {row["state"]: (row["requests"], row["from_30_days"]) for row in aged if row["requests"] != "0"} == {
        "draft": ("1", "1"),
        "queued": ("1", "1"),
    }
    assert next(row["overdue"] for row in aged if row["state"] == "queued") == "1"
    assert [(row["person"], row["requests"], row["touches"], row["touches_mean"]) for row in work] == [
        ("", "1", "5", "5.00"), ("'=Stella", "1", "4", ""), (jones.full_name, "1", "1", ""),
    ]  # fmt: skip


def test_what_is_refused_to_who_asks_for_a_sheet_is_told_as_a_problem(cast: Cast) -> None:
    refused(person("nora").get_csv("metrics/", since="2025-03-01"), 422, "invalid-input")


REFUSED: list[tuple[str, dict[str, str], set[str]]] = [
    ("metrics/", {}, {"since", "until"}),
    ("metrics/", {"since": "soon", "until": "2025-02-30", "period": "week", "by": "x", "plan": "1"},
     {"since", "until", "period", "by", "plan"}),
    ("metrics/", {"since": "2025-01-01", "until": "2024-12-31"}, {"until"}),
    ("metrics/", {"since": "2000-01-01", "until": "2099-12-31"}, {"until"}),
    ("metrics/", {**MARCH, "group": "plan"}, {"group"}),
    ("metrics/", {**MARCH, "plan": str(new_id()), "payer": str(new_id())}, {"plan", "payer"}),
    ("metrics/requests/", {**MARCH, "figure": "lost", "urgency": "slow"}, {"figure", "urgency"}),
    ("metrics/requests/", {**MARCH, "figure": "denied", "limit": "0"}, {"limit"}),
    ("productivity/", {"since": "2000-01-01", "until": "2099-12-31"}, {"until"}),
    ("aging/", {"plan": "all", "since": "2025-01-01"}, {"plan", "since"}),
    ("metrics/", {"since": "2026-13-01", "until": "x", "bogus": "1"}, {"since", "until", "bogus"}),
    ("metrics/requests/", {"since": "", "figure": "all", "limit": "5"}, {"since", "until", "figure"}),
]  # fmt: skip


def test_every_parameter_that_is_wrong_is_named(cast: Cast) -> None:
    stella = person("stella")

    for path, query, named in REFUSED:
        with nothing_changes():
            answer = stella.get(path, **query)
        assert set(field_errors(answer)) == named, (path, query)


def test_a_clinic_is_no_payer(cast: Cast) -> None:
    answer = person("stella").get("metrics/", **MARCH, payer=str(cast.riverside.public_id))

    assert field_errors(answer) == {"payer": ("invalid", "There is no such payer.")}


def test_open_requests_are_told_by_state_age_and_time_left(cast: Cast) -> None:
    now = datetime.now(UTC)
    waiting, drafted = stage.queued(cast, now=now - timedelta(days=2)), stage.drafted(cast)
    rows = PriorAuth.objects
    rows.filter(pk=waiting.pk).update(due_at=now + timedelta(hours=9))
    rows.filter(pk=drafted.pk).update(opened_at=now - timedelta(days=31))
    stage.approved(cast)

    told = person("stella").get("aging/").json()

    by_state = {row["state"]: (row["requests"], row["ages"]) for row in told["by_state"] if row["requests"]}
    assert told["open_requests"] == 2
    assert {state: [age for age, many in ages.items() if many] for state, (_, ages) in by_state.items()} == {
        "draft": ["from_30_days"],
        "queued": ["from_1_to_3_days"],
    }
    assert {left: many for left, many in told["by_time_left"].items() if many} == {
        "from_8_to_24_hours": 1,
        "no_deadline": 1,
    }


def test_a_clinic_learns_what_its_requests_cost_it(cast: Cast) -> None:
    drafted = stage.drafted(cast)
    request.submit(prior_auth_id=key_of(drafted), urgency=Urgency.EXPEDITED, by=cast.stella, now=later(5))
    queue.claim(prior_auth_id=key_of(drafted), by=cast.rae, now=later(25))
    determinations.approve(prior_auth_id=key_of(drafted), by=cast.rae, now=later(25))

    told = person("stella").get("productivity/", **MARCH).json()

    # Taken up, answered, the prescriber asked, submitted as expedited, which is one act: Stella. Attested: Dr Jones.
    assert told["touches"] == {"total": 5, "mean": "5.00", "median": "5.00"}
    assert [(row["name"], row["touches"], row["requests"]) for row in told["people"]] == [
        ("Dr Jones", 1, 1),
        ("Stella Marsh", 4, 1),
    ]
    assert told["opened_to_submitted"] == {"requests": 1, "mean_hours": "5.00", "median_hours": "5.00"}
    assert told["submitted_to_decided"] == {"requests": 1, "mean_hours": "20.00", "median_hours": "20.00"}


def rows_of(answer: Any) -> list[dict[str, str]]:
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines(keepends=True)))
