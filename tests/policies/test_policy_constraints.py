"""What the database itself refuses of an insurer's policies, whatever program asks for it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import DatabaseError, connection, transaction

from authz.errors import AuthzError
from authz.policies import services
from authz.policies.models import PayerPolicy
from tests import cast as stage
from tests.cast import NOW, TODAY
from tests.policies.documents import strict
from tests.policies.office import Office, an_office, key_of

TOMORROW = TODAY + timedelta(days=1)
CHANGE = "UPDATE authz_payerpolicy SET {}"
COPY = """
INSERT INTO authz_payerpolicy (public_id, version, {0}) SELECT gen_random_uuid(), '2', {0} FROM authz_payerpolicy
"""


def refused(sql: str, why: str) -> None:
    with pytest.raises(DatabaseError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize(
    "change",
    [
        "terms = '{}'",
        "title = 'Other'",
        "in_force_from = in_force_from - 1",
        "in_force_until = '2030-01-01'",
        "activated_at = activated_at + interval '1 day'",
        "drafts = drafts + 1",
        "insurer_id = insurer_id + 1",
        "state = 'draft', activated_by_id = NULL, activated_at = NULL",
        "state = 'retired', retired_by_id = author_id, retired_on = '2030-01-01', terms = '{}'",
    ],
)
def test_an_active_policy_is_immutable(office: Office, change: str) -> None:
    office.active()

    refused(CHANGE.format(change), "an activated policy is immutable")
    refused("DELETE FROM authz_payerpolicy", "an activated policy is immutable")

    assert PayerPolicy.objects.get().state == "active"


def test_a_draft_is_never_retired_past_the_second_signature(office: Office) -> None:
    office.drafted()
    signed = f"activated_by_id = {office.ben.person_id}, activated_at = now()"
    retired = f"retired_by_id = {office.ben.person_id}, retired_on = '2030-01-01'"

    refused(CHANGE.format(f"state = 'retired', {signed}, {retired}"), "an activated policy is immutable")

    assert PayerPolicy.objects.get().state == "draft"


def test_a_retired_policy_is_immutable(office: Office) -> None:
    office.retired(TOMORROW)

    refused(CHANGE.format("retired_on = '2030-01-01'"), "an activated policy is immutable")
    refused("DELETE FROM authz_payerpolicy", "an activated policy is immutable")

    assert PayerPolicy.objects.get().retired_on == TOMORROW


def test_nothing_is_slipped_in_with_the_second_signature(office: Office) -> None:
    row = office.drafted()
    signed = f"state = 'active', activated_by_id = {office.ben.person_id}, activated_at = now()"

    refused(CHANGE.format(signed + ", terms = '{}'"), "an activated policy is immutable")
    refused(CHANGE.format(f"{signed}, author_id = {office.cast.people['rae'].pk}"), "immutable")

    assert PayerPolicy.objects.get().terms == row.terms


def test_nobody_activates_their_own_policy_whatever_program_they_use(office: Office) -> None:
    office.drafted()
    signed = f"state = 'active', activated_by_id = {office.ada.person_id}, activated_at = now()"

    refused(CHANGE.format(signed), "policy_is_activated_by_somebody_else")
    refused(CHANGE.format("state = 'active'"), "policy_is_activated_by_somebody_else")

    assert PayerPolicy.objects.get().state == "draft"


def test_no_policy_begins_active(office: Office) -> None:
    office.active()
    columns = ", ".join(
        column.column
        for column in PayerPolicy._meta.concrete_fields
        if column.column not in {"id", "public_id", "version"}
    )

    refused(COPY.format(columns), "a policy begins as a draft")

    assert PayerPolicy.objects.count() == 1


def test_the_database_itself_keeps_two_versions_off_one_day(office: Office) -> None:
    office.active()
    office.drafted(strict(version="2"))
    signed = f"state = 'active', activated_by_id = {office.ben.person_id}, activated_at = now()"

    refused(CHANGE.format(f"{signed} WHERE state = 'draft'"), "one_policy_version_a_day")

    assert PayerPolicy.objects.filter(state="active").count() == 1


def test_a_draft_may_be_thrown_away(office: Office) -> None:
    office.drafted()

    PayerPolicy.objects.all().delete()

    assert not PayerPolicy.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_people_who_activate_at_once_bring_one_version_in_force() -> None:
    office = an_office(stage.assemble())
    rows = [office.drafted(), office.drafted(strict(version="2"))]
    together = Barrier(2)

    def activate(row: PayerPolicy) -> str:
        together.wait()
        try:
            return services.activate_policy(policy_id=key_of(row), by=office.ben, now=NOW).state
        except AuthzError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(activate, rows))

    assert outcomes == ["active", "invalid-input"]
