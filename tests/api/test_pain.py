"""Pain scores, surgeries, the clinic's switch and the signal over the API; and that no insurer sees any of it."""

from datetime import timedelta
from typing import Any

import pytest

from authz import clock
from authz.access.roles import Role
from authz.pain.models import PainHint, PainScore
from authz.prescriptions.models import Patient
from authz.prior_auths.services import request as clinic
from tests import cast as stage
from tests.api.callers import (
    Caller,
    days_ago,
    field_errors,
    fill_body,
    machine,
    nothing_changes,
    person,
    refused,
    score_body,
    surgery_body,
    today,
)


def rating(patient: Patient, pain: int, ago: int) -> dict[str, Any]:
    day = days_ago(ago)
    return {
        "patient": str(patient.public_id),
        "identifier": f"P-{ago}",
        "scored_on": day,
        "instrument": "pain_now",
        "pain": pain,
    }


def with_signal(cast: stage.Cast, stella: Caller) -> Patient:
    """Return a patient of a clinic that has the signal on, whose pain rose while the dose stayed as it was."""
    machine(cast.riverside, Role.CLINIC_ADMIN).patch("organizations/me/settings/", {"pain_signal": True})
    patient = stage.register(cast)
    stella.post("fills/", fill_body(patient, dispensed_on=days_ago(179), days_supply=180, quantity="720"))
    for pain, ago in ((4, 150), (4, 100), (7, 60), (7, 10)):
        assert stella.post("pain-scores/", rating(patient, pain, ago)).status_code == 201
    return patient


def test_a_score_is_recorded_corrected_taken_back_and_found(cast: stage.Cast, stella: Caller, patient: Patient) -> None:
    created = stella.post("pain-scores/", score_body(patient), key="k-1")
    again = stella.post("pain-scores/", score_body(patient), key="k-1")
    corrected = stella.post("pain-scores/", score_body(patient, activity=7))
    in_error = stella.post(f"pain-scores/{created.json()['id']}/entered-in-error/")

    assert (created.status_code, created.json()["score"], created.json()["recorded_by"]) == (
        201,
        "6.67",
        "Stella Marsh",
    )
    assert again["Idempotency-Replayed"] == "true"
    assert [answer.json()["outcome"] for answer in (corrected, in_error)] == ["corrected", "corrected"]
    (found,) = stella.get("pain-scores/", patient=str(patient.public_id), identifier="P-1").json()["results"]
    assert (found["status"], found["version"], found["score"]) == ("entered_in_error", 3, "7.00")
    assert found == stella.get(f"pain-scores/{found['id']}/").json()


def test_a_surgery_is_recorded_moved_and_taken_back(cast: stage.Cast, stella: Caller, patient: Patient) -> None:
    created = stella.post("surgeries/", surgery_body(patient))
    moved = stella.post("surgeries/", surgery_body(patient, performed_on=days_ago(1)))
    in_error = stella.post(f"surgeries/{created.json()['id']}/entered-in-error/")

    assert (created.status_code, moved.json()["performed_on"]) == (201, days_ago(1))
    assert (in_error.json()["status"], in_error.json()["version"]) == ("entered_in_error", 3)
    (found,) = stella.get("surgeries/", patient=str(patient.public_id)).json()["results"]
    assert found == stella.get(f"surgeries/{found['id']}/").json()


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"pain": 11, "enjoyment": -1, "scored_on": "2999-01-01"}, {"pain", "enjoyment", "scored_on"}),
        ({"pain": "7"}, {"pain"}),
        ({"pain": 6.5}, {"pain"}),
        ({"enjoyment": None, "activity": None}, {"enjoyment", "activity"}),
        ({"instrument": "pain_now"}, {"enjoyment", "activity"}),
        ({"instrument": "vas", "severity": 5}, {"instrument", "severity"}),
        ({"scored_on": "2025-02-30"}, {"scored_on"}),
        ({"patient": str(stage.unknown_id())}, {"patient"}),
    ],
)
def test_every_field_that_is_wrong_is_named_and_nothing_is_kept(
    stella: Caller, patient: Patient, wrong: dict[str, Any], fields: set[str]
) -> None:
    with nothing_changes():
        answer = stella.post("pain-scores/", score_body(patient, **wrong))

    assert set(field_errors(answer)) == fields


