"""How fast the clinic's pages are when there is much. Run: python -m benchmarks.pages_speed [REQUESTS FILLS]

On an embedded PostgreSQL of its own, it queues requests of one clinic (100,000 unless said), and gives one patient so
many fills (200). Then it reads the first page of the worklist and the patient's page as a logged-in browser does, and
the same over the JSON API; and it searches by name. Prints queries, times and bytes. Exits with status 1 when a page
takes more than 8 queries of its own (who is there takes three more), more than 3 times as long as the API, a search
more than 3 s, or when what a browser fetches for the first page, without a cache, is more than 60 KB.
"""

import gzip
import sys
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from re import findall
from secrets import token_urlsafe
from statistics import median
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks._embedded import embedded_database
from benchmarks._requests import called, record_requests
from benchmarks.queue_speed import spent

REQUESTS, FILLS, ROUNDS = 100_000, 200, 15
MOST_QUERIES, MOST_TIMES, MOST_BYTES = 8, 3.0, 60 * 1024
SEARCHES, MOST_TO_FIND = 3, 3000
NPI = "1234567893"
_BOUNDS = {"BEGIN", "COMMIT"}  # of transactions; they ask nothing
WHO_IS_THERE = 3  # the session, the person, and for whom they act
# The database holds what was submitted as it was; these come about in bulk, and otherwise.
_NAME = """
ALTER TABLE authz_requestedline DISABLE TRIGGER what_was_submitted_stands;
ALTER TABLE authz_priorauth DISABLE TRIGGER what_was_submitted_stands;
INSERT INTO authz_patientidentifier
    (patient_id, assigner_id, value, value_index, family_name, given_name, recorded_at)
    SELECT id, %(clinic)s, %(value)s, sha256(id::text::bytea), %(family_name)s, %(given_name)s, %(now)s
    FROM authz_patient;
INSERT INTO authz_requestedline
    (prior_auth_id, line, rxcui, product_name, quantity, days_supply, daily_units, refills, starts_on, ends_on)
    SELECT id, 1, '1049621', 'oxycodone hydrochloride 5 MG Oral Tablet', 40, 10, NULL, NULL, '2026-06-01', '2026-06-10'
    FROM authz_priorauth;
UPDATE authz_priorauth SET state = 'detected', submitted_at = NULL, due_at = NULL WHERE id %% 5 = 0;
ALTER TABLE authz_requestedline ENABLE TRIGGER what_was_submitted_stands;
ALTER TABLE authz_priorauth ENABLE TRIGGER what_was_submitted_stands
"""


