"""What the database holds a determination against: what was asked, when that was, and what was submitted."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import IntegrityError, transaction

from authz.access import tenancy
from authz.access.models import Licence
from authz.ids import new_id
from authz.prior_auths.lifecycle import ReopeningReason
from authz.prior_auths.models import AppealDecision, Determination, PriorAuth
from authz.prior_auths.services import appeal_decisions, deeming, determinations, reopening, request
from authz.prior_auths.services.grounds import LicenceNeeded
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later
from tests.prior_auths.test_appeal_promises import DECIDE
from tests.prior_auths.test_appeals import id_of
from tests.prior_auths.test_found_in_review import together
from tests.prior_auths.test_promises import DEEM, INSERT_DENIAL, refused
from tests.prior_auths.test_review import REASON

# A determination with its lines, in one statement: what it says stands in braces, the rest is as it was asked.
DECIDE_LINES = """
WITH decided AS (
    INSERT INTO authz_determination
        (public_id, prior_auth_id, outcome, decided_at, decided_by_id, licence_id, reason_code, reason_text, criterion,
         policy, policy_version, was_late, basis, would_change, is_sampled, trace)
    VALUES (gen_random_uuid(), %s, {outcome}, %s, %s, %s, 'x', 'x', 'x', 'default', '1', false, {basis}, '', false,
            {trace})
    RETURNING id, prior_auth_id
)
INSERT INTO authz_determinationline
    (determination_id, line, rxcui, asked_days, asked_quantity, asked_daily_units, asked_refills, asked_from,
     asked_until, granted_rxcui, granted_days, granted_quantity, granted_daily_units, granted_refills, starts_on,
     ends_on)
SELECT decided.id, {line}, rxcui, {asked}, quantity, daily_units, refills, starts_on, ends_on, rxcui, {granted},
    quantity, daily_units, refills, starts_on, ends_on