def test_a_score_of_another_patient_is_not_taken_over(cast: stage.Cast, stella: Caller, patient: Patient) -> None:
    stella.post("pain-scores/", score_body(patient))
    other = stage.register(cast)

    with nothing_changes():
        answer = stella.post("pain-scores/", score_body(other))

    assert set(field_errors(answer)) == {"identifier"}


# -- the switch -------------------------------------------------------------------------------------------------------
def test_the_switch_is_off_and_only_the_clinics_administrator_moves_it(cast: stage.Cast, stella: Caller) -> None:
    administrator, path = machine(cast.riverside, Role.CLINIC_ADMIN), "organizations/me/settings/"

    assert stella.get(path).json() == {"pain_signal": False}
    with nothing_changes():
        refused(person("jones").patch(path, {"pain_signal": True}), 403, "forbidden")
        assert set(field_errors(administrator.patch(path, {"pain_signal": "yes"}))) == {"pain_signal"}

    assert administrator.patch(path, {"pain_signal": True}).json() == {"pain_signal": True}
    assert stella.get(path).json() == {"pain_signal": True}
    assert person("mallory").get(path).json() == {"pain_signal": False}


def test_an_insurer_has_no_such_settings(cast: stage.Cast, rae: Caller) -> None:
    refused(rae.get("organizations/me/settings/"), 403, "forbidden")
    refused(rae.patch("organizations/me/settings/", {"pain_signal": True}), 403, "forbidden")


# -- the signal -------------------------------------------------------------------------------------------------------
def test_a_prescriber_reads_the_signal_and_what_could_explain_it(
    cast: stage.Cast, stella: Caller, jones: Caller
) -> None:
    patient = with_signal(cast, stella)

    seen = jones.get(f"patients/{patient.public_id}/pain-signal/").json()

    assert (seen["is_on"], seen["reasons"], seen["as_of"]) == (True, [], today().isoformat())
    signal = seen["signal"]
    assert (signal["earlier"]["pain"], signal["later"]["pain"]) == ("4.00", "7.00")
    assert (signal["earlier"]["mme"], signal["later"]["mme"], signal["table"]) == ("30.00", "30.00", "2022")
    assert len(signal["explanations"]) == 6
    assert seen["sentences"][-1].startswith("This is decision support, not a diagnosis.")
    assert PainHint.objects.get().prescriber == cast.prescriber


def test_without_a_signal_every_reason_is_told(cast: stage.Cast, jones: Caller, patient: Patient) -> None:
    machine(cast.riverside, Role.CLINIC_ADMIN).patch("organizations/me/settings/", {"pain_signal": True})

    seen = jones.get(f"patients/{patient.public_id}/pain-signal/").json()

    assert (seen["is_on"], seen["signal"]) == (True, None)
    assert seen["reasons"] == ["too_few_scores", "coverage_too_low", "dose_unknown"]


def test_while_the_clinic_has_it_off_there_is_nothing_to_read(
    cast: stage.Cast, jones: Caller, patient: Patient
) -> None:
    seen = jones.get(f"patients/{patient.public_id}/pain-signal/").json()

    assert (seen["is_on"], seen["signal"], seen["reasons"]) == (False, None, [])


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("stella", 403, "forbidden"), ("mallory", 404, "not-found"), ("oscar", 404, "not-found")],
)
def test_nobody_but_a_prescriber_there_reads_the_signal(
    cast: stage.Cast, patient: Patient, name: str, status: int, code: str
) -> None:
    refused(person(name).get(f"patients/{patient.public_id}/pain-signal/"), status, code)


def test_an_insurer_sees_neither_scores_nor_the_signal_by_any_path(cast: stage.Cast, stella: Caller) -> None:
    case = stage.drafted(cast, now=clock.now())
    patient = case.patient
    machine(cast.riverside, Role.CLINIC_ADMIN).patch("organizations/me/settings/", {"pain_signal": True})
    for pain, ago in ((4, 150), (4, 100), (7, 60), (7, 10)):
        stella.post("pain-scores/", rating(patient, pain, ago))
    stella.post("surgeries/", surgery_body(patient, performed_on=days_ago(300)))
    clinic.submit(prior_auth_id=stage.key_of(case), by=cast.stella, now=clock.now())
    stella.post("fills/", fill_body(patient, dispensed_on=days_ago(179), days_supply=180, quantity="720"))
    score, own, here = PainScore.objects.first(), patient.public_id, f"prior-authorizations/{case.public_id}/"
    assert PainHint.objects.count() == 1
    assert score is not None
    rae, ingrid = person("rae"), machine(cast.evergreen, Role.INTAKE)

    for caller in (rae, ingrid):
        assert caller.get("pain-scores/").json()["results"] == []
        assert caller.get("surgeries/").json()["results"] == []
        refused(caller.get(f"pain-scores/{score.public_id}/"), 404, "not-found")
        refused(caller.get(f"patients/{own}/pain-signal/"), 403, "forbidden")
        paths = [f"patients/{own}/opioid-use/", f"patients/{own}/timeline/", f"patients/{own}/", here,
                 f"{here}answers/", f"{here}events/", "prior-authorizations/", "inbox/"]  # fmt: skip
        for path in paths:
            answer = caller.get(path)
            assert answer.status_code == 200, (path, answer.content)
            assert "pain-hint" not in answer.content.decode()
            assert not {"P-10", "pain_now", "pain_score", "surgery", "Pain: 7 of 10"} & set(words_of(answer.json()))
    case.refresh_from_db()
    assert case.packet is not None
    assert not {"P-10", "pain_now", "pain_score"} & set(words_of(case.packet))