class Browser:
    """Somebody who is logged in on the pages, and who has a token for the API."""

    def __init__(self, person: Any, organization: Any) -> None:
        from authz.access.machines import services as machines  # noqa: PLC0415  # models need the settings
        from authz.access.roles import Role  # noqa: PLC0415
        from authz.clock import now  # noqa: PLC0415

        self.client = Client(HTTP_ACCEPT_ENCODING="gzip")
        self.client.force_login(person)
        session = self.client.session
        session["organization"] = str(organization.public_id)
        session.save()
        machine, secret = machines.create_client(organization=organization, name="A system", roles={Role.STAFF})
        token, _ = machines.issue_for_secret(
            client_id=str(machine.public_id), client_secret=secret, scope=None, now=now()
        )
        self.token = {"HTTP_AUTHORIZATION": f"Bearer {token}"}

    def page(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.status_code  # noqa: S101
        return answer

    def told(self, *paths: str) -> None:
        for path in paths:
            answer = self.client.get(path, **self.token)
            assert answer.status_code == 200, answer.content[:300]  # noqa: S101


def keeps_up(name: str, browser: Browser, path: str, *by_api: str) -> bool:
    """Read a page and the same over the API in turn, print, and return whether the targets were met."""
    browser.page(path)
    browser.told(*by_api)
    with CaptureQueriesContext(connection) as asked:
        browser.page(path)
    own = sum(query["sql"] not in _BOUNDS for query in asked) - WHO_IS_THERE
    rounds = [(spent(lambda: browser.page(path)), spent(lambda: browser.told(*by_api))) for _ in range(ROUNDS)]
    page, told = (median(side) for side in zip(*rounds, strict=True))
    print(f"{name}: {own} queries of its own (at most {MOST_QUERIES}), {page:.0f} ms; the API {told:.0f} ms:")
    print(f"    {page / told:.1f} times (at most {MOST_TIMES})", flush=True)
    return own <= MOST_QUERIES and page <= MOST_TIMES * told


def finds(browser: Browser, words: str) -> bool:
    """Search the worklist, whose names must be opened one by one, print, and return whether it was soon enough."""
    address = browser.client.post("/", {"words": words})["Location"]
    took = median(spent(lambda: browser.page(address)) for _ in range(SEARCHES))
    print(f"search for {words!r}: {took:.0f} ms (at most {MOST_TO_FIND})", flush=True)
    return took <= MOST_TO_FIND


def is_light(browser: Browser, path: str) -> bool:
    """Fetch a page with all it needs as a browser without a cache does, print, and return whether it is small."""
    page = browser.page(path)
    html = gzip.decompress(page.content).decode()
    files = findall(r'(?:src|href)="(/static/[^"]+)"', html)
    sizes = {"the page": len(page.content)}
    for file in files:
        sizes[file] = len(browser.client.get(file).getvalue())
    for what, size in sizes.items():
        print(f"    {size:>7,} bytes  {what}")
    print(f"first page without a cache: {sum(sizes.values()) / 1024:.1f} KB (at most {MOST_BYTES // 1024})")
    return sum(sizes.values()) <= MOST_BYTES


def a_patient(fills: int, by: Any, now: Any) -> Any:
    """Return a patient of the clinic with so many fills of two days, one every three days."""
    from authz.ids import PatientId  # noqa: PLC0415
    from authz.prescriptions.facts import FillFacts, PatientFacts  # noqa: PLC0415
    from authz.prescriptions.services import record_prescriber  # noqa: PLC0415
    from authz.prior_auths.services import intake  # noqa: PLC0415

    facts = PatientFacts(
        identifier="LONG", family_name="Long", given_name="Ida", birth_date=date(1970, 5, 5), plan_id=None, member_id=""
    )
    patient, _ = intake.register_patient(facts=facts, by=by, now=now)
    record_prescriber(npi=NPI, family_name="Jones", given_name="Ida", by=by, now=now)
    given = [
        FillFacts(
            identifier=f"F-{number}",
            starts_on=now.date() - timedelta(days=3 * (fills - number)),
            rxcui="1049621",
            quantity=Decimal(8),
            days_supply=2,
            fill_number=0,
            prescriber_npi=NPI,
        )
        for number in range(fills)
    ]
    intake.record_all(patient_id=PatientId(patient.public_id), facts=given, by=by, now=now)
    return patient


def main(requests: int, fills: int) -> bool:
    """Record, measure, print; return whether all targets were met."""
    from authz.access import selectors as access_selectors  # noqa: PLC0415
    from authz.access import services as access  # noqa: PLC0415
    from authz.access.roles import OrganizationKind, Role  # noqa: PLC0415
    from authz.clock import now as clock_now  # noqa: PLC0415
    from authz.policies.services import create_plan  # noqa: PLC0415

    zone, now = "America/New_York", clock_now()
    clinic = access.create_organization(kind=OrganizationKind.CLINIC, name="Clinic", time_zone=zone)
    insurer = access.create_organization(kind=OrganizationKind.INSURER, name="Insurer", time_zone=zone)
    create_plan(insurer=insurer, code="P", name="Plan")
    person = access.create_person(email="s@example.org", full_name="S", password=token_urlsafe())
    access.add_membership(person=person, organization=clinic, role=Role.STAFF)
    record_requests(requests, clinic=clinic.pk, insurer=insurer.pk, now=now - timedelta(minutes=1))
    with connection.cursor() as cursor:
        for statement in _NAME.split(";"):
            cursor.execute(statement, {"clinic": clinic.pk, "now": now, **called("MRN-1", "Doe", "Pat")})
        cursor.execute("VACUUM ANALYZE")
    patient = a_patient(fills, access_selectors.actor_for(person=person, organization=clinic), now)
    print(f"{requests:,} requests, {fills} fills", flush=True)
    browser = Browser(person, clinic)
    key = patient.public_id
    checks: list[Callable[[], bool]] = [
        lambda: keeps_up("worklist", browser, "/", "/api/v1/prior-authorizations/?limit=50"),
        lambda: keeps_up(
            f"patient with {fills} fills",
            browser,
            f"/patients/{key}/",
            f"/api/v1/patients/{key}/",
            f"/api/v1/patients/{key}/opioid-use/",
            f"/api/v1/patients/{key}/timeline/",
            f"/api/v1/prior-authorizations/?patient={key}",
        ),
        lambda: finds(browser, "Long"),
        lambda: finds(browser, "doe oxycodone"),
        lambda: is_light(browser, "/"),
    ]
    met = [check() for check in checks]
    return all(met)


if __name__ == "__main__":
    sizes = [int(word) for word in sys.argv[1:3]] or [REQUESTS, FILLS]
    with embedded_database(durable=False):
        is_met = main(*sizes)
    sys.exit(0 if is_met else 1)
