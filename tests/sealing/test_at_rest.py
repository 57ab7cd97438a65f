"""A copy of the database tells nobody whom it is about."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from pypdf import PdfReader

from authz.api.models import IdempotentAnswer
from authz.documentation.models import Attachment, Paper, StoredFile
from authz.documentation.services import files
from authz.ids import PatientId
from authz.imports.models import ImportRejection
from authz.operations.keys import check_keys
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.models import Coverage, Patient, PatientIdentifier
from authz.prescriptions.services import RecordOutcome
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import documents, papers, request
from authz.sealing import CannotOpen
from authz.sealing import services as sealing
from tests import cast as stage
from tests.api.callers import Caller, person
from tests.as_the_product import as_owner
from tests.cast import NOW, Cast, key_of
from tests.imports import builders as fhir
from tests.imports.intake import take

NAME, GIVEN, NUMBER, MEMBER = "Xanthopoulou", "Quirine", "MRN-4711-canary", "M-4711-canary"
WHO = {"identifier": NUMBER, "family_name": NAME, "given_name": GIVEN, "birth_date": "1970-05-05"}
NEW = "a new key of enough length for anybody"


def dumped() -> Iterator[tuple[str, bytes]]:
    """Yield every table as a dump holds it."""
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            with cursor.copy(f'COPY "{model._meta.db_table}" TO STDOUT') as rows:
                yield model._meta.db_table, b"".join(bytes(row) for row in rows)


def telling() -> list[str]:
    """Return the tables of whose copy somebody could tell who the patient is; bytes are dumped as hexadecimal."""
    said = [word.lower().encode() for word in (NAME, GIVEN, NUMBER, MEMBER)]
    said += [word.encode().hex().encode() for word in (NAME, GIVEN, NUMBER, MEMBER)]
    return [table for table, rows in dumped() if any(word in rows.lower() for word in said)]


@pytest.fixture
def stella(cast: Cast) -> Caller:
    return person("stella")


@pytest.fixture
def known(cast: Cast, stella: Caller) -> Patient:
    """A patient who was registered over the API, imported again, corrected, and is insured."""
    stella.post("patients/", WHO, key="k-1")
    imported = fhir.patient(
        identifier=[{"system": fhir.SYSTEM, "value": NUMBER}], name=[{"family": NAME, "given": [GIVEN]}]
    )
    take(fhir.ndjson(imported, fhir.patient(identifier=[{"value": NUMBER}] * 2, birthDate=NAME)), by=cast.stella)
    patient = PatientIdentifier.objects.get(value_index=NUMBER).patient
    body = {"patient": str(patient.public_id), "plan": str(cast.plan.public_id), "payer_name": "", "member_id": MEMBER}
    told = stella.post("coverages/", body | {"starts_on": "2024-01-01", "ends_on": None}, key="k-2")
    assert told.status_code == 201, told.content
    return patient


def submitted(cast: Cast, stella: Caller, patient: Patient) -> PriorAuth:
    """Return a request for the patient with a document, which was submitted and drawn on paper."""
    stage.fill(cast, patient, 10)
    row = PriorAuth.objects.get(patient=patient)
    row = request.take_up(prior_auth_id=key_of(row), by=cast.stella, now=NOW)
    assert row.answers is not None
    said = dict(row.answers.answers.values_list("question", "value")) | stage.ANSWERS
    request.answer_questions(prior_auth_id=key_of(row), answers=said, by=cast.stella, now=NOW)
    note = files.inspect(content=f"Note on {GIVEN} {NAME}.".encode())
    named = f"Note on {NAME}"
    documents.attach(prior_auth_id=key_of(row), file=note, title=named, shows=["dx.code"], by=cast.stella, now=NOW)
    request.ask_prescriber(prior_auth_id=key_of(row), question="Please attest.", by=cast.stella, now=NOW)
    request.answer_prescriber(prior_auth_id=key_of(row), answers={"pr.attest": True}, by=cast.jones, now=NOW)
    row = request.submit(prior_auth_id=key_of(row), by=cast.stella, now=NOW)
    papers.packet_file(prior_auth_id=key_of(row), by=cast.stella, now=NOW)
    return row


def test_no_copy_of_the_database_tells_a_patients_name_or_number(cast: Cast, stella: Caller, known: Patient) -> None:
    row = submitted(cast, stella, known)

    assert telling() == []
    assert ImportRejection.objects.exists()
    # And all of it is there for whoever may read it.
    row.refresh_from_db()
    assert row.packet is not None
    assert (row.packet["member_id"], row.packet["attachments"][0]["title"]) == (MEMBER, f"Note on {NAME}")
    assert bytes(Attachment.objects.get().file.content) == f"Note on {GIVEN} {NAME}.".encode()
    assert MEMBER in str(Paper.objects.get().text)
    paper = papers.packet_file(prior_auth_id=key_of(row), by=cast.rae, now=NOW).file.content
    assert MEMBER in PdfReader(BytesIO(paper)).pages[0].extract_text()
    assert IdempotentAnswer.objects.get(key="k-1").body["family_name"] == NAME
    assert stella.post("patients/", WHO, key="k-1").json()["given_name"] == GIVEN


def test_what_is_sealed_is_found_by_the_exact_text_and_is_there_once(
    cast: Cast, stella: Caller, known: Patient
) -> None:
    again = stage.register(cast, mrn=NUMBER, insured=False)

    assert again == known
    for number, count in ((NUMBER, 1), (NUMBER.lower(), 0), (NUMBER[:-1], 0)):
        assert len(stella.get("patients/", identifier=number).json()["results"]) == count
    assert len(stella.get("coverages/", member_id=MEMBER).json()["results"]) == 1
    with pytest.raises(DatabaseError, match="patient_identifier_once_per_assigner"), transaction.atomic():
        PatientIdentifier.objects.create(patient=known, assigner=cast.riverside, value=NUMBER, recorded_at=NOW)
    with pytest.raises(DatabaseError, match="patient_identifier_is_not_empty"), transaction.atomic():
        PatientIdentifier.objects.create(patient=known, assigner=cast.riverside, value="", recorded_at=NOW)


def test_while_a_key_is_replaced_everybody_is_found_and_nobody_twice(
    cast: Cast, stella: Caller, known: Patient, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "_BATCH", 1)
    (old,) = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [NEW, old]

    again = stella.post("patients/", WHO | {"family_name": "Roe"})
    stage.insure(cast, known, member_id=MEMBER)

    assert (again.status_code, again.json()["outcome"]) == (200, RecordOutcome.CORRECTED.value)
    assert Coverage.objects.count() == 1
    # One row holds names under the new key and the number under the old one, until it is sealed anew.
    assert sealing.reseal(model=PatientIdentifier) == PatientIdentifier.objects.count() == 2
    assert (sealing.reseal(model=Coverage), sealing.reseal(model=Coverage)) == (1, 0)
    settings.ENCRYPTION_KEYS = [NEW]
    assert stella.get("patients/", identifier=NUMBER).json()["results"][0]["family_name"] == "Roe"
    assert len(stella.get("coverages/", member_id=MEMBER).json()["results"]) == 1


def test_without_its_key_nothing_is_told_of_anybody_and_the_check_says_which(
    cast: Cast, stella: Caller, known: Patient, settings: LazySettings
) -> None:
    settings.IS_PRODUCTION = True
    fine = check_keys()
    settings.ENCRYPTION_KEYS = [NEW]

    found = check_keys()

    assert fine == []
    assert {one.id for one in found} == {"authz.E011"}
    assert [str(one.msg) for one in found] == [
        f"{table} holds what none of the keys opens."
        for table in ("authz_idempotentanswer", "authz_patientidentifier", "authz_coverage")
    ]
    with pytest.raises(CannotOpen):
        prescriptions.patient(cast.stella, PatientId(known.public_id))
    assert stella.get(f"patients/{known.public_id}/").status_code == 500
    with pytest.raises(CommandError, match="does not name"):
        call_command("reseal")


@pytest.mark.django_db(transaction=True)
def test_what_is_append_only_its_owner_alone_seals_anew_and_changes_nothing_else_of(
    cast: Cast, settings: LazySettings
) -> None:
    row = stage.with_document(cast)
    (old,) = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [NEW, old]

    with pytest.raises(CommandError, match="2 papers and documents are append-only"):
        call_command("reseal")
    with as_owner():
        with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
            cursor.execute("UPDATE authz_storedfile SET media_type = 'image/png'")
        call_command("reseal")

    settings.ENCRYPTION_KEYS = [NEW]
    row.refresh_from_db()
    assert row.packet is not None
    assert bytes(StoredFile.objects.get().content) == b"Note of the visit."
    assert Paper.objects.get(subject_id=row.public_id).text["title"]


def test_every_sealed_table_is_known() -> None:
    assert {model.__name__ for model in sealing.sealed_models()} == {
        *("PatientIdentifier", "Coverage", "IdempotentAnswer", "PriorAuth", "Paper", "Attachment", "StoredFile")
    }
