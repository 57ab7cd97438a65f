"""The trail is chained: each organization's entries are numbered without gaps and hashed, each with the one before.

Entries are added unsealed, in the transaction of what they tell of. `authz_audit_seal` numbers and hashes them later, and
`authz_audit_prune` deletes what is old enough; both belong to the owner of the tables, and nobody else may change a
row. Why it is so: docs/adr/0010-an-audit-trail-that-shows-what-was-done-to-it.md.
"""

import authz.ids
import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models

# Whose record a subject is. Only changes are resolved here: what is read names its patients itself.
OF_PATIENT = ("coverage", "exemption", "fill", "prescription", "painscore", "surgery", "painhint", "emergencyaccess", "priorauth")
KIND = {
    "painscore": "pain-score", "painhint": "pain-hint", "emergencyaccess": "emergency-access", "priorauth": "prior-auth",
}  # fmt: skip
OF_REQUEST = ("appeal", "call", "determination")


def one_kind(kind: str, source: str) -> str:
    return f"""
        WHEN '{kind}' THEN
            RETURN ARRAY(SELECT p.public_id FROM authz_patient p {source});"""


WHOSE = f"""
CREATE FUNCTION authz_audit_whose(kind text, subject uuid) RETURNS uuid[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    CASE kind
        WHEN 'patient' THEN
            RETURN ARRAY[subject];{"".join(
    one_kind(KIND.get(table, table), f"JOIN authz_{table} s ON s.patient_id = p.id WHERE s.public_id = subject")
    for table in OF_PATIENT
)}{"".join(
    one_kind(
        table,
        f"JOIN authz_priorauth r ON r.patient_id = p.id JOIN authz_{table} s ON s.prior_auth_id = r.id "
        "WHERE s.public_id = subject",
    )
    for table in OF_REQUEST
)}{one_kind(
    "identity-question",
    "JOIN authz_identityquestion_patients s ON s.patient_id = p.id "
    "JOIN authz_identityquestion q ON q.id = s.identityquestion_id WHERE q.public_id = subject",
)}
        ELSE
            RETURN ARRAY[]::uuid[];
    END CASE;
END $$;
CREATE FUNCTION authz_audit_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sequence IS NOT NULL OR NEW.hash <> '' THEN
        RAISE EXCEPTION 'an audit entry is sealed only by authz_audit_seal' USING ERRCODE = 'restrict_violation';
    END IF;
    IF cardinality(NEW.patients) = 0 AND NEW.subject_id IS NOT NULL THEN
        NEW.patients := authz_audit_whose(NEW.subject_kind, NEW.subject_id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER add_unsealed BEFORE INSERT ON authz_auditentry FOR EACH ROW EXECUTE FUNCTION authz_audit_add();
"""
DROP_WHOSE = """
DROP TRIGGER add_unsealed ON authz_auditentry;
DROP FUNCTION authz_audit_add();
DROP FUNCTION authz_audit_whose(text, uuid);
"""

# 45 CFR 164.316(b)(2)(i): six years. An operator may keep them longer, and the database deletes none earlier.
ONLY_SEALED_OR_PRUNED = """
CREATE FUNCTION authz_audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.sequence IS NULL AND NEW.sequence IS NOT NULL
        AND to_jsonb(OLD) - '{sequence,hash}'::text[] = to_jsonb(NEW) - '{sequence,hash}'::text[] THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND OLD.at < now() - interval '6 years' AND EXISTS (
        SELECT FROM authz_auditroot
        WHERE organization_id IS NOT DISTINCT FROM OLD.organization_id AND ends_pruned AND sequence >= OLD.sequence
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER append_only ON authz_auditentry;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON authz_auditentry
    FOR EACH ROW EXECUTE FUNCTION authz_audit_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON authz_auditroot
    FOR EACH ROW EXECUTE FUNCTION authz_refuse_change();
"""
AS_ALL_ELSE = """
DROP TRIGGER append_only ON authz_auditroot;
DROP TRIGGER append_only ON authz_auditentry;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON authz_auditentry
    FOR EACH ROW EXECUTE FUNCTION authz_refuse_change();
DROP FUNCTION authz_audit_refuse_change();
"""

