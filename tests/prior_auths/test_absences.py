"""When reviewers are away, and when they are back."""

from datetime import datetime

import pytest

from authz.access.roles import Actor
from authz.errors import Forbidden, InvalidInput
from authz.ids import PersonId
from authz.prior_auths import review_queue
from authz.prior_auths.models import Absence
from authz.prior_auths.services import absences
from tests.cast import NOW, Cast, later


def away(by: Actor, starts_at: datetime, ends_at: datetime, *, whose: PersonId | None = None) -> Absence:
    return absences.be_away(starts_at=starts_at, ends_at=ends_at, person_id=whose, by=by, now=NOW)


def noted(cast: Cast, *, now: datetime = NOW) -> list[tuple[str, datetime, datetime]]:
    return [(row.person.full_name, row.starts_at, row.ends_at) for row in review_queue.absences(cast.nora, now=now)]


def rae_of(cast: Cast) -> PersonId:
    return PersonId(cast.people["rae"].public_id)


def test_an_administrator_notes_that_somebody_is_away_and_that_they_are_back(cast: Cast) -> None:
    away(cast.nora, NOW, later(48), whose=rae_of(cast))
    before = noted(cast)

    absences.be_back(person_id=rae_of(cast), by=cast.nora, now=later(2))

    assert before == [("Rae Quinn", NOW, later(48))]
    assert noted(cast, now=later(2)) == []
    assert Absence.objects.get().ends_at == later(2), "that they were away stays on record"


def test_who_is_back_from_one_absence_keeps_those_to_come(cast: Cast) -> None:
    away(cast.rae, later(1), later(2))
    away(cast.rae, later(24), later(48))

    assert absences.be_back(by=cast.rae, now=later(1.5))

    assert noted(cast, now=later(1.5)) == [("Rae Quinn", later(24), later(48))]
    assert not absences.be_back(by=cast.rae, now=later(1.6)), "she is here"


def test_an_absence_to_come_is_taken_back_by_its_start_and_others_stay(cast: Cast) -> None:
    away(cast.rae, NOW, later(2))
    away(cast.rae, later(24), later(48))
    away(cast.rae, later(72), later(96))
    away(cast.patel, later(24), later(48))

    assert absences.be_back(starts_at=later(24), by=cast.rae, now=later(1))

    assert set(noted(cast, now=later(1))) == {
        ("Rae Quinn", NOW, later(2)), ("Rae Quinn", later(72), later(96)), ("Dr Patel", later(24), later(48)),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "field"),
    [
        (later(2), later(2), "ends_at"),
        (later(-5), later(-1), "ends_at"),
        (later(11), later(12), "starts_at"),
        (later(1), later(30), "starts_at"),
    ],
)
def test_a_time_that_makes_no_sense_is_refused(cast: Cast, starts_at: datetime, ends_at: datetime, field: str) -> None:
    away(cast.rae, later(10), later(20))

    with pytest.raises(InvalidInput) as refusal:
        away(cast.rae, starts_at, ends_at)

    assert list(refusal.value.fields) == [field]
    assert noted(cast) == [("Rae Quinn", later(10), later(20))]


def test_only_reviewers_and_their_administrator_say_so(cast: Cast) -> None:
    for by, whose in ((cast.ivy, None), (cast.stella, None), (cast.patel, rae_of(cast)), (cast.oscar, rae_of(cast))):
        with pytest.raises(Forbidden):
            away(by, NOW, later(1), whose=whose)
    for whose in (PersonId(cast.people["ivy"].public_id), PersonId(cast.people["oscar"].public_id), None):
        with pytest.raises((InvalidInput, Forbidden)):
            away(cast.nora, NOW, later(1), whose=whose)

    assert noted(cast) == []
