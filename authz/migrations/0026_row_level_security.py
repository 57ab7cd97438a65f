"""Row-level security: the database itself shows each organization its own rows, and lets it write no others.

Whose a row is, table by table, in words: docs/tenancy.md. A policy is the rows one may read and write; a few tables
have more rows that one may only read. `authz.tenant` is an organization's key, `all`, or unset, which is nobody's.
"""

import django.db.models.deletion
from django.db import migrations, models

import authz.access.models

FUNCTIONS = """
CREATE FUNCTION authz_is_across() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN current_setting('authz.tenant', true) IS NOT DISTINCT FROM 'all';
CREATE FUNCTION authz_tenant() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(NULLIF(current_setting('authz.tenant', true), ''), 'all')::bigint;
-- Asks in everybody's name, or the policy of the very table that it reads would ask it again.
CREATE FUNCTION authz_is_clinic() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    asked_for text := current_setting('authz.tenant', true);
    tenant bigint := authz_tenant();
    found boolean;
BEGIN
    PERFORM set_config('authz.tenant', 'all', true);
    found := EXISTS (SELECT FROM authz_organization WHERE id = tenant AND kind = 'clinic');
    PERFORM set_config('authz.tenant', COALESCE(asked_for, ''), true);
    RETURN found;
END $$;
"""
DROP_FUNCTIONS = "DROP FUNCTION authz_is_clinic(); DROP FUNCTION authz_tenant(); DROP FUNCTION authz_is_across();"

# What a row's own columns do not tell is asked by a function: PostgreSQL keeps a function's plan for the session, but
# would plan a condition within a policy anew with every statement, and the policies within that one with it.
QUESTIONS = {
    f"authz_sees_{parent}(key bigint)": f"EXISTS (SELECT FROM authz_{parent} WHERE id = key)"
    for parent in (
        "patient", "identityquestion", "prescription", "fill", "painscore", "surgery", "payerpolicy", "priorauth", "determination",
        "appeal", "call", "informationrequest", "answersheet", "paper", "importrun", "matter", "webhookendpoint", "apiclient",
    )
} | {
    "authz_has_member(person bigint)": "EXISTS (SELECT FROM authz_membership WHERE person_id = person)",
    "authz_knows_patient(patient bigint, merged_into bigint)": """EXISTS (
        SELECT FROM authz_patientidentifier
        WHERE patient_id IN (patient, merged_into) AND assigner_id = authz_tenant())""",
    "authz_opened_in_emergency(patient bigint)": """EXISTS (
        SELECT FROM authz_emergencyaccess WHERE patient_id = patient AND organization_id = authz_tenant())""",
    "authz_sees_emergency_of(clinic bigint)": "EXISTS (SELECT FROM authz_emergencyaccess WHERE organization_id = clinic)",
    "authz_insures_by(plan bigint)": "EXISTS (SELECT FROM authz_plan WHERE id = plan AND insurer_id = authz_tenant())",
    "authz_reviews(request bigint)":
        "EXISTS (SELECT FROM authz_priorauth WHERE id = request AND insurer_id = authz_tenant())",
    "authz_sees_request_of_clinic(clinic bigint)": "EXISTS (SELECT FROM authz_priorauth WHERE clinic_id = clinic)",
    "authz_sees_request_under(coverage bigint)": "EXISTS (SELECT FROM authz_priorauth WHERE coverage_id = coverage)",
    "authz_sees_request_with(sheet bigint)": "EXISTS (SELECT FROM authz_priorauth WHERE answers_id = sheet)",
    "authz_sees_subject(subject uuid)": """EXISTS (SELECT FROM authz_priorauth WHERE public_id = subject)
        OR EXISTS (SELECT FROM authz_determination WHERE public_id = subject)""",
    "authz_sees_holder_of(file bigint)": """EXISTS (SELECT FROM authz_attachment WHERE file_id = file)
        OR EXISTS (SELECT FROM authz_renderedpaper WHERE file_id = file)""",
    "authz_is_told(message bigint)": "EXISTS (SELECT FROM authz_delivery WHERE message_id = message)",
}  # fmt: skip


