"""One Idempotency-Key, one effect, one answer: also when it is sent twice at the same time."""

from collections.abc import Iterator
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connections

from authz.api.models import IdempotentAnswer
from authz.prescriptions.models import Fill, FillVersion, Patient
from authz.prior_auths.models import PriorAuth
from tests import cast as stage
from tests.api.callers import Caller, fill_body, nothing_changes, person, refused


def test_the_same_key_and_body_have_one_effect_and_one_answer(stella: Caller, patient: Patient) -> None:
    first = stella.post("fills/", fill_body(patient), key="k-1")

    with nothing_changes():
        second = stella.post("fills/", fill_body(patient), key="k-1")

    assert (first.status_code, first.json()["outcome"]) == (201, "created")
    assert (second.status_code, second.json()) == (201, first.json())
    assert second["Location"] == first["Location"] == f"/api/v1/fills/{first.json()['id']}/"
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first


def test_without_a_key_the_same_fill_is_merely_unchanged(stella: Caller, patient: Patient) -> None:
    stella.post("fills/", fill_body(patient))

    with nothing_changes():
        second = stella.post("fills/", fill_body(patient))

    assert (second.status_code, second.json()["outcome"]) == (200, "unchanged")
    assert IdempotentAnswer.objects.count() == 0


def test_spelling_does_not_make_another_body(stella: Caller, patient: Patient) -> None:
    body = fill_body(patient)
    first = stella.post("fills/", body, key="k-1")

    second = stella.post("fills/", dict(reversed(body.items())), key="k-1")

    assert second.json() == first.json()
    assert second["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("change", [{"days_supply": 6}, {"quantity": "21"}, {"identifier": "F-2"}])
def test_the_same_key_with_another_body_is_refused(stella: Caller, patient: Patient, change: dict[str, Any]) -> None:
    stella.post("fills/", fill_body(patient), key="k-1")

    with nothing_changes():
        answer = stella.post("fills/", fill_body(patient, **change), key="k-1")

    problem = refused(answer, 422, "idempotency-key-reused")
    assert problem["detail"] == "This Idempotency-Key was used for another request. Use a new one for a new request."


def test_the_same_key_at_another_address_is_refused(stella: Caller, patient: Patient) -> None:
    fill = stella.post("fills/", fill_body(patient), key="k-1").json()

    with nothing_changes():
        answer = stella.post(f"fills/{fill['id']}/reversal/", key="k-1")

    refused(answer, 422, "idempotency-key-reused")


def test_a_key_belongs_to_its_caller(stella: Caller, mallory: Caller, cast: stage.Cast, patient: Patient) -> None:
    other = stage.register(cast, by=cast.mallory, insured=False)
    stella.post("fills/", fill_body(patient), key="k-1")

    answer = mallory.post("fills/", fill_body(other, prescriber_npi=None), key="k-1")

    assert (answer.status_code, answer.json()["outcome"]) == (201, "created")
    assert Fill.objects.count() == 2


def test_a_refusal_keeps_nothing_so_that_a_corrected_body_may_use_the_key(stella: Caller, patient: Patient) -> None:
    with nothing_changes():
        wrong = stella.post("fills/", fill_body(patient, prescription="RX-unknown"), key="k-1")

    right = stella.post("fills/", fill_body(patient), key="k-1")

    refused(wrong, 422, "invalid-input")
    assert right.status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "schlüssel", "tab\there"])
def test_a_key_is_visible_ascii(stella: Caller, patient: Patient, key: str) -> None:
    with nothing_changes():
        answer = stella.post("fills/", fill_body(patient), key=key)

    problem = refused(answer, 400, "idempotency-key-invalid")
    assert problem["detail"] == "Idempotency-Key must be 1 to 255 visible ASCII characters."


@pytest.fixture
def many() -> Iterator[None]:
    """Close what the threads opened, so that the test database can be dropped."""
    yield
    connections.close_all()


def at_once(callers: list[Caller], body: dict[str, Any], key: str) -> list[Any]:
    """Send one body by several callers at the same instant, each over a connection of its own."""
    barrier, answers = Barrier(len(callers)), []

    def send(caller: Caller) -> None:
        barrier.wait()
        answers.append(caller.post("fills/", body, key=key))
        connections.close_all()

    threads = [Thread(target=send, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return answers


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("many")
def test_a_key_sent_many_times_at_once_has_one_effect() -> None:
    cast = stage.assemble()
    patient = stage.register(cast)
    callers = [person("stella") for _ in range(6)]

    answers = at_once(callers, fill_body(patient, days_supply=10, quantity="40"), "k-race")

    assert [answer.status_code for answer in answers] == [201] * 6
    assert {answer.json()["outcome"] for answer in answers} == {"created"}
    assert sorted(answer.get("Idempotency-Replayed", "") for answer in answers) == [""] + ["true"] * 5
    assert (Fill.objects.count(), FillVersion.objects.count(), PriorAuth.objects.count()) == (1, 1, 1)
    assert IdempotentAnswer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("many")
def test_a_key_refused_many_times_at_once_has_no_effect() -> None:
    cast = stage.assemble()
    patient = stage.register(cast)
    callers = [person("stella") for _ in range(4)]

    with nothing_changes():
        answers = at_once(callers, fill_body(patient, prescription="RX-unknown"), "k-race")

    assert [answer.json()["code"] for answer in answers] == ["invalid-input"] * 4
