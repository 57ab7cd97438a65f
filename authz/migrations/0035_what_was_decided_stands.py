"""What was decided once stands until it is superseded, by somebody who did not decide it, and in its turn."""

from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

TURN = (F("insurer"), Coalesce("due_at", "reopened_at"), F("runs_out_on"), F("id"))
INDEXES = {
    "prior_auth_review_queue": Q(
        state__in=["clinical_review", "in_review", "incomplete", "info_requested", "queued"]
    ),
    "prior_auth_next_in_queue": Q(state="queued"),
    "prior_auth_next_for_physician": Q(state="clinical_review"),
}

# A decision against the patient is one on the request, or one on an appeal that left less than was asked.
DECIDED_AGAINST = """
CREATE FUNCTION authz_decided_against(who bigint, request bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM authz_determination
        WHERE prior_auth_id = request AND decided_by_id = who AND outcome IN ('denied', 'partially_approved')
    ) OR EXISTS (
        SELECT FROM authz_appealdecision AS decision JOIN authz_appeal AS appeal ON appeal.id = decision.appeal_id
        WHERE appeal.prior_auth_id = request AND decision.decided_by_id = who
          AND decision.outcome IN ('upheld', 'partly_overturned')
    )
$$;
"""

# Who may hear an appeal is held beside the appeals: what they decide there is their first determination.
ANOTHER_LOOKS_AGAIN = """
CREATE FUNCTION authz_another_looks_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF authz_decided_against(NEW.decided_by_id, NEW.prior_auth_id)
       AND NOT EXISTS (SELECT FROM authz_appeal WHERE prior_auth_id = NEW.prior_auth_id AND state = 'in_review') THEN
        RAISE EXCEPTION 'who decided against a request, or upheld that on appeal, does not decide it again'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'nobody_reviews_their_own_denial';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER another_looks_again BEFORE INSERT ON authz_determination
    FOR EACH ROW EXECUTE FUNCTION authz_another_looks_again();
"""


class Migration(migrations.Migration):
    dependencies = [("authz", "0034_authorizations_stay_as_granted")]

    operations = [
        migrations.AlterField(
            model_name="call",
            name="state",
            field=models.CharField(
                choices=[
                    ("offered", "offered"),
                    ("proposed", "proposed"),
                    ("agreed", "agreed"),
                    ("concluded", "concluded"),
                    ("declined", "declined"),
                    ("cancelled", "cancelled"),
                ],
                max_length=20,
            ),
        ),
        migrations.RunSQL(DECIDED_AGAINST, "DROP FUNCTION authz_decided_against(bigint, bigint)"),
        migrations.RunSQL(
            ANOTHER_LOOKS_AGAIN,
            "DROP TRIGGER another_looks_again ON authz_determination; DROP FUNCTION authz_another_looks_again()",
        ),
        *(migrations.RemoveIndex(model_name="priorauth", name=name) for name in INDEXES),
        *(
            migrations.AddIndex(model_name="priorauth", index=models.Index(*TURN, condition=condition, name=name))
            for name, condition in INDEXES.items()
        ),
    ]
