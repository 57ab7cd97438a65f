"""What comes after a decision, and what the database itself holds of it."""

import authz.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


APPEND_ONLY = ["authz_appealevent", "authz_appealdecision", "authz_callevent", "authz_calltime"]

# What is appealed is an adverse decision in force of the same request, that was not itself made on appeal.
WHAT_IS_APPEALED = """
CREATE FUNCTION authz_what_is_appealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.prior_auth_id <> OLD.prior_auth_id OR NEW.determination_id <> OLD.determination_id THEN
            RAISE EXCEPTION 'an appeal stays with the decision it is against'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'an_appeal_stays_with_its_decision';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM authz_determination AS d
        WHERE d.id = NEW.determination_id AND d.prior_auth_id = NEW.prior_auth_id
          AND d.outcome IN ('denied', 'partially_approved', 'deemed_adverse')
          AND NOT EXISTS (SELECT 1 FROM authz_determination AS later WHERE later.supersedes_id = d.id)
          AND NOT EXISTS (SELECT 1 FROM authz_appealdecision AS a WHERE a.determination_id = d.id)
    ) THEN
        RAISE EXCEPTION 'only an adverse decision in force of the same request is appealed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_adverse_decisions_are_appealed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER what_is_appealed BEFORE INSERT OR UPDATE ON authz_appeal
    FOR EACH ROW EXECUTE FUNCTION authz_what_is_appealed();
"""

# Of the person who decides an appeal: an appeal reviewer of the insurer who never determined the request; against what
# was asked: with a physician's licence of their own, valid on that day. What supersedes is theirs, and of this appeal.
WHO_DECIDES_AN_APPEAL = """
CREATE FUNCTION authz_who_decides_an_appeal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    appeal authz_appeal%ROWTYPE;
BEGIN
    SELECT * INTO appeal FROM authz_appeal WHERE id = NEW.appeal_id;
    IF appeal.state <> 'in_review' THEN
        RAISE EXCEPTION 'only an appeal in review is decided'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_an_appeal_in_review_is_decided';
    END IF;
    IF EXISTS (
        SELECT 1 FROM authz_determination
        WHERE prior_auth_id = appeal.prior_auth_id AND decided_by_id = NEW.decided_by_id
          AND id IS DISTINCT FROM NEW.determination_id
    ) THEN
        RAISE EXCEPTION 'who determined a request does not decide its appeal'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'nobody_decides_an_appeal_of_their_own_decision';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM authz_membership AS m JOIN authz_priorauth AS p ON p.insurer_id = m.organization_id
        WHERE p.id = appeal.prior_auth_id AND m.person_id = NEW.decided_by_id AND m.role = 'appeal_reviewer'
    ) THEN
        RAISE EXCEPTION 'only appeal reviewers of the insurer decide appeals'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_appeal_reviewers_decide_appeals';
    END IF;
    IF NEW.outcome IN ('upheld', 'partly_overturned') AND NOT EXISTS (
        SELECT 1 FROM authz_licence
        WHERE id = NEW.licence_id AND person_id = NEW.decided_by_id AND profession = 'physician'
          AND (NEW.decided_at AT TIME ZONE 'UTC')::date BETWEEN valid_from AND valid_until
    ) THEN
        RAISE EXCEPTION 'only a physician with a licence valid at that instant decides against an appeal'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_a_licensed_physician_decides_against_an_appeal';
    END IF;
    IF NEW.determination_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM authz_determination
        WHERE id = NEW.determination_id AND supersedes_id = appeal.determination_id
          AND decided_by_id = NEW.decided_by_id
          AND outcome = CASE NEW.outcome WHEN 'overturned' THEN 'approved' ELSE 'partially_approved' END
    ) THEN
        RAISE EXCEPTION 'what overturns a decision supersedes it, by the same person'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'what_overturns_a_decision_supersedes_it';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER who_decides_an_appeal BEFORE INSERT ON authz_appealdecision
    FOR EACH ROW EXECUTE FUNCTION authz_who_decides_an_appeal();
"""

# Checked when the transaction ends: the decision and the state are written one after the other.
APPEAL_DECIDED_BY_SOMEBODY = """
CREATE FUNCTION authz_decided_appeal_needs_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM authz_appeal WHERE id = NEW.id) = 'decided'
       AND NOT EXISTS (SELECT 1 FROM authz_appealdecision WHERE appeal_id = NEW.id) THEN
        RAISE EXCEPTION 'a decided appeal has a decision'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decided_appeals_have_a_decision';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER appeal_decided_by_somebody AFTER INSERT OR UPDATE OF state ON authz_appeal
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'decided')
    EXECUTE FUNCTION authz_decided_appeal_needs_decision();
"""


