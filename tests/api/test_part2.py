"""What comes from a program under 42 CFR Part 2 says so wherever it is shown, and the notice goes with it."""

from typing import Any

import pytest

from authz.ids import PriorAuthId
from authz.prescriptions.models import Fill, Patient
from authz.prescriptions.part2 import NOTICE, NOTICE_HEADER
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import determinations, papers, queue, request
from tests import cast as stage
from tests.api.callers import field_errors, fill_body, order_body, person
from tests.api.test_documents import attach
from tests.cast import Cast, key_of
from tests.documentation.samples import TEXT
from tests.prior_auths.test_documents import paper_words


def flagged(cast: Cast) -> PriorAuth:
    """Return a submitted request whose fill was said to be under Part 2 after it was drafted."""
    case = stage.drafted(cast)
    stage.fill(cast, case.patient, 10, identifier=Fill.objects.get().identifier, is_part2=True)
    return request.submit(prior_auth_id=PriorAuthId(case.public_id), by=cast.stella, now=stage.NOW)


def at_both(cast: Cast) -> Patient:
    patient = stage.register(cast, member_id="M-1", insured=False)
    stage.insure(cast, patient, member_id="M-1")
    return stage.register(cast, by=cast.mallory, mrn="HILL-MRN", member_id="M-1", insured=False)


@pytest.mark.parametrize(("path", "body"), [("fills/", fill_body), ("prescriptions/", order_body)])
def test_a_record_keeps_its_flag_until_the_sender_takes_it_back(cast: Cast, path: str, body: Any) -> None:
    patient, stella = stage.register(cast), person("stella")

    said = [
        stella.post(path, body(patient, **told)).json()
        for told in ({"part2": True}, {"quantity": "19"}, {"quantity": "19", "part2": False}, {"quantity": "19"})
    ]

    assert [(one["part2"], one["redisclosure_notice"], one["version"]) for one in said] == [
        (True, NOTICE, 1), (True, NOTICE, 2), (False, "", 3), (False, "", 3),
    ]  # fmt: skip
    assert "part2" in field_errors(stella.post(path, body(patient, part2="true")))


def test_the_notice_goes_with_use_elsewhere_and_with_nothing_that_does_not_show_it(cast: Cast) -> None:
    patient, mallory = at_both(cast), person("mallory")
    person("stella").post("fills/", fill_body(patient, part2=True))
    own = f"patients/{patient.public_id}/"

    use = mallory.get(f"{own}opioid-use/")
    recorded = mallory.post("fills/", fill_body(patient, identifier="HILL-1", prescriber_npi=None))

    assert use[NOTICE_HEADER] == use.json()["redisclosure_notice"] == NOTICE
    assert [record["part2"] for record in use.json()["records"]] == [True]
    assert mallory.get(f"{own}timeline/")[NOTICE_HEADER] == NOTICE
    for silent in (mallory.get(own), mallory.get("fills/"), recorded):
        assert silent.status_code in {200, 201}
        assert NOTICE_HEADER not in silent.headers


def test_the_notice_goes_with_the_request_its_packet_and_its_papers(cast: Cast) -> None:
    case, rae = flagged(cast), person("rae")
    path = f"prior-authorizations/{case.public_id}/"

    answer, paper = rae.get(path), papers.packet_file(prior_auth_id=key_of(case), by=cast.rae, now=stage.NOW)

    assert answer[NOTICE_HEADER] == answer.json()["redisclosure_notice"] == NOTICE
    assert rae.get(f"{path}packet/")[NOTICE_HEADER] == NOTICE
    assert case.packet is not None
    assert case.packet["redisclosure_notice"] == NOTICE
    assert NOTICE in paper_words(bytes(paper.file.content))

    queue.claim(prior_auth_id=key_of(case), by=cast.rae, now=stage.NOW)
    decided = determinations.approve(prior_auth_id=key_of(case), by=cast.rae, now=stage.NOW)
    letter = papers.letter_file(
        prior_auth_id=key_of(case),
        determination_id=decided.determinations.get().public_id,
        by=cast.stella,
        now=stage.NOW,
    )
    assert NOTICE in paper_words(bytes(letter.file.content))


def test_a_document_under_part_2_puts_its_request_under_it(cast: Cast) -> None:
    case, stella = stage.drafted(cast), person("stella")
    plain = attach(stella, case, TEXT).json()

    again = attach(stella, case, TEXT, shows=["dx.code"], part2="true").json()

    assert (plain["part2"], plain["redisclosure_notice"]) == (False, "")
    assert (again["id"], again["part2"], again["redisclosure_notice"]) == (plain["id"], True, NOTICE)
    assert stella.get(f"prior-authorizations/{case.public_id}/").json()["redisclosure_notice"] == NOTICE
    kept = stella.get(f"prior-authorizations/{case.public_id}/attachments/{plain['id']}/content/")
    assert kept[NOTICE_HEADER] == NOTICE
    assert "part2" in field_errors(attach(stella, case, TEXT, shows=["dx.code"], part2="maybe"))


def test_nothing_is_said_of_what_is_not_under_part_2(cast: Cast) -> None:
    case = stage.queued(cast)

    answer = person("rae").get(f"prior-authorizations/{case.public_id}/")

    assert answer.json()["redisclosure_notice"] == ""
    assert NOTICE_HEADER not in answer.headers
    assert case.packet is not None
    assert case.packet["redisclosure_notice"] == ""
