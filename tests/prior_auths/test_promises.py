"""What the database itself refuses, whoever asks: raw SQL, the ORM, a worker, an administrator."""

from datetime import date, datetime, timedelta
from threading import Thread

import pytest
from django.db import DatabaseError, connection, transaction

from authz.access import tenancy
from authz.access.models import Licence
from authz.access.roles import Role
from authz.access.services import add_membership, record_licence
from authz.prior_auths.lifecycle import ReopeningReason
from authz.prior_auths.models import Authorization, Determination, DeterminationLine, Event, PriorAuth
from authz.prior_auths.services import determinations, reopening
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, key_of
from tests.prior_auths.test_found_in_review import quietly, wait_for_waiters
from tests.prior_auths.test_review import REASON

INSERT_DENIAL = """
INSERT INTO authz_determination
    (public_id, prior_auth_id, outcome, decided_at, decided_by_id, licence_id, reason_code, reason_text, criterion,
     policy, policy_version, was_late, basis, would_change, is_sampled)
VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, 'x', 'x', 'x', 'default', '1', false, 'person', '', false)
"""
DEEM = """
INSERT INTO authz_determination
    (public_id, prior_auth_id, outcome, decided_at, due_at, reason_code, reason_text, criterion, policy,
     policy_version, was_late, basis, would_change, is_sampled)
VALUES (gen_random_uuid(), %s, %s, %s, %s, 'x', 'x', 'x', 'default', '1', true, %s, '', false)
"""


def refused(sql: str, values: list[object], why: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match=why), transaction.atomic():
            cursor.execute(sql, values)
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


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


@pytest.mark.parametrize("profession", ["nurse"])
def test_nobody_denies_on_a_licence_of_another_profession(cast: Cast, profession: str) -> None:
    prior_auth = stage.in_clinical_review(cast)
    licence = cast.people["patel"].licences.get()
    Licence.objects.update(profession=profession)

    refused(INSERT_DENIAL, [prior_auth.pk, "denied", NOW, cast.people["patel"].pk, licence.pk], "licence valid at that")


def test_a_pharmacist_denies_only_where_the_regime_lets_them(cast: Cast) -> None:
    elsewhere, patel = stage.in_clinical_review(cast), cast.people["patel"]
    cast.plan.regime = "part_d"
    cast.plan.save()
    under_part_d, licence = stage.in_clinical_review(cast), patel.licences.get()
    Licence.objects.update(profession="pharmacist")

    refused(INSERT_DENIAL, [elsewhere.pk, "denied", NOW, patel.pk, licence.pk], "only where the regime")
    determinations.deny(prior_auth_id=key_of(under_part_d), reason=REASON, by=cast.patel, now=NOW)

    assert Determination.objects.get().licence == licence


def test_a_licence_alone_makes_no_reviewer_deny(cast: Cast) -> None:
    prior_auth, rae = stage.in_clinical_review(cast), cast.people["rae"]
    valid = {"valid_from": date(2020, 1, 1), "valid_until": date(2030, 1, 1)}
    licence = record_licence(person=rae, number="MD-8", state="NY", specialty="Pain medicine", **valid)

    refused(INSERT_DENIAL, [prior_auth.pk, "denied", NOW, rae.pk, licence.pk], "only physicians and appeal reviewers")


@pytest.mark.parametrize("outcome", ["denied", "approved"])
def test_nobody_decides_who_is_deactivated(cast: Cast, outcome: str) -> None:
    prior_auth, patel = stage.in_clinical_review(cast), cast.people["patel"]
    patel.is_active = False
    patel.save()

    refused(INSERT_DENIAL, [prior_auth.pk, outcome, NOW, patel.pk, patel.licences.get().pk], "account is deactivated")


def test_nobody_decides_whose_membership_has_ended(cast: Cast) -> None:
    prior_auth, patel = stage.in_clinical_review(cast), cast.people["patel"]
    patel.memberships.all().delete()

    refused(INSERT_DENIAL, [prior_auth.pk, "denied", NOW, patel.pk, patel.licences.get().pk], "people of the insurer")


CHANGE_LICENCE = "UPDATE authz_licence SET {change} WHERE person_id = %s"


@pytest.mark.parametrize(
    "change",
    [
        "number = 'MD-9'", "state = 'NJ'", "profession = 'pharmacist'", "specialty = 'Dentistry'",
        "valid_from = '2025-03-04'", "valid_until = '2025-03-02'",
        "person_id = (SELECT max(id) FROM authz_person)",
    ],
)  # fmt: skip
def test_a_licence_stays_as_it_was_decided_by_whoever_may_see_that_decision(cast: Cast, change: str) -> None:
    patel = cast.people["patel"]
    add_membership(person=patel, organization=cast.summit, role=Role.PHYSICIAN)
    stage.denied(cast)

    for insurer in (cast.evergreen, cast.summit):
        with tenancy.within(insurer.pk):
            refused(CHANGE_LICENCE.format(change=change), [patel.pk], "a licence stays what it was")


@pytest.mark.django_db(transaction=True)
def test_a_licence_that_is_being_decided_by_is_not_changed_meanwhile() -> None:
    cast = stage.assemble()
    key = key_of(stage.in_clinical_review(cast))

    def become_a_nurse() -> None:
        with pytest.raises(DatabaseError, match="a licence stays what it was"):
            Licence.objects.update(profession="nurse")

    change = Thread(target=quietly, args=(become_a_nurse,))
    with transaction.atomic():
        determinations.deny(prior_auth_id=key, reason=REASON, by=cast.patel, now=NOW)
        change.start()
        wait_for_waiters(1)
    change.join(timeout=30)

    assert Licence.objects.get().profession == "physician"


