"""What the database itself refuses, whoever asks: raw SQL, the ORM, a worker, an administrator."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from authz.prior_auths.models import Determination, DeterminationLine, Event
from authz.prior_auths.services import determinations
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, key_of
from tests.prior_auths.test_review import REASON

INSERT_DENIAL = """
INSERT INTO authz_determination
    (public_id, prior_auth_id, outcome, decided_at, decided_by_id, licence_id, reason_code, reason_text, criterion,
     policy, policy_version, was_late)
VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, 'x', 'x', 'x', 'default', '1', false)
"""


def refused(sql: str, values: list[object], why: str) -> None:
    with pytest.raises(DatabaseError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


@pytest.mark.parametrize("outcome", ["denied", "partially_approved"])
def test_nobody_denies_without_a_human(cast: Cast, outcome: str) -> None:
    prior_auth = stage.in_clinical_review(cast)

    refused(INSERT_DENIAL, [prior_auth.pk, outcome, NOW, None, None], "licence")

    assert not Determination.objects.exists()


def test_nobody_denies_on_a_licence_that_is_not_theirs_or_not_valid_then(cast: Cast) -> None:
    prior_auth = stage.in_clinical_review(cast)
    licence = cast.people["patel"].licences.get()
    rae, patel = cast.people["rae"].pk, cast.people["patel"].pk

    refused(INSERT_DENIAL, [prior_auth.pk, "denied", NOW, rae, licence.pk], "licence valid at that instant")
    too_late = NOW + timedelta(days=365 * 20)
    refused(INSERT_DENIAL, [prior_auth.pk, "denied", too_late, patel, licence.pk], "licence valid at that instant")

    assert not Determination.objects.exists()


@pytest.mark.parametrize("table", ["event", "determination", "determinationline", "fillversion", "auditentry"])
@pytest.mark.parametrize("verb", ["UPDATE authz_{table} SET id = id", "DELETE FROM authz_{table}"])
def test_the_record_of_what_happened_is_append_only(cast: Cast, table: str, verb: str) -> None:
    key = key_of(stage.in_clinical_review(cast))
    determinations.deny(prior_auth_id=key, reason=REASON, by=cast.patel, now=NOW)

    refused(verb.format(table=table), [], "append-only")

    assert Event.objects.filter(prior_auth__public_id=key).count() == 8


def test_nobody_grants_more_than_was_asked(cast: Cast) -> None:
    prior_auth = determinations.approve(prior_auth_id=key_of(stage.in_review(cast)), by=cast.rae, now=NOW)
    decided = Determination.objects.get(prior_auth=prior_auth)

    with pytest.raises(DatabaseError, match="granted_never_exceeds_asked"), transaction.atomic():
        DeterminationLine.objects.create(
            determination=decided, line=2, rxcui="1049621", asked_days=7, granted_days=8, starts_on=TODAY, ends_on=TODAY
        )
