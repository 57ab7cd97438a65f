"""What the database itself refuses about appeals, whoever asks: raw SQL, the ORM, a worker, an administrator."""

from datetime import date

import pytest
from django.db import DatabaseError, transaction

from authz.access.models import Licence
from authz.access.roles import Role
from authz.access.selectors import actor_for
from authz.access.services import add_membership, record_licence, set_superior
from authz.prior_auths.models import Appeal, AppealDecision, Determination
from authz.prior_auths.services import appeal_decisions
from tests import cast as stage
from tests.cast import NOW, Cast, later
from tests.prior_auths.test_appeals import REASON, id_of
from tests.prior_auths.test_promises import refused

DECIDE = """
INSERT INTO authz_appealdecision
    (appeal_id, outcome, decided_at, decided_by_id, licence_id, determination_id, reason_code, reason_text, criterion,
     would_change, was_late)
VALUES (%s, %s, %s, %s, %s, %s, 'x', 'x', 'x', '', false)
"""
FILE = """
INSERT INTO authz_appeal
    (public_id, prior_auth_id, determination_id, state, version, urgency, reason, good_cause, was_late, filed_at)
VALUES (gen_random_uuid(), %s, %s, 'filed', 1, 'standard', 'x', '', %s, %s)
"""


@pytest.fixture
def appeal(cast: Cast) -> Appeal:
    """An appeal that Dr Uma has in hand, of what Dr Patel denied; Dr Patel is an appeal reviewer as well."""
    add_membership(person=cast.people["patel"], organization=cast.evergreen, role=Role.APPEAL_REVIEWER)
    return stage.appeal_in_review(cast, stage.denied(cast), by=stage.appeal_reviewer(cast), now=later(1))


def licence_of(cast: Cast, name: str) -> int:
    return cast.people[name].licences.get().pk


@pytest.mark.parametrize("outcome", ["upheld", "overturned", "partly_overturned"])
def test_who_determined_the_request_does_not_decide_its_appeal(cast: Cast, appeal: Appeal, outcome: str) -> None:
    denial = None if outcome == "upheld" else Determination.objects.get().pk
    patel = cast.people["patel"].pk

    values: list[object] = [appeal.pk, outcome, later(1), patel, licence_of(cast, "patel"), None]
    refused(DECIDE, values, "who determined a request does not decide")
    if denial is not None:
        refused(DECIDE, [*values[:5], denial], "what overturns a decision supersedes it")
    with pytest.raises(DatabaseError, match="who determined a request"), transaction.atomic():
        AppealDecision.objects.create(
            appeal=appeal, outcome="upheld", decided_at=later(1), decided_by_id=patel, reason_code="x", was_late=False
        )

    assert not AppealDecision.objects.exists()


def test_who_reports_to_a_decider_does_not_decide_the_appeal(cast: Cast, appeal: Appeal) -> None:
    uma, rae, patel = (cast.people[name] for name in ("uma", "rae", "patel"))
    values = [appeal.pk, "upheld", later(1), uma.pk, licence_of(cast, "uma"), None]
    set_superior(person=rae, organization=cast.evergreen, superior=patel)
    set_superior(person=uma, organization=cast.evergreen, superior=rae)

    refused(DECIDE, values, "nobody decides an appeal of a decision of somebody they report to")


def test_nobody_upholds_without_a_physicians_licence_of_their_own_valid_then(cast: Cast, appeal: Appeal) -> None:
    stage.appeal_reviewer(cast, "zoe")
    uma = cast.people["uma"]
    own, others = licence_of(cast, "uma"), licence_of(cast, "zoe")
    too_late = NOW.replace(year=2040)

    refused(DECIDE, [appeal.pk, "upheld", later(1), uma.pk, None, None], "only a physician")
    refused(DECIDE, [appeal.pk, "upheld", later(1), uma.pk, others, None], "only a physician")
    refused(DECIDE, [appeal.pk, "upheld", too_late, uma.pk, own, None], "only a physician")
    Licence.objects.filter(pk=own).update(profession="pharmacist")
    refused(DECIDE, [appeal.pk, "upheld", later(1), uma.pk, own, None], "only a physician")


