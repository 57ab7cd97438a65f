"""Queued requests by the thousand, written by plain SQL: what a benchmark finds in the database."""

from datetime import datetime

from django.db import connection

from authz.sealing.identifiers import digests, sealed

# A trigger looks for each of them among all before it, which takes very long for so many in one statement.
_RECORD = """
SELECT setseed(0.42);
INSERT INTO authz_patient (public_id, birth_date, registered_at)
    SELECT gen_random_uuid(), date '1940-01-01' + (random() * 25000)::int, %(now)s
    FROM generate_series(1, %(requests)s);
INSERT INTO authz_coverage
    (public_id, patient_id, plan_id, payer_name, member_id, member_id_index, starts_on, priority, organization_id,
        recorded_at)
    SELECT gen_random_uuid(), patient.id, plan.id, '', %(member)s, %(found_by)s, date '2020-01-01', 1, insurer_id,
        %(now)s
    FROM authz_patient patient, authz_plan plan;
INSERT INTO authz_patientidentifier
    (patient_id, assigner_id, value, value_index, family_name, given_name, recorded_at)
    SELECT id, %(insurer)s, %(value)s, sha256(id::text::bytea), %(family_name)s, %(given_name)s, %(now)s
    FROM authz_patient;
INSERT INTO authz_evaluation (public_id, patient_id, plan_id, as_of, evaluated_at, policy, policy_version, rule_version,
        formulary_version, inputs, inputs_sha256, is_required, attention_count, verdict)
    SELECT gen_random_uuid(), id, NULL, '2026-06-01', %(now)s, 'default', '1', '1', 'x', '{}', '', true, 0,
        jsonb_build_object(
            'episodes', jsonb_build_array(jsonb_build_object('start', '2026-06-01', 'end', '2026-06-10',
                'limit_days', 7, 'records', jsonb_build_array(public_id))),
            'mme', '{"series": [["2026-06-01", "2026-06-10", "30.00", true]]}'::jsonb)
    FROM authz_patient;
ALTER TABLE authz_priorauth DISABLE TRIGGER one_active_request_of_the_same_records;
INSERT INTO authz_priorauth (public_id, number, patient_id, coverage_id, clinic_id, insurer_id, state, version, urgency,
        reason, new_fact, new_fact_kind, episode_anchor, record_ids, pa_required_from, runs_out_on, covered_days,
        evaluation_id, policy, policy_version, regime, regime_version, time_zone, is_payer_rule_unknown, explanation,
        packet, packet_sha256, opened_at, submitted_at, due_at)
    SELECT gen_random_uuid(), 'PA-' || patient.id, patient.id, coverage.id, %(clinic)s, %(insurer)s, 'queued', 2,
        'standard', '', '', '', gen_random_uuid(), ARRAY[patient.public_id], '2026-06-01',
        date '2026-06-01' + (random() * 20)::int, 10, evaluation.id, 'default', '1', 'generic', '1',
        'America/New_York', false, '{"sentences": []}', %(packet)s, 'x', told.at, told.at, told.at + interval '72 hours'
    FROM authz_patient patient
    JOIN authz_coverage coverage ON coverage.patient_id = patient.id
    JOIN authz_evaluation evaluation ON evaluation.patient_id = patient.id
    CROSS JOIN LATERAL (SELECT %(now)s - random() * interval '70 hours' + patient.id * interval '0' AS at) told;
ALTER TABLE authz_priorauth ENABLE TRIGGER one_active_request_of_the_same_records;
INSERT INTO authz_event
    (prior_auth_id, sequence, step, code, from_state, to_state, at, actor_name, organization_id, note)
    SELECT id, 1, 'open', '', '', 'detected', submitted_at, 'Authz', NULL, '' FROM authz_priorauth
    UNION ALL
    SELECT id, 2, 'submit', '', 'draft', 'queued', submitted_at, 'Staff', clinic_id, '' FROM authz_priorauth
"""


def called(number: str, family_name: str = "", given_name: str = "") -> dict[str, bytes]:
    """Return a patient's number and name, sealed. One does for all: each opens like its own would."""
    said = {"value": number, "family_name": family_name, "given_name": given_name}
    return {name: sealed(text.encode(), place=f"authz_patientidentifier.{name}") for name, text in said.items()}


def record_requests(number: int, *, clinic: int, insurer: int, now: datetime) -> None:
    """Queue so many requests of a clinic with an insurer of one plan, received in the 70 hours before an instant."""
    told = {"requests": number, "now": now, "clinic": clinic, "insurer": insurer, **called("M-1")}
    # One number and one packet for all: each opens like its own would.
    packet = sealed(b"{}", place="authz_priorauth.packet")
    member = sealed(b"M-1", place="authz_coverage.member_id")
    (found_by,) = digests("M-1", place="authz_coverage.member_id_index")
    with connection.cursor() as cursor:
        for statement in _RECORD.split(";"):
            cursor.execute(statement, {**told, "packet": packet, "member": member, "found_by": found_by})
        cursor.execute("VACUUM ANALYZE")
