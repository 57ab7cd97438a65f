"""An appeal has a letter when it is upheld: whoever may know the request may know it."""

from django.db import migrations, models

SUBJECTS = """
CREATE OR REPLACE FUNCTION authz_sees_subject(subject uuid) RETURNS boolean LANGUAGE sql STABLE
    RETURN EXISTS (SELECT FROM authz_priorauth WHERE public_id = subject)
        OR EXISTS (SELECT FROM authz_determination WHERE public_id = subject){more};
"""
OF_APPEALS = " OR EXISTS (SELECT FROM authz_appeal WHERE public_id = subject)"


class Migration(migrations.Migration):
    dependencies = [("authz", "0037_what_is_dispensed")]

    operations = [
        migrations.AlterField(
            model_name="paper",
            name="subject_id",
            field=models.UUIDField(help_text="The public id of the request, determination or appeal it is of."),
        ),
        migrations.RunSQL(SUBJECTS.format(more=OF_APPEALS), SUBJECTS.format(more="")),
    ]
