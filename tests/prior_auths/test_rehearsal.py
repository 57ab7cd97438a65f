"""A decision's notice can be read before anybody stands by it, and reading it leaves nothing behind."""

import pytest

from authz.audit.models import AuditEntry
from authz.documentation.models import Paper
from authz.outbox.models import OutboxMessage
from authz.prior_auths.determination import Reason
from authz.prior_auths.models import Authorization, Determination, PriorAuth
from authz.prior_auths.services import determinations
from authz.prior_auths.services.grounds import LicenceNeeded
from authz.prior_auths.services.rehearsal import LATER, notice_of
from tests.cast import NOW, Cast, in_clinical_review, in_review, key_of

REASON = Reason(code="not-necessary", text="Seven days are enough.", criterion="2.3")
LEFT = (AuditEntry, Paper, OutboxMessage, Determination, Authorization)


def test_the_notice_read_before_is_the_one_that_goes_out(cast: Cast) -> None:
    prior_auth = in_clinical_review(cast)
    asked = {"prior_auth_id": key_of(prior_auth), "reason": REASON, "by": cast.patel, "now": NOW}
    before = [model.objects.count() for model in LEFT]

    read = notice_of(determinations.deny, **asked)

    assert [model.objects.count() for model in LEFT] == before
    assert PriorAuth.objects.get().state == "clinical_review"
    determinations.deny(**asked)
    assert read.to_json() == Paper.objects.get(kind="determination-letter").text


def test_numbers_are_given_only_with_the_decision(cast: Cast) -> None:
    read = notice_of(determinations.approve, prior_auth_id=key_of(in_review(cast)), by=cast.rae, now=NOW)

    assert LATER in str(read.to_json())
    assert "AU-" not in str(read.to_json())


def test_what_cannot_be_decided_has_no_notice(cast: Cast) -> None:
    cast.people["patel"].licences.all().delete()

    with pytest.raises(LicenceNeeded):
        notice_of(
            determinations.deny, prior_auth_id=key_of(in_clinical_review(cast)), reason=REASON, by=cast.patel, now=NOW
        )
