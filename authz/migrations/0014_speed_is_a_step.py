"""Speed is asked for by a step of its own. Requests submitted as expedited get it, at the instant of their submission."""

from django.db import migrations

ASKED_WHEN_SUBMITTED = """
WITH submitted AS (
    SELECT event.*, request.version + 1 AS next FROM authz_event event
    JOIN authz_priorauth request ON request.id = event.prior_auth_id
    WHERE event.step = 'submit' AND request.urgency = 'expedited'
), asked AS (
    INSERT INTO authz_event
        (prior_auth_id, sequence, step, code, from_state, to_state, at, actor_name, person_id, client_id,
        organization_id, note)
    SELECT prior_auth_id, next, 'expedite', '', to_state, to_state, at, actor_name, person_id, client_id,
        organization_id, '' FROM submitted
)
UPDATE authz_priorauth SET version = next FROM submitted WHERE authz_priorauth.id = submitted.prior_auth_id
"""


class Migration(migrations.Migration):
    dependencies = [("authz", "0013_promises_of_decisions")]

    operations = [migrations.RunSQL(ASKED_WHEN_SUBMITTED, migrations.RunSQL.noop)]