def own(column: str = "organization_id") -> str:
    return f"{column} = authz_tenant()"


def of(parent: str, column: str) -> str:
    """Return the condition that the row's parent is seen: the parent's own policies hold within."""
    return f"authz_sees_{parent}({column})"


OF_REQUEST = of("priorauth", "prior_auth_id")
OF_DETERMINATION = of("determination", "determination_id")

MINE = {
    # -- organizations, people and machines
    "organization": own("id"),
    "membership": own(),
    "reportingline": own(),
    "licence": "authz_has_member(person_id)",
    "apiclient": own(),
    "accesstoken": own(),
    "seenassertion": of("apiclient", "client_id"),
    "invitation": own(),
    "idempotentanswer": own("tenant"),
    "auditentry": own(),
    # -- patients and what is known of them
    "patientidentifier": own("assigner_id"),
    "patient": "authz_knows_patient(id, merged_into_id)",
    "emergencyaccess": own(),
    "identityquestion": own(),
    "identityquestion_patients": of("identityquestion", "identityquestion_id"),
    "coverage": f"{own()} OR authz_insures_by(plan_id)",
    "prescriber_organizations": own(),
    "prescription": own(),
    "prescriptionversion": of("prescription", "prescription_id"),
    "fill": own(),
    "fillversion": of("fill", "fill_id"),
    "exemption": own(),
    "painscore": own(),
    "painscoreversion": of("painscore", "record_id"),
    "surgery": own(),
    "surgeryversion": of("surgery", "record_id"),
    "painhint": own("clinic_id"),
    # -- payers
    "plan": own("insurer_id"),
    "payerpolicy": own("insurer_id"),
    "payerreason": own("insurer_id"),
    "simulation": of("payerpolicy", "policy_id"),
    # -- requests and all that hangs on them
    "priorauth": f"{own('clinic_id')} OR ({own('insurer_id')} AND submitted_at IS NOT NULL)",
    "evaluation": "false",
    "recheck": "false",
    "event": OF_REQUEST,
    "requestedline": OF_REQUEST,
    "breach": OF_REQUEST,
    "informationrequest": OF_REQUEST,
    "informationrequest_documents": of("informationrequest", "informationrequest_id"),
    "determination": OF_REQUEST,
    "determinationline": OF_DETERMINATION,
    "secondreading": OF_DETERMINATION,
    "authorization": OF_REQUEST,
    "appeal": OF_REQUEST,
    "appealevent": of("appeal", "appeal_id"),
    "appealdecision": of("appeal", "appeal_id"),
    "call": OF_REQUEST,
    "calltime": of("call", "call_id"),
    "callevent": of("call", "call_id"),
    "skip": "authz_reviews(prior_auth_id)",
    "absence": own(),
    # -- answers, documents, papers
    "answersheet": f"{own('tenant')} OR authz_sees_request_with(id)",
    "answer": of("answersheet", "sheet_id"),
    "attachment": of("answersheet", "sheet_id"),
    "storedfile": f"{own('tenant')} OR authz_sees_holder_of(id)",
    "paper": "authz_sees_subject(subject_id)",
    "renderedpaper": of("paper", "paper_id"),
    # -- files taken in
    "importrun": own(),
    "importrejection": of("importrun", "run_id"),
    # -- telling people and systems
    "outboxmessage": own("tenant"),
    "delivery": own(),
    "inboxentry": own(),
    "digest": own(),
    "matter": own(),
    "escalation": of("matter", "matter_id"),
    "notificationsettings": "authz_has_member(person_id)",
    "delegate": own(),
    "cover": own(),
    "webhookendpoint": own(),
    "webhooksecret": of("webhookendpoint", "endpoint_id"),
}
ALSO_READ = {
    # A clinic names any insurer and any plan; an insurer learns of a clinic by what it submits, either by an emergency.
    "organization": """(kind = 'insurer' AND authz_is_clinic()) OR authz_sees_request_of_clinic(id)
        OR authz_sees_emergency_of(id)""",
    "plan": "authz_is_clinic()",
    "patient": "authz_opened_in_emergency(id)",
    # All who know the patient hear of it.
    "emergencyaccess": "authz_sees_patient(patient_id)",
    "coverage": "authz_sees_request_under(id)",
    # What the rule read of a patient, whoever recorded it, names nobody. An insurer's is its own policy's answer.
    "evaluation": """authz_sees_patient(patient_id)
        AND (plan_id IS NULL OR authz_is_clinic() OR authz_insures_by(plan_id))""",
    "outboxmessage": "authz_is_told(id)",
}


