"""The page on which reviewers read a second time what the rule approved."""

from html import unescape

import pytest

from authz.ids import DeterminationId
from authz.prior_auths.determination import SecondFinding
from authz.prior_auths.models import Determination, SecondReading
from authz.prior_auths.services import automation, second_readings
from tests.cast import Cast, later, queued
from tests.prior_auths.test_approval_by_rule import automated
from tests.web.conftest import Door
from tests.web.reading import findings

PAGE = "/desk/second-readings/"


@pytest.fixture
def approved(cast: Cast) -> Determination:
    automated(cast)
    queued(cast)
    automation.approve_by_rule(now=later(1))
    return Determination.objects.get()


def test_a_reviewer_reads_what_the_rule_was_shown_and_says_what_they_find(
    cast: Cast, enter: Door, approved: Determination
) -> None:
    rae, number = enter("rae"), approved.prior_auth.number

    shown = rae.get(PAGE).content.decode()
    silent = rae.post(f"{PAGE}{approved.public_id}/", {"finding": "disagrees"})
    noted = rae.post(f"{PAGE}{approved.public_id}/", {"finding": "disagrees", "note": "Not the dose."}, follow=True)
    again = rae.post(f"{PAGE}{approved.public_id}/", {"finding": "agrees"}, follow=True)
    read = rae.get(f"{PAGE}?show=read").content.decode()

    assert findings(shown) == findings(silent.content.decode()) == findings(read) == []
    assert "Was the prescription drug monitoring program (PDMP) checked?" in unescape(shown)
    assert "At most 14" in shown
    assert silent.status_code == 422
    assert "Say why you disagree." in silent.content.decode()
    assert f"Your reading of {number} is noted." in noted.content.decode()
    assert "Nothing waits to be read." in noted.content.decode()
    assert "Somebody has read this approval already." in again.content.decode()
    assert "Not the dose." in read
    assert SecondReading.objects.get().finding == SecondFinding.DISAGREES


def test_only_those_who_review_are_asked_and_strangers_have_nothing(
    cast: Cast, enter: Door, approved: Determination
) -> None:
    posted = {"finding": "agrees"}

    nora, oscar, stella = enter("nora"), enter("oscar"), enter("stella")

    assert "Reviewers and physicians read them." in nora.get(PAGE).content.decode()
    assert nora.post(f"{PAGE}{approved.public_id}/", posted).status_code == 403
    assert approved.prior_auth.number not in oscar.get(PAGE).content.decode()
    assert oscar.post(f"{PAGE}{approved.public_id}/", posted).status_code == 404
    assert stella.get(PAGE).status_code == 403
    assert not SecondReading.objects.exists()


def test_the_readings_are_taken_out(cast: Cast, enter: Door, approved: Determination) -> None:
    key = DeterminationId(approved.public_id)
    second_readings.read(determination_id=key, finding=SecondFinding.AGREES, by=cast.rae, now=later(2))

    answer = enter("nora").get("/desk/second-readings.csv")

    assert f"{approved.prior_auth.number},2025-03-03T16:00:00+00:00,agrees,," in answer.content.decode()
    assert "Rae Quinn" in answer.content.decode()
