import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON authz_secondreading
    FOR EACH ROW EXECUTE FUNCTION authz_refuse_change()
"""

# UNION, not UNION ALL: should two people ever be above each other, it still comes to an end.
NOBODY_UNDER_A_DECIDER = """
CREATE FUNCTION authz_nobody_under_a_decider() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        WITH RECURSIVE request AS (
            SELECT p.id, p.insurer_id FROM authz_priorauth AS p
            JOIN authz_appeal AS a ON a.prior_auth_id = p.id WHERE a.id = NEW.appeal_id
        ), above (person_id) AS (
            SELECT NEW.decided_by_id
            UNION
            SELECT line.superior_id FROM above
            JOIN authz_reportingline AS line ON line.person_id = above.person_id
            JOIN request ON request.insurer_id = line.organization_id
        )
        SELECT 1 FROM authz_determination AS d JOIN request ON request.id = d.prior_auth_id
        JOIN above ON above.person_id = d.decided_by_id
        WHERE d.id IS DISTINCT FROM NEW.determination_id
    ) THEN
        RAISE EXCEPTION 'nobody decides an appeal of a decision of somebody they report to'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'nobody_under_a_decider_decides_the_appeal';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER zz_nobody_under_a_decider BEFORE INSERT ON authz_appealdecision
    FOR EACH ROW EXECUTE FUNCTION authz_nobody_under_a_decider();
"""
GONE = "DROP TRIGGER zz_nobody_under_a_decider ON authz_appealdecision; DROP FUNCTION authz_nobody_under_a_decider()"


class Migration(migrations.Migration):

    dependencies = [
        ('authz', '0019_fewer_indexes_on_requests'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReportingLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.organization')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('superior', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organization', 'person'), name='one_superior_in_an_organization'), models.CheckConstraint(condition=models.Q(('person', models.F('superior')), _negated=True), name='nobody_reports_to_themselves')],
            },
        ),
        migrations.CreateModel(
            name='SecondReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('finding', models.CharField(choices=[('agrees', 'agrees'), ('disagrees', 'disagrees')], max_length=10)),
                ('note', models.CharField(blank=True, max_length=2000)),
                ('read_at', models.DateTimeField()),
                ('determination', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='second_reading', to='authz.determination')),
                ('read_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('finding', 'agrees'), models.Q(('note', ''), _negated=True), _connector='OR'), name='who_disagrees_says_why')],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP TRIGGER append_only ON authz_secondreading"),
        migrations.RunSQL(NOBODY_UNDER_A_DECIDER, GONE),
    ]
