"""An accounting tells who received what, when and why: 45 CFR 164.528(b)."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.urls import get_resolver

from authz.audit.circumstances import PURPOSES
from authz.reporting.disclosures import (
    Disclosed,
    Disclosure,
    Held,
    Purpose,
    RequestKnown,
    purpose_of,
    shown,
    shows_requests,
    shows_use,
    told,
)
from tests.access.test_every_door import LEADING_OUT, patterns
from tests.audit.test_reads import NO_PATIENT_DATA
from tests.cast import NOW

WITHOUT_PATIENTS = NO_PATIENT_DATA | LEADING_OUT | {"tokens", "api-client-secret", "webhook-secret", "webhook-test"}
OF_A_REQUEST = {"prior_auth_id", "appeal_id", "call_id", "determination_id"}
OF_THE_READERS_OWN = {
    f"api/v1/{route}"
    for route in (
        "patients/", "patients/<uuid:patient_id>/", "patients/<uuid:patient_id>/disclosures/",
        "coverages/", "coverages/<uuid:coverage_id>/", "prescriptions/", "prescriptions/<uuid:prescription_id>/",
        "prescriptions/<uuid:prescription_id>/cancellation/", "fills/", "fills/batch/", "fills/<uuid:fill_id>/",
        "fills/<uuid:fill_id>/reversal/", "exemptions/", "exemptions/<uuid:exemption_id>/",
        "exemptions/<uuid:exemption_id>/withdrawal/", "pain-scores/", "pain-scores/<uuid:score_id>/",
        "pain-scores/<uuid:score_id>/entered-in-error/", "surgeries/", "surgeries/<uuid:surgery_id>/",
        "surgeries/<uuid:surgery_id>/entered-in-error/", "identity-questions/",
        "identity-questions/<uuid:question_id>/answer/", "imports/", "emergency-access/",
    )
} | {"emergency-access/", "emergency-access.csv", "patients/<uuid:patient_id>/disclosures.csv"}  # fmt: skip
"""Addresses that answer what the reader's own organization recorded, and who a patient is, and nothing of others'."""

US, THEM, PAYER, OTHER_PAYER = 1, 2, 3, 4
PATIENT, OURS, THEIRS, APPEAL = (UUID(int=number) for number in (7, 8, 9, 10))
HOUR = timedelta(hours=1)
USE, OUR_REQUEST = (Disclosed.USE, PATIENT), (Disclosed.REQUEST, OURS)


def held(*, holder: int = US, has_use: bool = True) -> Held:
    """We sent a request to the payer, and they, another clinic, sent one of the same patient to another payer."""
    common = {"opened_at": NOW, "submitted_at": NOW + HOUR, "spoken_at": NOW + 2 * HOUR}
    requests = [
        RequestKnown(id=OURS, clinic=US, insurer=PAYER, ids=frozenset({OURS, APPEAL}), **common),
        RequestKnown(id=THEIRS, clinic=THEM, insurer=OTHER_PAYER, ids=frozenset({THEIRS}), **common),
    ]
    return Held(holder=holder, patient_id=PATIENT, requests=requests, recorded_at=NOW if has_use else None)


@pytest.mark.parametrize(
    ("address", "to", "told_of"),
    [
        (f"GET /api/v1/prior-authorizations/{OURS}/", PAYER, [OUR_REQUEST]),
        (f"POST /api/v1/prior-authorizations/{OURS}/claim/", PAYER, [OUR_REQUEST]),
        (f"GET /api/v1/appeals/{APPEAL}/", PAYER, [OUR_REQUEST]),
        (f"GET /desk/{OURS}/", PAYER, [OUR_REQUEST]),
        ("GET /figures/requests/", PAYER, [OUR_REQUEST]),
        ("GET /figures/open/requests.csv", PAYER, [OUR_REQUEST]),
        ("GET /api/v1/review-queue/", PAYER, [OUR_REQUEST]),
        (f"GET /api/v1/prior-authorizations/{THEIRS}/", OTHER_PAYER, [USE]),
        (f"GET /prior-auths/{THEIRS}/", THEM, [USE]),
        ("GET /", THEM, [USE]),
        (f"GET /api/v1/patients/{PATIENT}/opioid-use/", THEM, [USE]),
        (f"GET /api/v1/patients/{PATIENT}/timeline/", THEM, [USE]),
        (f"GET /patients/{PATIENT}/", THEM, [USE]),
        (f"GET /patients/{PATIENT}/records.csv", THEM, [USE]),
        (f"GET /patients/{PATIENT}/history.csv", THEM, [USE]),
        ("GET /inbox.csv", THEM, [USE]),
        # what is theirs alone
        (f"GET /api/v1/patients/{PATIENT}/", THEM, []),
        ("GET /api/v1/fills/", THEM, []),
        ("POST /api/v1/fills/", THEM, []),
        ("GET /api/v1/patients/", THEM, []),
    ],
)
def test_an_address_tells_what_of_ours_was_shown(address: str, to: int, told_of: list[tuple[Disclosed, UUID]]) -> None:
    assert list(shown(address, held(), to=to, at=NOW + 3 * HOUR)) == told_of


def test_every_address_that_shows_patients_is_known_by_what_of_others_it_shows() -> None:
    of_own = set()
    for route, pattern in patterns(get_resolver()):
        address = f"GET /{re.sub('<[^>]+>', str(OURS), route)}"
        names_a_request = bool(OF_A_REQUEST & pattern.pattern.converters.keys())
        is_known = names_a_request or shows_use(address) or shows_requests(address)
        if not is_known and "account" not in route and pattern.name not in WITHOUT_PATIENTS:
            of_own.add(route)

    assert of_own == OF_THE_READERS_OWN


def test_nothing_was_shown_of_whoever_recorded_no_use() -> None:
    nothing = held(has_use=False)

    for address in (f"GET /api/v1/patients/{PATIENT}/opioid-use/", f"GET /prior-auths/{THEIRS}/", "GET /"):
        assert list(shown(address, nothing, to=THEM, at=NOW + 3 * HOUR)) == []


def test_nothing_was_shown_before_it_was_recorded_sent_or_said() -> None:
    address = f"GET /api/v1/prior-authorizations/{OURS}/"

    assert list(shown(f"GET /patients/{PATIENT}/", held(), to=THEM, at=NOW - HOUR)) == []
    assert list(shown(address, held(), to=PAYER, at=NOW)) == []
    assert list(shown(address, held(holder=PAYER, has_use=False), to=US, at=NOW + HOUR)) == []
    assert list(shown(address, held(holder=PAYER), to=US, at=NOW + HOUR)) == [USE]
    assert list(shown(address, held(holder=PAYER), to=US, at=NOW + 2 * HOUR)) == [OUR_REQUEST]


@pytest.mark.parametrize(
    ("code", "is_emergency", "is_insurer", "purpose"),
    [
        ("", False, False, Purpose.TREATMENT),
        ("", False, True, Purpose.PAYMENT),
        ("", True, False, Purpose.EMERGENCY),
        ("TREAT", False, True, Purpose.TREATMENT),
        ("FRAUD", False, True, Purpose.OPERATIONS),
        ("HLEGAL", False, False, Purpose.LAW),
    ],
)
def test_the_purpose_is_what_was_said_or_what_such_a_reader_is_there_for(
    code: str, is_emergency: bool, is_insurer: bool, purpose: Purpose
) -> None:
    assert purpose_of(code, is_emergency=is_emergency, is_insurer=is_insurer) is purpose


def test_every_purpose_that_can_be_said_has_its_words() -> None:
    as_of_either = {
        code: {purpose_of(code, is_emergency=False, is_insurer=one) for one in (False, True)} for code in PURPOSES
    }

    assert {code for code, words in as_of_either.items() if len(words) != 1} == set()


def test_the_same_to_the_same_for_the_same_is_told_by_first_last_and_how_many() -> None:
    one = {"recipient": "Evergreen", "what": Disclosed.REQUEST, "record_id": OURS}
    often = [Disclosure(at=NOW + hours * HOUR, purpose=Purpose.PAYMENT, **one) for hours in (2, 1, 3)]

    lines = told([*often, Disclosure(at=NOW, purpose=Purpose.LAW, **one)])

    assert [(line.purpose, line.first_at, line.last_at, line.times) for line in lines] == [
        (Purpose.PAYMENT, NOW + HOUR, NOW + 3 * HOUR, 3),
        (Purpose.LAW, NOW, NOW, 1),
    ]
