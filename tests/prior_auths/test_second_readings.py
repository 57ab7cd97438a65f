"""A share of what is approved by rule is read by a person, once; what they find changes no decision by itself."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from authz.access.models import Membership
from authz.access.roles import Role
from authz.errors import AuthzError, Forbidden, InvalidInput, NotFound
from authz.ids import DeterminationId
from authz.outbox.models import OutboxMessage
from authz.prior_auths.determination import SecondFinding
from authz.prior_auths.models import Determination, SecondReading
from authz.prior_auths.services import automation
from authz.prior_auths.services import second_readings as reading
from authz.prior_auths.services.queue import ConflictOfInterest
from authz.prior_auths.services.second_readings import AlreadyRead
from tests import cast as stage
from tests.api.callers import machine, person, refused
from tests.cast import Cast, later
from tests.prior_auths.test_approval_by_rule import automated


@pytest.fixture
def sampled(cast: Cast) -> DeterminationId:
    """What a rule approved a moment ago, chosen to be read."""
    automated(cast)
    stage.queued(cast)
    automation.approve_by_rule(now=later(1))
    return DeterminationId(Determination.objects.get().public_id)


def told() -> list[str]:
    return list(OutboxMessage.objects.filter(topic=reading.DISAGREED).values_list("topic", flat=True))


def test_who_agrees_is_kept_and_nobody_is_told(cast: Cast, sampled: DeterminationId) -> None:
    reading.read(determination_id=sampled, finding=SecondFinding.AGREES, by=cast.rae, now=later(2))

    row = SecondReading.objects.get()
    assert (row.finding, row.read_by_id, row.read_at) == ("agrees", cast.rae.person_id, later(2))
    assert told() == []


def test_who_disagrees_says_why_and_the_administrators_are_told_and_the_approval_stands(
    cast: Cast, sampled: DeterminationId
) -> None:
    with pytest.raises(InvalidInput):
        reading.read(determination_id=sampled, finding=SecondFinding.DISAGREES, by=cast.rae, now=later(2))
    reading.read(
        determination_id=sampled, finding=SecondFinding.DISAGREES, note="Not acute.", by=cast.rae, now=later(2)
    )

    assert len(told()) == 1
    assert Determination.objects.get().outcome == "approved"
    with pytest.raises(AlreadyRead):
        reading.read(determination_id=sampled, finding=SecondFinding.AGREES, by=cast.patel, now=later(3))


@pytest.mark.parametrize(
    ("name", "why"), [("nora", Forbidden), ("stella", Forbidden), ("oscar", NotFound), ("ivy", Forbidden)]
)
def test_only_reviewers_of_the_insurer_read(
    cast: Cast, sampled: DeterminationId, name: str, why: type[AuthzError]
) -> None:
    with pytest.raises(why):
        reading.read(determination_id=sampled, finding=SecondFinding.AGREES, by=getattr(cast, name), now=later(2))

    assert not SecondReading.objects.exists()


def test_nobody_reads_what_concerns_their_own_clinic(cast: Cast, sampled: DeterminationId) -> None:
    Membership.objects.create(person=cast.people["rae"], organization=cast.riverside, role=Role.STAFF.value)

    with pytest.raises(ConflictOfInterest):
        reading.read(determination_id=sampled, finding=SecondFinding.AGREES, by=cast.rae, now=later(2))


def test_the_database_keeps_a_reading_as_it_is_and_wants_the_reason(cast: Cast, sampled: DeterminationId) -> None:
    with pytest.raises(IntegrityError, match="who_disagrees_says_why"), transaction.atomic():
        SecondReading.objects.create(
            determination=Determination.objects.get(),
            finding="disagrees",
            read_at=later(2),
            read_by=cast.people["rae"],
        )
    reading.read(determination_id=sampled, finding=SecondFinding.AGREES, by=cast.rae, now=later(2))
    with pytest.raises(DatabaseError, match=r"append-only|permission denied"), transaction.atomic():
        SecondReading.objects.update(finding="disagrees", note="x")


def test_what_is_chosen_can_be_listed_and_read_over_the_api(cast: Cast, sampled: DeterminationId) -> None:
    rae, path = person("rae"), f"second-readings/{sampled}/"

    (row,) = rae.get("second-readings/", is_read="false").json()["results"]
    assert (row["determination"], row["finding"], [one["is_met"] for one in row["trace"]]) == (
        str(sampled), None, [True, True, True],
    )  # fmt: skip
    refused(rae.post(path, {"finding": "disagrees"}), 422, "invalid-input")
    refused(rae.post(path, {"finding": "perhaps"}), 422, "invalid-input")
    answer = rae.post(path, {"finding": "disagrees", "note": "Not acute."}, key="k").json()
    assert (answer["finding"], answer["note"], answer["read_by"]) == ("disagrees", "Not acute.", "Rae Quinn")
    assert rae.post(path, {"finding": "disagrees", "note": "Not acute."}, key="k").json() == answer
    refused(rae.post(path, {"finding": "agrees"}), 409, "already-read")
    assert rae.get("second-readings/", is_read="false").json()["results"] == []
    assert person("oscar").get("second-readings/").json()["results"] == []
    refused(person("stella").get("second-readings/"), 403, "forbidden")
    refused(machine(cast.evergreen, Role.REVIEWER).post(path, {"finding": "agrees"}), 403, "reviewer-needed")