FROM decided JOIN authz_requestedline USING (prior_auth_id) WHERE line < {below}
"""

CHANGE = "UPDATE authz_priorauth SET {change} WHERE id = %s"


def deciding(**said: str) -> str:
    usual = {
        "outcome": "'approved'", "basis": "'person'", "trace": "NULL", "line": "line", "asked": "days_supply",
        "granted": said.get("asked", "days_supply"), "below": "9",
    }  # fmt: skip
    return DECIDE_LINES.format(**usual | said)


def withdrawn(cast: Cast) -> PriorAuth:
    return request.withdraw(prior_auth_id=key_of(stage.queued(cast)), reason="No need.", by=cast.stella, now=NOW)


def reopened(cast: Cast, *, at: float) -> PriorAuth:
    """Return a request that was approved, reopened so many hours later."""
    key, code = key_of(stage.approved(cast)), ReopeningReason.CLERICAL_ERROR
    return reopening.reopen(prior_auth_id=key, code=code, reason="A slip.", by=cast.nora, now=later(at))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"asked": "3"}, "a line decides what the request asks for"),
        ({"line": "7"}, "a (line|determination) decides"),
        ({"granted": "days_supply - 1"}, "less is a partial approval"),
        ({"outcome": "'denied'"}, "a denial grants nothing"),
        ({"outcome": "'partially_approved'", "granted": "days_supply + 1"}, "granted_never_exceeds_asked"),
        ({"below": "1"}, "a determination decides every line"),
    ],
)
def test_a_determination_grants_no_other_than_what_it_is_called_of_what_was_asked(
    cast: Cast, said: dict[str, str], why: str
) -> None:
    prior_auth, patel = stage.in_clinical_review(cast), cast.people["patel"]

    refused(deciding(**said), [prior_auth.pk, NOW, patel.pk, patel.licences.get().pk], why)

    assert not Determination.objects.exists()


def test_no_line_is_left_out_of_a_determination(cast: Cast) -> None:
    draft = stage.drafted(cast)
    line = draft.lines.get()
    line.pk, line.line = None, 2
    line.save()
    prior_auth = request.submit(prior_auth_id=key_of(draft), by=cast.stella, now=NOW)
    values: list[object] = [prior_auth.pk, NOW, cast.people["rae"].pk, None]

    refused(deciding(below="2"), values, "a determination decides every line")


def test_an_approval_by_rule_shows_what_the_rule_was_shown(cast: Cast) -> None:
    prior_auth = stage.queued(cast)

    refused(deciding(basis="'rule'"), [prior_auth.pk, NOW, None, None], "a_rule_shows_what_it_was_shown")


def test_no_clinic_writes_a_determination(cast: Cast) -> None:
    prior_auth = stage.queued(cast)

    with tenancy.within(cast.riverside.pk):
        refused(DEEM, [prior_auth.pk, "deemed_approved", later(73), later(72), "law"], "row-level security")


@pytest.mark.parametrize("builder", [stage.drafted, stage.approved, withdrawn])
def test_only_what_is_with_the_insurer_and_open_is_decided(cast: Cast, builder: Callable[[Cast], PriorAuth]) -> None:
    prior_auth = builder(cast)

    refused(deciding(), [prior_auth.pk, NOW, cast.people["rae"].pk, None], "only what was submitted and is undecided")


def test_nothing_is_decided_before_it_was_asked(cast: Cast) -> None:
    queued, again = stage.queued(cast), reopened(cast, at=2)
    rae, why = cast.people["rae"].pk, "nothing is decided before"

    refused(deciding(), [queued.pk, later(-0.1), rae, None], why)
    refused(deciding(), [again.pk, later(1.9), rae, None], why)


def test_no_appeal_is_decided_before_it_was_filed(cast: Cast) -> None:
    uma = stage.appeal_reviewer(cast)
    appeal = stage.appeal_in_review(cast, stage.denied(cast), by=uma, now=later(1))
    licence = cast.people["uma"].licences.get()

    refused(DECIDE, [appeal.pk, "upheld", later(0.9), uma.person_id, licence.pk, None], "before it was filed")

    assert not AppealDecision.objects.exists()


def test_the_law_decides_at_the_due_instant_of_the_request_alone_and_nothing_that_was_reopened(cast: Cast) -> None:
    queued, again = stage.queued(cast), reopened(cast, at=1)
    why = "the law decides at the due instant"

    refused(DEEM, [queued.pk, "deemed_adverse", later(2), later(1), "law"], why)
    refused(DEEM, [again.pk, "deemed_approved", later(2), None, "law"], why)


def test_a_due_instant_that_was_kept_wrong_does_not_keep_the_law_from_deciding(cast: Cast) -> None:
    cast.plan.regime = "california"
    cast.plan.save()
    queued = stage.queued(cast)
    PriorAuth.objects.update(due_at=later(70))

    assert deeming.deem_due(now=later(73)) == 1

    assert Determination.objects.get(prior_auth=queued).due_at == later(72)


@pytest.mark.parametrize(
    "change",
    [
        "packet_sha256 = 'x'", "submitted_at = NULL", "submitted_at = submitted_at - interval '1 hour'",
        "clinic_id = insurer_id", "insurer_id = clinic_id", "policy = 'x'", "policy_version = '9'", "regime = 'x'",
        "regime_version = '9'", "time_zone = 'UTC'", "packet = NULL", "denied_by = 'physician_or_pharmacist'",
    ],
)  # fmt: skip
def test_what_was_submitted_is_not_changed(cast: Cast, change: str) -> None:
    submitted = stage.queued(cast)

    why = "what was submitted stands|submitted_requests_have"
    refused(CHANGE.format(change=change), [submitted.pk], why)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE authz_requestedline SET days_supply = 3 WHERE prior_auth_id = %s",
        "DELETE FROM authz_requestedline WHERE prior_auth_id = %s",
        """INSERT INTO authz_requestedline (prior_auth_id, line, rxcui, product_name, days_supply, starts_on, ends_on)
           VALUES (%s, 2, '1049621', 'x', 3, '2025-03-03', '2025-03-05')""",
    ],
)
def test_what_was_asked_is_not_changed_once_it_was_submitted(cast: Cast, change: str) -> None:
    submitted = stage.queued(cast)

    refused(change, [submitted.pk], "what was submitted stands")


def twin_of(prior_auth: PriorAuth) -> PriorAuth:
    """Return a second request for the same orders and fills, of what would be another episode, not yet written."""
    twin = PriorAuth.objects.get(pk=prior_auth.pk)
    twin.pk, twin.public_id, twin.episode_anchor, twin.number = None, new_id(), new_id(), f"PA-{new_id().hex[:10]}"
    return twin


def test_of_requests_that_come_to_share_records_one_is_marked_as_a_duplicate(cast: Cast) -> None:
    one, other = stage.detected(cast), stage.detected(cast)
    PriorAuth.objects.filter(pk=other.pk).update(patient=one.patient, coverage=one.coverage)
    share = """UPDATE authz_priorauth AS row SET record_ids = one.record_ids FROM authz_priorauth AS one
        WHERE one.id = %s AND row.id = %s"""
    unmark = "UPDATE authz_priorauth SET duplicate_of_id = NULL"
    why = "one is marked as a duplicate"

    refused(share, [one.pk, other.pk], why)
    PriorAuth.objects.filter(pk=other.pk).update(record_ids=one.record_ids, duplicate_of=one)
    refused(unmark, [], why)
    request.withdraw(prior_auth_id=key_of(one), reason="x", by=cast.stella, now=NOW)

    assert PriorAuth.objects.filter(duplicate_of=one).update(duplicate_of=None) == 1
    refused("UPDATE authz_priorauth SET state = 'draft' WHERE id = %s", [one.pk], why)


def test_no_second_active_request_is_opened_for_the_same_records(cast: Cast) -> None:
    twin = twin_of(stage.detected(cast))

    with pytest.raises(IntegrityError, match="covers one of these"), transaction.atomic():
        twin.save()


@pytest.mark.django_db(transaction=True)
def test_of_two_active_requests_opened_for_the_same_records_at_once_one_is_refused() -> None:
    cast = stage.assemble()
    ended = request.withdraw(prior_auth_id=key_of(stage.detected(cast)), reason="x", by=cast.stella, now=NOW)
    twins = [twin_of(ended) for _ in range(2)]
    for twin in twins:
        twin.state = "detected"

    def opened(twin: PriorAuth) -> None:
        with transaction.atomic():
            twin.save()

    (failure,) = together(*(lambda twin=twin: opened(twin) for twin in twins))

    assert "covers one of these" in str(failure)


EVENING = later(11)
"""The third of March in New York, and the fourth of UTC."""
ITS_LAST_DAY, TOO_EARLY = {"valid_until": date(2025, 3, 3)}, {"valid_from": date(2025, 3, 4)}


def test_a_licence_is_valid_by_the_day_in_the_requests_calendar(cast: Cast) -> None:
    prior_auth, patel = stage.in_clinical_review(cast), cast.people["patel"]
    licence = patel.licences.get()

    Licence.objects.update(**TOO_EARLY)
    with pytest.raises(LicenceNeeded):
        determinations.deny(prior_auth_id=key_of(prior_auth), reason=REASON, by=cast.patel, now=EVENING)
    refused(INSERT_DENIAL, [prior_auth.pk, "denied", EVENING, patel.pk, licence.pk], "licence valid at that instant")
    Licence.objects.update(valid_from=date(2020, 1, 1), **ITS_LAST_DAY)

    denied = determinations.deny(prior_auth_id=key_of(prior_auth), reason=REASON, by=cast.patel, now=EVENING)

    assert denied.determinations.get().licence == licence


def test_so_is_the_licence_by_which_an_appeal_is_decided(cast: Cast) -> None:
    uma = stage.appeal_reviewer(cast)
    appeal = stage.appeal_in_review(cast, stage.denied(cast), by=uma, now=EVENING)
    hers = Licence.objects.filter(person=uma.person_id)
    licence = hers.get()

    hers.update(**TOO_EARLY)
    with pytest.raises(LicenceNeeded):
        appeal_decisions.uphold(appeal_id=id_of(appeal), reason=REASON, by=uma, now=EVENING)
    refused(DECIDE, [appeal.pk, "upheld", EVENING, uma.person_id, licence.pk, None], "only a physician")
    hers.update(valid_from=date(2020, 1, 1), **ITS_LAST_DAY)

    appeal_decisions.uphold(appeal_id=id_of(appeal), reason=REASON, by=uma, now=EVENING)

    assert AppealDecision.objects.get().licence == licence
