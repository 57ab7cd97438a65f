"""An appeal has documents, and a letter when it is upheld: whoever may know the request may know both."""

from django.db import migrations, models

SUBJECTS = """
CREATE OR REPLACE FUNCTION authz_sees_subject(subject uuid) RETURNS boolean LANGUAGE sql STABLE
    RETURN EXISTS (SELECT FROM authz_priorauth WHERE public_id = subject)
        OR EXISTS (SELECT FROM authz_determination WHERE public_id = subject){more};
"""
OF_APPEALS = " OR EXISTS (SELECT FROM authz_appeal WHERE public_id = subject)"
POLICY = """
ALTER TABLE authz_appeal_documents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON authz_appeal_documents USING (authz_is_across() OR authz_sees_appeal(appeal_id));
"""
NO_POLICY = """
DROP POLICY mine ON authz_appeal_documents;
ALTER TABLE authz_appeal_documents DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [("authz", "0037_what_is_dispensed")]

    operations = [
        migrations.AddField(
            model_name="appeal",
            name="documents",
            field=models.ManyToManyField(related_name="appeals", to="authz.attachment"),
        ),
        migrations.RunSQL(POLICY, NO_POLICY),
        migrations.AlterField(
            model_name="paper",
            name="subject_id",
            field=models.UUIDField(help_text="The public id of the request, determination or appeal it is of."),
        ),
        migrations.RunSQL(SUBJECTS.format(more=OF_APPEALS), SUBJECTS.format(more="")),
    ]
