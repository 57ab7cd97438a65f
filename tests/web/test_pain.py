"""Pain on the patient page: the scores in the history, and the signal for prescribers alone."""

from html import unescape

import pytest
from django.test import Client

from authz import clock
from tests import cast as stage
from tests.cast import Cast
from tests.notifications.stage import drain
from tests.pain.stage import hinted
from tests.web.conftest import Door
from tests.web.reading import findings


def page(client: Client, patient_id: object) -> str:
    answer = client.get(f"/patients/{patient_id}/history/")
    assert answer.status_code == 200
    assert findings(answer.content.decode()) == []
    return unescape(answer.content.decode())


def test_the_signal_is_shown_to_prescribers_and_the_scores_to_their_clinic(cast: Cast, enter: Door) -> None:
    patient = hinted(cast, now=clock.now()).patient

    jones, stella = page(enter("jones"), patient.public_id), page(enter("stella"), patient.public_id)

    assert "Pain signal" in jones
    assert "This is decision support, not a diagnosis." in jones
    assert "Pain signal" not in stella
    assert "decision support" not in stella
    # Once in the table of scores, once in the history.
    assert jones.count("Pain: 7 of 10.") == stella.count("Pain: 7 of 10.") == 2 * 2


def test_an_insurer_with_a_request_sees_the_history_without_any_pain(cast: Cast, enter: Door) -> None:
    case = stage.queued(cast)
    hinted(cast, case.patient, now=clock.now())

    seen = page(enter("rae"), case.patient.public_id)

    assert f"Request {case.number} was submitted." in seen
    assert "Pain" not in seen


@pytest.mark.django_db(transaction=True)
def test_the_notice_of_a_hint_leads_the_prescriber_to_the_patient(cast: Cast, enter: Door) -> None:
    hint = hinted(cast)
    drain()
    jones = enter("jones")

    inbox = unescape(jones.get("/inbox/").content.decode())
    entry = jones.get("/inbox/").context["fresh"][0].entry
    answer = jones.post(f"/inbox/{entry.public_id}/open/")

    assert "There is a pain hint on a patient for you to look at: read it before the next prescription." in inbox
    assert findings(inbox) == []
    assert answer["Location"] == f"/patients/{hint.patient.public_id}/"
    assert "pain hint" not in unescape(enter("stella").get("/inbox/").content.decode())