def words_of(value: Any) -> list[str]:
    """Return every name and text in a JSON value."""
    if isinstance(value, dict):
        return [word for name, inner in value.items() for word in [name, *words_of(inner)]]
    if isinstance(value, list):
        return [word for inner in value for word in words_of(inner)]
    return [str(value)]


# -- the timeline -----------------------------------------------------------------------------------------------------
def test_the_timeline_tells_what_happened_in_order(cast: stage.Cast, stella: Caller) -> None:
    patient = stage.register(cast)
    stella.post("fills/", fill_body(patient, identifier="F-1", dispensed_on=days_ago(9), days_supply=10))
    gone = stella.post("fills/", fill_body(patient, identifier="F-2", dispensed_on=days_ago(8), days_supply=3)).json()
    stella.post(f"fills/{gone['id']}/reversal/")
    stella.post("surgeries/", surgery_body(patient, performed_on=days_ago(7)))
    stella.post("pain-scores/", score_body(patient, scored_on=days_ago(6)))
    excuse = {"patient": str(patient.public_id), "category": "cancer", "evidence": "C50.9", "starts_on": days_ago(5)}
    exemption = stella.post("exemptions/", excuse).json()
    stella.post(f"exemptions/{exemption['id']}/withdrawal/")

    told = stella.get(f"patients/{patient.public_id}/timeline/").json()["moments"]

    assert [(moment["kind"], moment["on"], moment["stands"]) for moment in told] == [
        ("fill", days_ago(9), True),
        ("fill", days_ago(8), False),
        ("surgery", days_ago(7), True),
        ("pain_score", days_ago(6), True),
        ("exemption", days_ago(5), False),
        ("reversal", days_ago(0), True),
        ("exemption_withdrawn", days_ago(0), True),
        ("request", days_ago(0), True),
        ("request", days_ago(0), True),
        ("request", days_ago(0), True),
    ]
    assert told[3]["text"] == "PEG 6.67 (pain 7, enjoyment 7, activity 6)."
    assert told[0]["text"].endswith(", 20, 10 days.")


def test_the_timeline_as_of_a_day_holds_only_what_was_known_then(
    cast: stage.Cast, stella: Caller, patient: Patient
) -> None:
    stella.post("pain-scores/", score_body(patient, scored_on=days_ago(30)))
    excuse = {"patient": str(patient.public_id), "category": "cancer", "evidence": "C50.9", "starts_on": days_ago(30)}
    stella.post("exemptions/", excuse)
    path, yesterday = f"patients/{patient.public_id}/timeline/", today() - timedelta(days=1)

    assert stella.get(path, as_of=yesterday.isoformat()).json()["moments"] == []
    assert len(stella.get(path).json()["moments"]) == 2


def test_an_insurers_timeline_begins_with_its_request_and_holds_no_exemption(cast: stage.Cast, rae: Caller) -> None:
    case = stage.queued(cast)
    path = f"patients/{case.patient.public_id}/timeline/"

    told = rae.get(path).json()["moments"]

    assert [moment["kind"] for moment in told] == ["fill", "request"]
    assert told[1]["text"] == f"Request {case.number} was submitted."
    assert not told[0]["is_own"]


def test_an_insurer_that_was_asked_nothing_has_no_timeline_of_its_member(
    cast: stage.Cast, rae: Caller, patient: Patient
) -> None:
    refused(rae.get(f"patients/{patient.public_id}/timeline/"), 403, "forbidden")