def test_who_is_deactivated_decides_no_appeal(cast: Cast, appeal: Appeal) -> None:
    uma = cast.people["uma"]
    uma.is_active = False
    uma.save()

    values: list[object] = [appeal.pk, "upheld", later(1), uma.pk, licence_of(cast, "uma"), None]
    refused(DECIDE, values, "account is deactivated")


def test_the_licence_by_which_an_appeal_was_decided_stays(cast: Cast, appeal: Appeal) -> None:
    uma = actor_for(person=cast.people["uma"], organization=cast.evergreen)
    appeal_decisions.uphold(appeal_id=id_of(appeal), reason=REASON, by=uma, now=later(1.1))
    change = "UPDATE authz_licence SET specialty = 'Dentistry' WHERE id = %s"

    refused(change, [licence_of(cast, "uma")], "a licence stays what it was")


def test_only_an_appeal_reviewer_of_the_insurer_decides_and_only_what_is_in_review(cast: Cast, appeal: Appeal) -> None:
    jones = cast.people["jones"]
    said = {"state": "NY", "specialty": "Pain medicine", "valid_from": date(2020, 1, 1)}
    licence = record_licence(person=jones, number="MD-7", valid_until=date(2030, 1, 1), **said)  # type: ignore[arg-type]

    refused(DECIDE, [appeal.pk, "upheld", later(1), jones.pk, licence.pk, None], "only appeal reviewers of the insurer")
    Appeal.objects.update(state="received")
    uma = cast.people["uma"].pk
    refused(DECIDE, [appeal.pk, "upheld", later(1), uma, licence_of(cast, "uma"), None], "only an appeal in review")


def test_an_appeal_is_not_decided_without_a_decision_nor_overturned_without_what_supersedes(
    cast: Cast, appeal: Appeal
) -> None:
    uma, decided = cast.people["uma"].pk, "UPDATE authz_appeal SET state = 'decided' WHERE id = %s"

    refused(decided, [appeal.pk], "a decided appeal has a decision")
    refused(DECIDE, [appeal.pk, "overturned", later(1), uma, None, None], "what_is_overturned_is_superseded")


def test_only_an_adverse_decision_in_force_is_appealed_and_one_appeal_of_it_is_open(cast: Cast, appeal: Appeal) -> None:
    approved, denied = stage.approved(cast), stage.denied(cast)
    granted, refusal = approved.determinations.get(), denied.determinations.get()
    values: list[object] = [False, NOW]

    refused(FILE, [approved.pk, granted.pk, *values], "only an adverse decision in force")
    refused(FILE, [approved.pk, refusal.pk, *values], "only an adverse decision in force")
    refused(FILE, [appeal.prior_auth_id, appeal.determination_id, *values], "one_appeal_of_a_determination")
    refused(FILE, [denied.pk, refusal.pk, True, NOW], "late_appeals_state_good_cause")
    refused("UPDATE authz_appeal SET determination_id = %s", [refusal.pk], "stays with the decision")


def test_what_was_decided_on_appeal_is_not_appealed_again(cast: Cast, appeal: Appeal) -> None:
    uma = actor_for(person=cast.people["uma"], organization=cast.evergreen)
    appeal_decisions.overturn(appeal_id=id_of(appeal), reason="Met.", by=uma, now=later(1.1))
    newest = Determination.objects.latest("pk")

    refused(FILE, [appeal.prior_auth_id, newest.pk, False, NOW], "only an adverse decision in force")
    refused(FILE, [appeal.prior_auth_id, appeal.determination_id, False, NOW], "only an adverse decision in force")


@pytest.mark.parametrize("table", ["appealevent", "appealdecision"])
@pytest.mark.parametrize("verb", ["UPDATE authz_{table} SET id = id", "DELETE FROM authz_{table}"])
def test_the_record_of_an_appeal_is_append_only(cast: Cast, appeal: Appeal, table: str, verb: str) -> None:
    uma = actor_for(person=cast.people["uma"], organization=cast.evergreen)
    appeal_decisions.uphold(appeal_id=id_of(appeal), reason=REASON, by=uma, now=later(1.1))

    refused(verb.format(table=table), [], "append-only|permission denied")
