"""The insurer's team: who has how much, who is away and back, and what is handed on together."""

import re
from datetime import datetime, timedelta
from html import unescape

from authz.access.roles import Role
from authz.access.services import add_membership
from authz.prior_auths.models import Absence, PriorAuth
from authz.prior_auths.services import absences, queue
from tests.cast import Cast, in_review, key_of, queued
from tests.web.conftest import Door
from tests.web.reading import findings


def test_the_team_page_tells_who_is_away_and_what_would_be_late(cast: Cast, enter: Door, now: datetime) -> None:
    in_review(cast)
    rae = enter("rae")
    away = {"starts_at": "2025-03-03T10:30", "ends_at": "2025-03-05T09:00"}

    wrong = rae.post("/desk/team/", away | {"ends_at": "2025-03-01T09:00"})
    rae.post("/desk/team/", away)
    told = unescape(enter("nora").get("/desk/team/").content.decode())

    assert wrong.status_code == 422
    assert "It must lie after the start." in wrong.content.decode()
    assert "Rae Quinn: <time" in told
    assert "1 request would be late" in told  # within 72 hours, and nobody has decided anything of late


def test_an_administrator_notes_that_somebody_is_away_and_that_they_are_back(
    cast: Cast, enter: Door, now: datetime
) -> None:
    nora, rae = enter("nora"), str(cast.people["rae"].public_id)
    away = {"starts_at": "2025-03-03T10:30", "ends_at": "2025-03-05T09:00"}

    nobody = nora.post("/desk/team/", away)
    nora.post("/desk/team/", away | {"person": rae})
    noted = unescape(nora.get("/desk/team/").content.decode())
    strangers = enter("oscar").post("/desk/team/back/", {"person": rae})
    nora.post("/desk/team/back/", {"person": rae})

    assert (nobody.status_code, findings(noted), strangers.status_code) == (422, [], 403)
    assert "Rae Quinn is back</button>" in noted
    assert '<p class="soft">Nobody.</p>' in nora.get("/desk/team/").content.decode()


def test_a_reviewer_is_back_from_the_absence_beside_the_button(cast: Cast, enter: Door, now: datetime) -> None:
    rae, first, second = (
        enter("rae"),
        now - timedelta(hours=1, microseconds=7),
        now + timedelta(days=20, microseconds=7),
    )
    for start in (first, second):
        absences.be_away(starts_at=start, ends_at=start + timedelta(days=2), by=cast.rae, now=now)
    page = rae.get("/desk/team/").content.decode()
    sent = [unescape(said) for said in re.findall(r'name="starts_at" value="([^"]+)"', page)]

    taken_back = rae.post("/desk/team/back/", {"starts_at": sent[1]}, follow=True).content.decode()
    left = list(Absence.objects.values_list("starts_at", flat=True))
    again = rae.post("/desk/team/back/", {"starts_at": sent[1]}, follow=True).content.decode()
    rae.post("/desk/team/back/", {"starts_at": "soon"})

    assert page.index("I am back</button>") < page.index("Take it back</button>")
    assert (left, Absence.objects.filter(ends_at__gt=now).count()) == ([first], 1)
    assert "The absence is off the list." in taken_back
    assert "There is no such absence any more." in again


def test_an_administrator_hands_on_all_that_is_ticked_or_nothing(cast: Cast, enter: Door, now: datetime) -> None:
    # In the order in which they are handed on: the one that cannot be comes last.
    first, second, waiting = sorted((queued(cast) for _ in range(3)), key=lambda one: one.public_id)
    for one in (first, second):
        queue.claim(prior_auth_id=key_of(one), by=cast.rae, now=now)
    nora, patel = enter("nora"), cast.people["patel"]
    rae = cast.people["rae"].public_id
    ticked = [str(first.public_id), str(second.public_id)]
    handed = {"request": ticked, "person": str(patel.public_id), "reason": "Rae is ill."}

    shown = nora.get(f"/desk/team/?of={rae}").content.decode()
    none = nora.post("/desk/team/hand-on/", handed | {"request": []})
    too_many = nora.post(f"/desk/team/hand-on/?of={rae}", handed | {"request": [*ticked, str(waiting.public_id)]})
    nothing_yet = PriorAuth.objects.filter(reviewer=patel).count()
    nora.post(f"/desk/team/hand-on/?of={rae}", handed)

    assert findings(shown) == findings(none.content.decode()) == findings(too_many.content.decode()) == []
    assert "With Rae Quinn: 2 requests" in shown
    assert (none.status_code, too_many.status_code) == (422, 422)
    assert "Tick the requests first." in none.content.decode()
    assert "One of the requests is with no reviewer any more." in too_many.content.decode()
    assert "Rae is ill." in too_many.content.decode(), "what was typed is kept"
    assert too_many.content.decode().count(" checked") == 2
    assert nothing_yet == 0
    assert {one.reviewer for one in PriorAuth.objects.filter(pk__in=[first.pk, second.pk])} == {patel}


def test_strangers_hand_on_nothing_nor_does_who_only_reviews(cast: Cast, enter: Door) -> None:
    prior_auth, oscar = in_review(cast), cast.people["oscar"]
    handed = {"request": str(prior_auth.public_id), "person": str(oscar.public_id), "reason": "Mine now."}

    reviewers, clinics = (enter(name).post("/desk/team/hand-on/", handed).status_code for name in ("rae", "stella"))
    add_membership(person=oscar, organization=cast.summit, role=Role.INSURER_ADMIN)
    strangers = enter("oscar").post("/desk/team/hand-on/", handed)
    to_nobody = enter("nora").post("/desk/team/hand-on/", handed)

    assert (reviewers, clinics, strangers.status_code, to_nobody.status_code) == (403, 403, 404, 422)
    assert "Choose somebody of the team." in to_nobody.content.decode()
    assert PriorAuth.objects.get(pk=prior_auth.pk).reviewer == cast.people["rae"]