def test_a_licence_that_was_decided_by_is_renewed_and_ends_all_the_same(cast: Cast) -> None:
    stage.denied(cast)

    for last in (date(2040, 1, 1), TODAY):
        assert Licence.objects.update(valid_until=last) == 1
    refused("DELETE FROM authz_licence", [], "foreign key")


def test_nobody_denies_for_an_insurer_they_are_not_of(cast: Cast) -> None:
    prior_auth = stage.in_clinical_review(cast)
    jones = cast.people["jones"]
    licence = record_licence(
        person=jones,
        number="MD-7",
        state="NY",
        specialty="Pain medicine",
        valid_from=date(2020, 1, 1),
        valid_until=date(2030, 1, 1),
    )

    refused(INSERT_DENIAL, [prior_auth.pk, "denied", NOW, jones.pk, licence.pk], "people of the insurer")


def test_the_law_decides_nothing_before_the_time_is_over(cast: Cast) -> None:
    prior_auth = stage.queued(cast)

    def kept(due_at: datetime | None) -> datetime | None:
        PriorAuth.objects.update(due_at=due_at)
        return due_at

    refused(DEEM, [prior_auth.pk, "deemed_adverse", NOW, kept(NOW), "law"], "once_the_time_is_over")
    refused(DEEM, [prior_auth.pk, "deemed_approved", NOW, kept(None), "law"], "once_the_time_is_over")
    refused(DEEM, [prior_auth.pk, "denied", NOW, kept(NOW - timedelta(hours=1)), "law"], "licence")
    refused(DEEM, [prior_auth.pk, "deemed_adverse", NOW, NOW - timedelta(hours=1), "person"], "people_decide_or")


def test_a_request_has_one_first_determination_and_the_others_supersede(cast: Cast) -> None:
    key, code = key_of(stage.approved(cast)), ReopeningReason.CLERICAL_ERROR
    prior_auth = reopening.reopen(prior_auth_id=key, code=code, reason="A slip.", by=cast.nora, now=NOW)
    rae = cast.people["rae"].pk

    refused(INSERT_DENIAL, [prior_auth.pk, "approved", NOW, rae, None], "one_first_determination")


def test_nothing_is_decided_without_a_determination(cast: Cast) -> None:
    queued = stage.queued(cast)
    decided = "UPDATE authz_priorauth SET state = 'decided', decided_at = %s WHERE id = %s"

    refused(decided, [NOW, queued.pk], "has a determination")


@pytest.mark.parametrize("table", ["event", "determination", "determinationline", "fillversion", "auditentry"])
@pytest.mark.parametrize("verb", ["UPDATE authz_{table} SET id = id", "DELETE FROM authz_{table}"])
def test_the_record_of_what_happened_is_append_only(cast: Cast, table: str, verb: str) -> None:
    key = key_of(stage.in_clinical_review(cast))
    determinations.deny(prior_auth_id=key, reason=REASON, by=cast.patel, now=NOW)

    refused(verb.format(table=table), [], "append-only|permission denied")

    assert Event.objects.filter(prior_auth__public_id=key).count() == 8


def test_nobody_grants_more_than_was_asked(cast: Cast) -> None:
    prior_auth = determinations.approve(prior_auth_id=key_of(stage.in_review(cast)), by=cast.rae, now=NOW)
    decided = Determination.objects.get(prior_auth=prior_auth)

    with pytest.raises(DatabaseError, match="granted_never_exceeds_asked"), transaction.atomic():
        DeterminationLine.objects.create(
            determination=decided, line=2, rxcui="1049621", asked_days=7, granted_days=8, starts_on=TODAY, ends_on=TODAY
        )


@pytest.mark.parametrize(
    "change", ["days_granted = 9999", "quantity_granted = 9999", "ends_on = '2031-01-01'", "rxcui = '892579'"]
)
def test_nothing_of_an_authorization_changes(cast: Cast, change: str) -> None:
    stage.approved(cast)

    refused(f"UPDATE authz_authorization SET {change}", [], "only revoked, once")  # noqa: S608 - our own words


def test_an_authorization_is_revoked_once_and_stays_so(cast: Cast) -> None:
    stage.approved(cast)

    assert Authorization.objects.update(revoked_at=NOW) == 1

    refused("UPDATE authz_authorization SET revoked_at = NULL", [], "only revoked, once")
    refused("UPDATE authz_authorization SET revoked_at = %s", [NOW + timedelta(days=1)], "only revoked, once")


def test_an_authorization_is_not_deleted(cast: Cast) -> None:
    stage.approved(cast)

    refused("DELETE FROM authz_authorization", [], "permission denied")


@pytest.mark.parametrize(
    "more", [{"days_granted": 11}, {"quantity_granted": 41}, {"ends_on": TODAY + timedelta(days=99)}]
)
def test_an_authorization_is_what_its_determination_granted(cast: Cast, more: dict[str, object]) -> None:
    stage.approved(cast)
    another = Authorization.objects.get()
    another.pk, another.public_id, another.number = None, stage.unknown_id(), "AU-2025-999999"
    for name, value in more.items():
        setattr(another, name, value)

    with pytest.raises(DatabaseError, match="a line that its determination granted"), transaction.atomic():
        another.save(force_insert=True)