def question(signature: str, condition: str) -> migrations.RunSQL:
    create = f"CREATE FUNCTION {signature} RETURNS boolean LANGUAGE sql STABLE RETURN {condition};"
    return migrations.RunSQL(create, f"DROP FUNCTION {signature};")


def policies(table: str) -> str:
    """Return the statements that put a table under row-level security, for its owner as well."""
    mine = f"CREATE POLICY mine ON authz_{table} USING (authz_is_across() OR ({MINE[table]}));"
    also = f"CREATE POLICY also_read ON authz_{table} FOR SELECT USING ({ALSO_READ.get(table)});"
    return (
        f"ALTER TABLE authz_{table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        f"{mine}{also if table in ALSO_READ else ''}"
    )


def no_policies(table: str) -> str:
    also = f"DROP POLICY also_read ON authz_{table};" if table in ALSO_READ else ""
    return (
        f"ALTER TABLE authz_{table} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;"
        f"DROP POLICY mine ON authz_{table};{also}"
    )


# Under which role the product runs: it owns nothing, and what is append-only it cannot change, trigger or not.
GRANTS = """
DO $$
DECLARE kept record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'authz_app') THEN
        RAISE EXCEPTION 'there is no role authz_app: docs/running.md tells how to make it';
    END IF;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO authz_app;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO authz_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO authz_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO authz_app;
    REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM authz_app;
    FOR kept IN SELECT tgrelid::regclass AS name FROM pg_trigger WHERE tgname = 'append_only' LOOP
        EXECUTE format('REVOKE UPDATE, DELETE ON %s FROM authz_app', kept.name);
    END LOOP;
END $$;
"""
NO_GRANTS = """
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM authz_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM authz_app;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM authz_app;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM authz_app;
"""

# "person:<key>@<organization>" or "client:<key>"
WHOSE_ANSWERS = """
UPDATE authz_idempotentanswer SET tenant = split_part(caller, '@', 2)::bigint WHERE caller LIKE 'person:%@%';
UPDATE authz_idempotentanswer a SET tenant = c.organization_id FROM authz_apiclient c WHERE a.caller = 'client:' || c.id;
"""


def written_for(model: str) -> migrations.AddField:
    column = models.BigIntegerField(db_default=authz.access.models.CurrentTenant(), editable=False, null=True)
    return migrations.AddField(model_name=model, name="tenant", field=column)


class Migration(migrations.Migration):
    dependencies = [("authz", "0025_people_and_machines")]

    operations = [
        migrations.RunSQL(FUNCTIONS, DROP_FUNCTIONS),
        written_for("answersheet"),
        written_for("idempotentanswer"),
        written_for("outboxmessage"),
        written_for("storedfile"),
        migrations.AlterField(
            model_name="priorauth",
            name="answers",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="authz.answersheet"
            ),
        ),
        migrations.RunSQL(WHOSE_ANSWERS, migrations.RunSQL.noop),
        *(question(signature, condition) for signature, condition in QUESTIONS.items()),
        *(migrations.RunSQL(policies(table), no_policies(table)) for table in MINE),
        migrations.RunSQL(GRANTS, NO_GRANTS),
    ]