ROOTS_POLICY = """
ALTER TABLE authz_auditroot ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON authz_auditroot USING (authz_is_across() OR organization_id = authz_tenant());
"""
NO_ROOTS_POLICY = """
DROP POLICY mine ON authz_auditroot;
ALTER TABLE authz_auditroot DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
"""

# The names in their order, no spaces, times to the microsecond in UTC: what authz/audit/chain.py writes again.
SAID_AS = {
    "action": "to_json(entry.action)",
    "actor": "to_json(entry.actor_name)",
    "address": "to_json(entry.address)",
    "at": "to_json(to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'))",
    "client": "to_json((SELECT public_id FROM authz_apiclient WHERE id = entry.client_id))",
    "emergency": "to_json(entry.emergency)",
    "id": "to_json(entry.public_id)",
    "on_behalf_of": "to_json((SELECT public_id FROM authz_person WHERE id = entry.on_behalf_of_id))",
    "organization": "to_json((SELECT public_id FROM authz_organization WHERE id = entry.organization_id))",
    "origin": "to_json(entry.origin)",
    "patients": "array_to_json(entry.patients)",
    "person": "to_json((SELECT public_id FROM authz_person WHERE id = entry.person_id))",
    "purpose": "to_json(entry.purpose)",
    "sequence": "to_json(number)",
    "source": "to_json(entry.source)",
    "subject": "to_json(entry.subject_id)",
    "subject_kind": "to_json(entry.subject_kind)",
}
MEMBERS = " || ','\n        || ".join(f"""'"{name}":' || COALESCE({said}::text, 'null')""" for name, said in SAID_AS.items())
CHAIN = f"""
CREATE FUNCTION authz_audit_said(entry authz_auditentry, number bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT '{{' || {MEMBERS} || '}}'
$$;
CREATE FUNCTION authz_audit_seal(whose bigint, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    entry authz_auditentry;
    number bigint;
    before text;
    sealed integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('authz.audit', whose));
    SELECT sequence, hash INTO number, before FROM authz_auditentry
        WHERE COALESCE(organization_id, 0) = whose AND sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1;
    IF NOT FOUND THEN
        SELECT sequence, hash INTO number, before FROM authz_auditroot
            WHERE COALESCE(organization_id, 0) = whose ORDER BY sequence DESC LIMIT 1;
    END IF;
    number := COALESCE(number, 0);
    before := COALESCE(before, repeat('0', 64));
    FOR entry IN SELECT * FROM authz_auditentry
        WHERE COALESCE(organization_id, 0) = whose AND sequence IS NULL ORDER BY id LIMIT most
    LOOP
        number := number + 1;
        before := encode(
            sha256(decode(before, 'hex') || convert_to(authz_audit_said(entry, number), 'UTF8')), 'hex');
        UPDATE authz_auditentry SET sequence = number, hash = before WHERE id = entry.id;
        sealed := sealed + 1;
    END LOOP;
    RETURN sealed;
END $$;
CREATE FUNCTION authz_audit_root(whose bigint) RETURNS SETOF authz_auditroot
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO authz_auditroot (organization_id, at, sequence, hash, ends_pruned)
        SELECT NULLIF(whose, 0), now(), sequence, hash, false FROM authz_auditentry
        WHERE COALESCE(organization_id, 0) = whose AND sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1
    RETURNING *
$$;
-- Whole days, and only what nothing younger precedes: what is left is one piece, which the root that is left begins.
CREATE FUNCTION authz_audit_prune(whose bigint, years integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    until timestamptz := date_trunc('day', now() - make_interval(years => years), 'UTC');
    first_kept bigint;
    last_pruned authz_auditentry;
    pruned bigint;
BEGIN
    IF years < 6 THEN
        RAISE EXCEPTION 'the audit trail is kept for six years at least' USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('authz.audit', whose));
    SELECT min(sequence) INTO first_kept FROM authz_auditentry
        WHERE COALESCE(organization_id, 0) = whose AND sequence IS NOT NULL AND at >= until;
    SELECT * INTO last_pruned FROM authz_auditentry
        WHERE COALESCE(organization_id, 0) = whose AND sequence < COALESCE(first_kept, 9223372036854775807)
        ORDER BY sequence DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    INSERT INTO authz_auditroot (organization_id, at, sequence, hash, ends_pruned)
        VALUES (NULLIF(whose, 0), now(), last_pruned.sequence, last_pruned.hash, true);
    DELETE FROM authz_auditentry WHERE COALESCE(organization_id, 0) = whose AND sequence <= last_pruned.sequence;
    GET DIAGNOSTICS pruned = ROW_COUNT;
    RETURN pruned;
END $$;
REVOKE EXECUTE ON FUNCTION authz_audit_seal(bigint, integer), authz_audit_root(bigint), authz_audit_prune(bigint, integer)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION authz_audit_seal(bigint, integer), authz_audit_root(bigint), authz_audit_prune(bigint, integer)
    TO authz_app;
REVOKE INSERT, UPDATE, DELETE ON authz_auditroot FROM authz_app;
"""
NO_CHAIN = """
DROP FUNCTION authz_audit_prune(bigint, integer);
DROP FUNCTION authz_audit_root(bigint);
DROP FUNCTION authz_audit_seal(bigint, integer);
DROP FUNCTION authz_audit_said(authz_auditentry, bigint);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('authz', '0026_row_level_security'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditRoot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('sequence', models.BigIntegerField(help_text='Of the last entry; there were as many in all.')),
                ('hash', models.CharField(max_length=64)),
                ('ends_pruned', models.BooleanField(help_text='The entries up to this one were old enough to be deleted.')),
            ],
        ),
        migrations.AddField(
            model_name='auditentry',
            name='address',
            field=models.CharField(db_default='', max_length=300),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='emergency',
            field=models.UUIDField(help_text='The emergency access for which it was open.', null=True),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='hash',
            field=models.CharField(db_default='', editable=False, help_text='Of the entry and the hash before.', max_length=64),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='on_behalf_of',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='origin',
            field=models.CharField(db_default='other', max_length=10),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='patients',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), db_default=[], default=list, size=None),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='public_id',
            field=models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), default=authz.ids.new_id, editable=False),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='purpose',
            field=models.CharField(db_default='', max_length=12),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='sequence',
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='source',
            field=models.CharField(db_default='', max_length=45),
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='client',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.apiclient'),
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='person',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='subject_id',
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=django.contrib.postgres.indexes.GinIndex(fields=['patients'], name='audit_by_patient'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(django.db.models.functions.comparison.Coalesce('organization', 0), models.F('id'), condition=models.Q(('sequence', None)), name='audit_unsealed'),
        ),
        migrations.AddConstraint(
            model_name='auditentry',
            constraint=models.UniqueConstraint(django.db.models.functions.comparison.Coalesce('organization', 0), models.F('sequence'), name='one_audit_chain_an_organization'),
        ),
        migrations.AddConstraint(
            model_name='auditentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('hash', ''), ('sequence', None)), models.Q(('hash__regex', '^[0-9a-f]{64}$'), ('sequence__gt', 0)), _connector='OR'), name='an_audit_entry_is_sealed_whole'),
        ),
        migrations.AddField(
            model_name='auditroot',
            name='organization',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.organization'),
        ),
        migrations.AddConstraint(
            model_name='auditroot',
            constraint=models.CheckConstraint(condition=models.Q(('sequence__gt', 0)), name='an_audit_root_is_of_an_entry'),
        ),
        migrations.RunSQL(WHOSE, DROP_WHOSE),
        migrations.RunSQL(ONLY_SEALED_OR_PRUNED, AS_ALL_ELSE),
        migrations.RunSQL(ROOTS_POLICY, NO_ROOTS_POLICY),
        migrations.RunSQL(CHAIN, NO_CHAIN),
    ]
