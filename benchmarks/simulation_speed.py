"""How fast a draft policy is simulated. Run: python -m benchmarks.simulation_speed [PATIENTS FILLS]

On an embedded PostgreSQL of its own it records fills (1,000,000 of 80,000 patients unless said), then runs, in turn
and three times each, the best set-based SQL for the union of covered days (range_agg over every patient's fills) and a
whole simulation: both policies, coverage, exemptions, figures. Prints the best of each and exits with status 1 when
the simulation takes more than three times as long, or this process more than 500 MB.
"""

import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from time import perf_counter

from django.db import connection

from benchmarks._embedded import embedded_database

PATIENTS, FILLS = 80_000, 1_000_000
MOST_TIMES, MOST_MEGABYTES, ROUNDS = 3.0, 500, 3

_RECORD = """
SELECT setseed(0.42);
INSERT INTO authz_patient (public_id, birth_date, registered_at)
    SELECT gen_random_uuid(), date '1940-01-01' + (random() * 25000)::int, now() FROM generate_series(1, {patients});
INSERT INTO authz_coverage
    (public_id, patient_id, plan_id, payer_name, member_id, member_id_index, starts_on, priority, organization_id,
        recorded_at)  -- no simulation opens a member's number
    SELECT gen_random_uuid(), patient.id, plan.id, '', '', '', date '2020-01-01', 1, insurer_id, now()
    FROM authz_patient patient, authz_plan plan;
CREATE TEMP TABLE told AS
    SELECT row_number() OVER (ORDER BY start) AS n, * FROM (
        SELECT 1 + floor(power(random(), 1.6) * {patients})::int AS patient,
            date '2024-01-01' + (random() * 900)::int AS start,
            (array[3, 5, 7, 7, 10, 14, 30, 30])[1 + floor(random() * 8)::int] AS days
        FROM generate_series(1, {fills})
    ) fill;
INSERT INTO authz_fill (public_id, patient_id, organization_id, identifier)
    SELECT gen_random_uuid(), patient, (SELECT min(id) FROM authz_organization), 'F' || n FROM told ORDER BY n;
INSERT INTO authz_fillversion (version, status, starts_on, rxcui, product_name, quantity, days_supply, recorded_at,
        recorded_on, rx_number, fill_number, fill_id)
    SELECT 1, 'active', start, (array['1049621', '1049683', '835603', '864706', '197696', '897696'])[1 + n % 6],
        'x', days * 4, days, start::timestamptz, start, 'R' || n, 0, fill.id
    FROM told JOIN authz_fill fill ON fill.identifier = 'F' || n ORDER BY n;
INSERT INTO authz_fillversion (version, status, starts_on, rxcui, product_name, quantity, days_supply, recorded_at,
        recorded_on, rx_number, fill_number, fill_id)
    SELECT 2, CASE WHEN random() < 0.6 THEN 'reversed' ELSE 'active' END, starts_on, rxcui, product_name, quantity,
        days_supply, recorded_at + interval '3 days', recorded_on + 3, rx_number, fill_number, fill_id
    FROM authz_fillversion WHERE random() < 0.03;
INSERT INTO authz_exemption
    (public_id, patient_id, organization_id, category, starts_on, ends_on, evidence, recorded_at)
    SELECT gen_random_uuid(), id, (SELECT min(id) FROM authz_organization), 'cancer',
        date '2024-01-01' + (random() * 400)::int,
        CASE WHEN random() < 0.3 THEN date '2025-06-01' + (random() * 400)::int END, 'e', now()
    FROM authz_patient WHERE random() < 0.05;
"""
_UNION = """
SELECT count(*), sum(length(days::text)) FROM (
    SELECT patient_id, range_agg(daterange(starts_on, starts_on + days_supply)) AS days
    FROM (
        SELECT DISTINCT ON (version.fill_id)
            fill.patient_id, version.starts_on, version.days_supply, version.status, version.rxcui
        FROM authz_fillversion version JOIN authz_fill fill ON fill.id = version.fill_id
        ORDER BY version.fill_id, version.version DESC
    ) newest
    WHERE status = 'active' AND days_supply BETWEEN 1 AND 366 AND rxcui = ANY(%s) AND starts_on <= '2026-06-30'
    GROUP BY patient_id
) covered
"""


def seconds(work: Callable[[], object]) -> float:
    """Return how long the work takes on the wall."""
    began = perf_counter()
    work()
    return perf_counter() - began


def main(patients: int, fills: int) -> bool:
    """Record, measure, print; return whether both targets were met."""
    # After the settings are there: these modules hold models.
    from authz.access.roles import OrganizationKind  # noqa: PLC0415
    from authz.access.services import create_organization  # noqa: PLC0415
    from authz.policies import catalog  # noqa: PLC0415
    from authz.policies.services import create_plan  # noqa: PLC0415
    from authz.rules.formulary import packaged  # noqa: PLC0415
    from authz.simulations.comparison import compare  # noqa: PLC0415
    from authz.simulations.report import Period  # noqa: PLC0415

    create_organization(kind=OrganizationKind.CLINIC, name="Clinic", time_zone="America/New_York")
    insurer = create_organization(kind=OrganizationKind.INSURER, name="Insurer", time_zone="America/New_York")
    plans = [create_plan(insurer=insurer, code="P", name="Plan")]
    with connection.cursor() as cursor:
        took = seconds(lambda: cursor.execute(_RECORD.format(patients=patients, fills=fills)))
        cursor.execute("VACUUM ANALYZE")
    print(f"recorded {fills:,} fills of {patients:,} patients in {took:.0f} s", flush=True)
    period = Period(since=date(2025, 7, 1), until=date(2026, 6, 30))
    in_force = catalog.policy(catalog.DEFAULT, period.since)
    draft = replace(in_force, version="draft", parameters=replace(in_force.parameters, limit_days=10, gap_days=90))
    counted = [p.rxcui for p in packaged().products.values() if p.counts(with_pain_buprenorphine=False)]

    def union() -> None:
        with connection.cursor() as cursor:
            cursor.execute(_UNION, [counted])
            cursor.fetchall()

    def simulation() -> None:
        compare(
            draft, plans, period=period, minutes_a_request=15, formulary=packaged(), progress=lambda _done, _of: None
        )

    rounds = [(seconds(union), seconds(simulation)) for _ in range(ROUNDS)]
    best_union, best_simulation = (min(side) for side in zip(*rounds, strict=True))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    times = best_simulation / best_union
    print(f"range_agg {best_union:.2f} s, simulation {best_simulation:.2f} s: {times:.2f} times (at most {MOST_TIMES})")
    print(f"memory of this process: {megabytes:.0f} MB at most (at most {MOST_MEGABYTES})")
    return times <= MOST_TIMES and megabytes <= MOST_MEGABYTES


if __name__ == "__main__":
    sizes = [int(word) for word in sys.argv[1:3]] or [PATIENTS, FILLS]
    with embedded_database(durable=False):
        is_met = main(*sizes)
    sys.exit(0 if is_met else 1)
