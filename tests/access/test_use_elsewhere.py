"""What a clinic sees of a patient's use elsewhere: drug, days, MME; never who prescribed, dispensed or recorded it."""

from datetime import timedelta

from django.test import Client

from authz import clock
from authz.ids import PatientId
from authz.prescriptions.services import record_prescriber
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import intake
from tests import cast as stage
from tests.api.callers import PATEL_NPI, days_ago, person, today
from tests.cast import Cast

WHO = ["Hillside", "Qwyxley", "Quentin", PATEL_NPI, "HILL-FILL", "HILL-RX", "HILL-ORDER", "HILL-MRN", "Mallory"]


def test_a_clinic_sees_drug_days_and_mme_of_use_elsewhere_and_nothing_of_whose(cast: Cast) -> None:
    now = clock.now()
    record_prescriber(npi=PATEL_NPI, family_name="Qwyxley", given_name="Quentin", by=cast.mallory, now=now)
    patient = stage.register(cast, member_id="M-1", insured=False)
    stage.insure(cast, patient, member_id="M-1")
    same = stage.register(cast, by=cast.mallory, mrn="HILL-MRN", member_id="M-1", insured=False)
    elsewhere = {"prescriber_npi": PATEL_NPI, "product_name": "Oxycodone"}
    key = PatientId(same.public_id)
    order = stage.order_facts(5, on=today() - timedelta(days=9), identifier="HILL-ORDER", **elsewhere)
    dispensed = stage.fill_facts(
        5, on=today() - timedelta(days=8), identifier="HILL-FILL", rx_number="HILL-RX", **elsewhere
    )
    intake.record_all(patient_id=key, facts=[order, dispensed], by=cast.mallory, now=now)
    stage.fill(cast, patient, 10, on=today(), now=now)
    request = PriorAuth.objects.get(clinic=cast.riverside)
    stella, browser = person("stella"), Client()
    browser.post("/log-in/", {"email": "stella@example.org", "password": stage.PASSWORD})

    own, case = f"patients/{patient.public_id}/", f"prior-authorizations/{request.public_id}/"
    use = stella.get(f"{own}opioid-use/")
    answers = [
        use,
        stella.get(f"{own}opioid-use/changes/", **{"from": days_ago(20)}),
        stella.get(f"{own}timeline/"),
        *(stella.get(path) for path in (own, case, f"{case}events/", "fills/", "prescriptions/", "coverages/")),
        browser.get(f"/patients/{patient.public_id}/"),
        browser.get(f"/prior-auths/{request.public_id}/"),
        browser.get("/"),
    ]

    assert same == patient
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    told = {(row["kind"], row["starts_on"], row["days_supply"], row["is_own"]) for row in use.json()["records"]}
    assert ("fill", days_ago(8), 5, False) in told
    assert "mme" in use.content.decode()
    assert [(n, word) for n, answer in enumerate(answers) for word in WHO if word in answer.content.decode()] == []
