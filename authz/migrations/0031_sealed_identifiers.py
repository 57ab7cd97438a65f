"""What names a patient is sealed where it is kept: names, numbers, packets, papers, documents, stored answers.

One transaction, in which some hundred rows at a time are read, sealed and written; interrupted, nothing has changed. Each
table is then written anew, since a dropped column's text would stay in the table's file. Fifty thousand patients with
their coverages, papers and files took a minute on two busy cores. Logs and backups made before hold what they held.
"""

from django.db import migrations, models

from authz.sealing.fields import BlindIndex, SealedBytes, SealedJson, SealedText
from authz.sealing.identifiers import ADDED_BYTES, digests, sealed

# table, column, whether it can be null, rows at a time
COLUMNS = [
    ("authz_patientidentifier", "value", False, 500),
    ("authz_patientidentifier", "family_name", False, 500),
    ("authz_patientidentifier", "given_name", False, 500),
    ("authz_coverage", "member_id", False, 500),
    ("authz_idempotentanswer", "request_sha256", False, 500),
    ("authz_idempotentanswer", "body", True, 500),
    ("authz_priorauth", "packet", True, 200),
    ("authz_paper", "text", False, 200),
    ("authz_attachment", "title", False, 500),
    ("authz_storedfile", "content", False, 8),
]
INDEXES = {("authz_patientidentifier", "value"): "value_index", ("authz_coverage", "member_id"): "member_id_index"}
APPEND_ONLY = {"authz_paper": "text", "authz_storedfile": "content"}
TABLES = sorted({table for table, *_ in COLUMNS})

BEFORE = """
SET LOCAL authz.tenant = 'all';
SET CONSTRAINTS ALL IMMEDIATE;
-- Each batch by the key, whatever is known of a table that grows meanwhile.
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
ALTER TABLE authz_paper DISABLE TRIGGER append_only;
ALTER TABLE authz_storedfile DISABLE TRIGGER append_only;
ALTER TABLE authz_storedfile DROP CONSTRAINT stored_file_is_what_its_hash_says;
"""

# The owner may seal anew what is append-only, and change nothing else of it. Whoever lacks the keys makes nothing that opens.
ONLY_RESEALED = """
CREATE FUNCTION authz_{table}_only_resealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        OLD.{column} := NEW.{column};
        IF OLD IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER append_only ON {table};
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION authz_{table}_only_resealed();
"""
AFTER = f"""
SET LOCAL enable_seqscan = on;
SET LOCAL enable_hashjoin = on;
SET LOCAL enable_mergejoin = on;
ALTER TABLE authz_storedfile
    ALTER COLUMN content SET STORAGE EXTERNAL,
    ADD CONSTRAINT stored_file_is_as_long_as_it_says CHECK (byte_count = octet_length(content) - {ADDED_BYTES});
ALTER TABLE authz_patientidentifier
    ADD CONSTRAINT patient_identifier_is_not_empty CHECK (octet_length(value) > {ADDED_BYTES});
"""


def seal(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(BEFORE)
        for table, column, is_nullable, rows in COLUMNS:
            _seal_column(cursor, table, column, is_nullable, rows)
        for table, column in APPEND_ONLY.items():
            cursor.execute(ONLY_RESEALED.format(table=table, column=column))
        cursor.execute(AFTER)


def write_anew(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"CLUSTER {table} USING {table}_pkey; ALTER TABLE {table} SET WITHOUT CLUSTER")


def _seal_column(cursor, table, column, is_nullable, rows):
    index = INDEXES.get((table, column))
    new = [f"{column}_sealed", *([index] if index else [])]
    cursor.execute(f"ALTER TABLE {table} {', '.join(f'ADD COLUMN {name} bytea' for name in new)}")
    last = 0
    while batch := _batch(cursor, table, column, last, rows):
        places = (f"{table}.{column}", f"{table}.{index}" if index else "")
        _write(cursor, table, new, [(key, *_kept(*places, said)) for key, said in batch])
        last = batch[-1][0]
    cursor.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    cursor.execute(f"ALTER TABLE {table} RENAME COLUMN {column}_sealed TO {column}")
    for name in [] if is_nullable else [column, *new[1:]]:
        cursor.execute(f"ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL")


def _batch(cursor, table, column, last, rows):
    kept = column if table == "authz_storedfile" else f"{column}::text"
    cursor.execute(
        f"SELECT id, {kept} FROM {table} WHERE id > %s AND {column} IS NOT NULL ORDER BY id LIMIT %s", [last, rows]
    )
    return cursor.fetchall()


def _kept(place, index, said):
    yield sealed(said.encode() if isinstance(said, str) else bytes(said), place=place)
    if index:
        yield digests(said, place=index)[0]


def _write(cursor, table, columns, rows):
    told = ", ".join(f"{name} = told.{name}" for name in columns)
    arrays = ", ".join(["%s::bigint[]", *["%s::bytea[]"] * len(columns)])
    cursor.execute(
        f"UPDATE {table} SET {told} FROM unnest({arrays}) AS told(id, {', '.join(columns)}) WHERE {table}.id = told.id",
        [list(column) for column in zip(*rows, strict=True)],
    )


class AtOnce(migrations.SeparateDatabaseAndState):
    """Tells Django of all columns at once: told of one by one, it makes most models anew for each."""

    def state_forwards(self, app_label, state):
        state.__dict__.pop("apps", None)
        super().state_forwards(app_label, state)


class Migration(migrations.Migration):
    dependencies = [("authz", "0030_kept_answers_name_patients")]

    operations = [
        migrations.RemoveConstraint("patientidentifier", "patient_identifier_once_per_assigner"),
        migrations.RemoveConstraint("patientidentifier", "patient_identifier_is_not_empty"),
        migrations.RemoveConstraint("coverage", "coverage_recorded_once"),
        AtOnce(
            database_operations=[migrations.RunPython(seal)],
            state_operations=[
                migrations.AddField("patientidentifier", "value_index", BlindIndex(of="value")),
                migrations.AddField("coverage", "member_id_index", BlindIndex(of="member_id")),
                migrations.AlterField("patientidentifier", "value", SealedText(max_length=64)),
                migrations.AlterField("patientidentifier", "family_name", SealedText(blank=True, max_length=120)),
                migrations.AlterField("patientidentifier", "given_name", SealedText(blank=True, max_length=120)),
                migrations.AlterField("coverage", "member_id", SealedText(max_length=64)),
                migrations.AlterField("idempotentanswer", "request_sha256", SealedText(max_length=64)),
                migrations.AlterField("idempotentanswer", "body", SealedJson(null=True)),
                migrations.AlterField("priorauth", "packet", SealedJson(null=True)),
                migrations.AlterField("paper", "text", SealedJson()),
                migrations.AlterField("attachment", "title", SealedText(max_length=200)),
                migrations.AlterField("storedfile", "content", SealedBytes()),
            ],
        ),
        migrations.AddConstraint(
            "patientidentifier",
            models.UniqueConstraint(fields=("assigner", "value_index"), name="patient_identifier_once_per_assigner"),
        ),
        migrations.AddConstraint(
            "coverage",
            models.UniqueConstraint(
                fields=("patient", "plan", "payer_name", "member_id_index", "starts_on"),
                name="coverage_recorded_once",
                nulls_distinct=False,
            ),
        ),
        migrations.RunPython(write_anew),
    ]
