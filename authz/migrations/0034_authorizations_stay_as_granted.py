"""An authorization is a line that was granted, and stays it: nothing of it changes but that it may be revoked, once."""

from django.db import migrations

AS_GRANTED = """
CREATE FUNCTION authz_authorization_as_granted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.revoked_at IS NULL AND EXISTS (
            SELECT FROM authz_determinationline AS line
            JOIN authz_determination AS decided ON decided.id = line.determination_id
            WHERE decided.id = NEW.determination_id AND decided.prior_auth_id = NEW.prior_auth_id
              AND line.granted_rxcui = NEW.rxcui AND line.granted_days = NEW.days_granted
              AND line.granted_quantity IS NOT DISTINCT FROM NEW.quantity_granted
              AND line.starts_on = NEW.starts_on AND line.ends_on = NEW.ends_on
        ) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'an authorization is a line that its determination granted'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_authorization_is_what_was_granted';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.revoked_at IS NULL THEN
            OLD.revoked_at := NEW.revoked_at;
        END IF;
        IF OLD IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'an authorization is only revoked, once: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'authorizations_stay_as_granted';
END $$;
CREATE TRIGGER as_granted BEFORE INSERT OR UPDATE OR DELETE ON authz_authorization
    FOR EACH ROW EXECUTE FUNCTION authz_authorization_as_granted();
REVOKE DELETE ON authz_authorization FROM authz_app;
"""
AS_BEFORE = """
GRANT DELETE ON authz_authorization TO authz_app;
DROP TRIGGER as_granted ON authz_authorization;
DROP FUNCTION authz_authorization_as_granted();
"""


class Migration(migrations.Migration):
    dependencies = [("authz", "0033_what_reviewers_say")]

    operations = [migrations.RunSQL(AS_GRANTED, AS_BEFORE)]