def _trigger(create: str, name: str, table: str, function: str) -> migrations.RunSQL:
    return migrations.RunSQL(create, f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {function}()")


PROMISES = [
    *(
        migrations.RunSQL(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION authz_refuse_change()",
            f"DROP TRIGGER append_only ON {table}",
        )
        for table in APPEND_ONLY
    ),
    _trigger(WHAT_IS_APPEALED, "what_is_appealed", "authz_appeal", "authz_what_is_appealed"),
    _trigger(
        WHO_DECIDES_AN_APPEAL, "who_decides_an_appeal", "authz_appealdecision", "authz_who_decides_an_appeal"
    ),
    _trigger(
        APPEAL_DECIDED_BY_SOMEBODY,
        "appeal_decided_by_somebody",
        "authz_appeal",
        "authz_decided_appeal_needs_decision",
    ),
]


class Migration(migrations.Migration):

    dependencies = [
        ('authz', '0016_documents'),
    ]

    operations = [
        migrations.CreateModel(
            name='Appeal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=authz.ids.new_id, editable=False, unique=True)),
                ('state', models.CharField(choices=[('filed', 'filed'), ('received', 'received'), ('in_review', 'in_review'), ('decided', 'decided'), ('dismissed', 'dismissed'), ('withdrawn', 'withdrawn'), ('external', 'external')], max_length=20)),
                ('version', models.PositiveIntegerField(default=0)),
                ('urgency', models.CharField(choices=[('standard', 'standard'), ('expedited', 'expedited')], max_length=10)),
                ('reason', models.CharField(max_length=2000)),
                ('good_cause', models.CharField(blank=True, max_length=2000)),
                ('was_late', models.BooleanField()),
                ('filed_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(help_text='Derived at each step, to order and find appeals by; the clocks themselves are computed.', null=True)),
                ('leased_until', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='AppealDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(choices=[('upheld', 'upheld'), ('overturned', 'overturned'), ('partly_overturned', 'partly_overturned')], max_length=20)),
                ('decided_at', models.DateTimeField()),
                ('reason_code', models.CharField(max_length=40)),
                ('reason_text', models.CharField(max_length=2000)),
                ('criterion', models.CharField(max_length=500)),
                ('would_change', models.CharField(blank=True, max_length=1000)),
                ('due_at', models.DateTimeField(null=True)),
                ('was_late', models.BooleanField()),
            ],
        ),
        migrations.CreateModel(
            name='AppealEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sequence', models.PositiveIntegerField()),
                ('step', models.CharField(max_length=30)),
                ('code', models.CharField(blank=True, help_text='The coded reason, of steps that need one.', max_length=40)),
                ('from_state', models.CharField(blank=True, max_length=20)),
                ('to_state', models.CharField(max_length=20)),
                ('at', models.DateTimeField()),
                ('actor_name', models.CharField(max_length=200)),
                ('note', models.CharField(blank=True, max_length=2000)),
            ],
            options={
                'ordering': ['sequence'],
            },
        ),
        migrations.CreateModel(
            name='Call',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=authz.ids.new_id, editable=False, unique=True)),
                ('state', models.CharField(choices=[('offered', 'offered'), ('proposed', 'proposed'), ('agreed', 'agreed'), ('concluded', 'concluded'), ('declined', 'declined')], max_length=20)),
                ('version', models.PositiveIntegerField(default=0)),
                ('is_required', models.BooleanField()),
                ('offered_at', models.DateTimeField()),
                ('starts_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, choices=[('will_approve', 'will_approve'), ('will_stand', 'will_stand'), ('new_information', 'new_information'), ('not_held', 'not_held')], max_length=20)),
            ],
        ),
        migrations.CreateModel(
            name='CallEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sequence', models.PositiveIntegerField()),
                ('step', models.CharField(max_length=30)),
                ('code', models.CharField(blank=True, help_text='The coded reason, of steps that need one.', max_length=40)),
                ('from_state', models.CharField(blank=True, max_length=20)),
                ('to_state', models.CharField(max_length=20)),
                ('at', models.DateTimeField()),
                ('actor_name', models.CharField(max_length=200)),
                ('note', models.CharField(blank=True, max_length=2000)),
            ],
            options={
                'ordering': ['sequence'],
            },
        ),
        migrations.CreateModel(
            name='CallTime',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=authz.ids.new_id, editable=False, unique=True)),
                ('round', models.PositiveIntegerField(help_text="The call's version in which it was put forward.")),
                ('starts_at', models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='breach',
            name='breach_noted_once_per_clock',
        ),
        migrations.AddField(
            model_name='priorauth',
            name='new_fact',
            field=models.CharField(blank=True, max_length=1000),
        ),
        migrations.AddField(
            model_name='priorauth',
            name='new_fact_kind',
            field=models.CharField(blank=True, choices=[('diagnosis', 'diagnosis'), ('test_result', 'test_result'), ('treatment_failed', 'treatment_failed'), ('condition_changed', 'condition_changed'), ('treatment_plan_changed', 'treatment_plan_changed')], max_length=30),
        ),
        migrations.AlterField(
            model_name='membership',
            name='role',
            field=models.CharField(choices=[('staff', 'staff'), ('prescriber', 'prescriber'), ('clinic_admin', 'clinic_admin'), ('intake', 'intake'), ('reviewer', 'reviewer'), ('physician', 'physician'), ('appeal_reviewer', 'appeal_reviewer'), ('insurer_admin', 'insurer_admin'), ('system', 'system')], max_length=20),
        ),
        migrations.AddConstraint(
            model_name='priorauth',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('new_fact', ''), ('new_fact_kind', '')), models.Q(models.Q(('new_fact', ''), _negated=True), models.Q(('new_fact_kind', ''), _negated=True)), _connector='OR'), name='a_new_fact_has_its_kind'),
        ),
        migrations.AddField(
            model_name='appeal',
            name='determination',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appeals', to='authz.determination'),
        ),
        migrations.AddField(
            model_name='appeal',
            name='prior_auth',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appeals', to='authz.priorauth'),
        ),
        migrations.AddField(
            model_name='appeal',
            name='reviewer',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='breach',
            name='appeal',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='breaches', to='authz.appeal'),
        ),
        migrations.AddConstraint(
            model_name='breach',
            constraint=models.UniqueConstraint(fields=('prior_auth', 'appeal', 'kind'), name='breach_noted_once_per_clock', nulls_distinct=False),
        ),
        migrations.AddField(
            model_name='appealdecision',
            name='appeal',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='decision', to='authz.appeal'),
        ),
        migrations.AddField(
            model_name='appealdecision',
            name='decided_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='appealdecision',
            name='determination',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='appeal_decision', to='authz.determination'),
        ),
        migrations.AddField(
            model_name='appealdecision',
            name='licence',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.licence'),
        ),
        migrations.AddField(
            model_name='appealevent',
            name='appeal',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='authz.appeal'),
        ),
        migrations.AddField(
            model_name='appealevent',
            name='client',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.apiclient'),
        ),
        migrations.AddField(
            model_name='appealevent',
            name='organization',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.organization'),
        ),
        migrations.AddField(
            model_name='appealevent',
            name='person',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='call',
            name='prior_auth',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='authz.priorauth'),
        ),
        migrations.AddField(
            model_name='callevent',
            name='call',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='authz.call'),
        ),
        migrations.AddField(
            model_name='callevent',
            name='client',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.apiclient'),
        ),
        migrations.AddField(
            model_name='callevent',
            name='organization',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.organization'),
        ),
        migrations.AddField(
            model_name='callevent',
            name='person',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='calltime',
            name='call',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='times', to='authz.call'),
        ),
        migrations.AddIndex(
            model_name='appeal',
            index=models.Index(condition=models.Q(('state__in', ['filed', 'in_review', 'received'])), fields=['due_at', 'id'], name='appeal_most_pressing'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['dismissed', 'withdrawn']), _negated=True), fields=('determination',), name='one_appeal_of_a_determination'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(('was_late', False), models.Q(('good_cause', ''), _negated=True), _connector='OR'), name='late_appeals_state_good_cause'),
        ),
        migrations.AddConstraint(
            model_name='appealdecision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('outcome__in', ['partly_overturned', 'upheld']), _negated=True), ('licence__isnull', False), _connector='OR'), name='only_a_licensed_human_decides_against_an_appeal'),
        ),
        migrations.AddConstraint(
            model_name='appealdecision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('determination', None), ('outcome', 'upheld')), models.Q(models.Q(('outcome', 'upheld'), _negated=True), ('determination__isnull', False)), _connector='OR'), name='what_is_overturned_is_superseded'),
        ),
        migrations.AddConstraint(
            model_name='appealdecision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reason_code', ''), _negated=True), models.Q(('reason_text', ''), _negated=True), models.Q(('criterion', ''), _negated=True)), name='appeal_decisions_say_why'),
        ),
        migrations.AddConstraint(
            model_name='appealdecision',
            constraint=models.CheckConstraint(condition=models.Q(('was_late', False), models.Q(('due_at__isnull', False), ('due_at__lt', models.F('decided_at'))), _connector='OR'), name='an_appeal_is_late_after_it_was_due'),
        ),
        migrations.AddConstraint(
            model_name='appealevent',
            constraint=models.UniqueConstraint(fields=('appeal', 'sequence'), name='appeal_event_sequence_once'),
        ),
        migrations.AddConstraint(
            model_name='call',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['agreed', 'offered', 'proposed'])), fields=('prior_auth',), name='one_open_call_of_a_request'),
        ),
        migrations.AddConstraint(
            model_name='call',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'agreed'), _negated=True), ('starts_at__isnull', False), _connector='OR'), name='calls_are_agreed_on_for_a_time'),
        ),
        migrations.AddConstraint(
            model_name='call',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'concluded'), models.Q(('outcome', ''), _negated=True)), models.Q(models.Q(('state', 'concluded'), _negated=True), ('outcome', '')), _connector='OR'), name='concluded_calls_say_what_came_of_them'),
        ),
        migrations.AddConstraint(
            model_name='call',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['', 'not_held']), ('starts_at__isnull', False), _connector='OR'), name='only_a_call_at_a_time_was_held'),
        ),
        migrations.AddConstraint(
            model_name='callevent',
            constraint=models.UniqueConstraint(fields=('call', 'sequence'), name='call_event_sequence_once'),
        ),
        migrations.AddConstraint(
            model_name='calltime',
            constraint=models.UniqueConstraint(fields=('call', 'round', 'starts_at'), name='a_time_once_in_a_round'),
        ),
        *PROMISES,
    ]
