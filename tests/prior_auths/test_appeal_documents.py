"""What is sent in with an appeal: to the insurer at once, for whoever decides it, and nothing once it is decided."""

import pytest

from authz.documentation.models import Attachment
from authz.documentation.services import files
from authz.errors import Forbidden, InvalidInput, NotFound, StaleVersion
from authz.ids import AppealId
from authz.outbox.models import OutboxMessage
from authz.prior_auths import appeals, selectors
from authz.prior_auths.determination import Reason
from authz.prior_auths.models import Appeal, PriorAuth
from authz.prior_auths.services import appeal_decisions, appealing, documents, papers
from authz.prior_auths.services.request import AnswersClosed
from tests import cast as stage
from tests.cast import NOW, Actor, Cast, key_of, later
from tests.documentation.samples import TEXT, tiff

REPORT = files.inspect(content=TEXT)
SCAN = files.inspect(content=tiff(2))
REASON = Reason(code="not-necessary", text="Seven days are enough.", criterion="Policy 3.2")


def id_of(appeal: Appeal) -> AppealId:
    return AppealId(appeal.public_id)


def send(appeal: Appeal, by: Actor, file: files.Inspected = REPORT) -> Attachment:
    return documents.attach(
        prior_auth_id=key_of(appeal.prior_auth),
        file=file,
        title="Report of the operation",
        appeal_id=id_of(appeal),
        by=by,
        now=later(2),
    )[0]


def test_who_decides_the_appeal_has_what_was_submitted_and_what_was_newly_sent(cast: Cast) -> None:
    uma, denied = stage.appeal_reviewer(cast), stage.denied(cast)
    frozen = (denied.packet, denied.packet_sha256)
    appeal = stage.appeal_in_review(cast, denied, by=uma, now=later(1))

    report = send(appeal, cast.stella)

    seen = appeals.appeal(uma, id_of(appeal))
    assert appeals.documents_of(seen) == [report]
    assert bytes(selectors.attachment_file(uma, key_of(denied), report.public_id).file.content) == TEXT
    assert papers.packet_file(prior_auth_id=key_of(denied), by=uma, now=later(2)).file.page_count
    denied.refresh_from_db()
    assert (denied.packet, denied.packet_sha256) == frozen


def test_a_decision_names_the_version_that_has_everything_which_was_sent(cast: Cast) -> None:
    uma = stage.appeal_reviewer(cast)
    appeal = stage.appeal_in_review(cast, stage.denied(cast), by=uma, now=later(1))
    as_read = appeal.version

    send(appeal, cast.jones)

    with pytest.raises(StaleVersion):
        appeal_decisions.uphold(appeal_id=id_of(appeal), reason=REASON, by=uma, now=later(3), expected_version=as_read)
    assert [event.step for event in appeals.events(uma, id_of(appeal))][-1] == "add_document"
    assert OutboxMessage.objects.filter(topic="appeal.document-added").count() == 1


def test_the_same_document_sent_again_is_the_one_that_is_there_and_changes_nothing(cast: Cast) -> None:
    appeal = stage.appealed(cast, stage.denied(cast), now=later(1))
    first = send(appeal, cast.stella)
    version = Appeal.objects.get().version

    assert send(appeal, cast.stella) == first
    assert Appeal.objects.get().version == version


def test_what_was_sent_with_an_appeal_is_not_taken_off(cast: Cast) -> None:
    appeal = stage.appealed(cast, stage.denied(cast), now=later(1))
    report = send(appeal, cast.stella)

    with pytest.raises(AnswersClosed, match="what was sent stays"):
        documents.take_off(
            prior_auth_id=key_of(appeal.prior_auth), attachment_id=report.public_id, by=cast.stella, now=later(2)
        )


@pytest.mark.parametrize("end", ["upheld", "withdrawn"])
def test_once_an_appeal_has_ended_nothing_more_is_sent_in_with_it(cast: Cast, end: str) -> None:
    uma = stage.appeal_reviewer(cast)
    appeal = stage.appeal_in_review(cast, stage.denied(cast), by=uma, now=later(1))
    if end == "upheld":
        appeal_decisions.uphold(appeal_id=id_of(appeal), reason=REASON, by=uma, now=later(2))
    else:
        appealing.withdraw(appeal_id=id_of(appeal), reason="Enough.", by=cast.stella, now=later(2))

    with pytest.raises(AnswersClosed):
        send(appeal, cast.stella)

    assert not Attachment.objects.exists()


def test_a_document_on_appeal_says_which_appeal_it_is_sent_in_with(cast: Cast) -> None:
    appeal = stage.appealed(cast, stage.denied(cast), now=later(1))
    key = key_of(appeal.prior_auth)

    for said in ({"shows": ["dx.code"]}, {"appeal_id": AppealId(stage.unknown_id())}):
        with pytest.raises(InvalidInput) as refusal:
            documents.attach(prior_auth_id=key, file=REPORT, title="Report", by=cast.stella, now=later(2), **said)
        assert set(refusal.value.fields) == {"appeal"}


def test_only_the_clinic_that_appealed_sends_documents_and_no_other_organization_sees_them(cast: Cast) -> None:
    uma = stage.appeal_reviewer(cast)
    appeal = stage.appealed(cast, stage.denied(cast), now=later(1))

    with pytest.raises(Forbidden):
        send(appeal, uma)
    for stranger in (cast.mallory, cast.oscar):
        with pytest.raises(NotFound):
            send(appeal, stranger)
    report = send(appeal, cast.stella, SCAN)
    for stranger in (cast.mallory, cast.oscar):
        with pytest.raises(NotFound):
            selectors.attachment_file(stranger, key_of(appeal.prior_auth), report.public_id)


def test_a_document_is_not_sent_in_with_the_appeal_of_another_request(cast: Cast) -> None:
    first, second = (stage.appealed(cast, stage.denied(cast), now=later(1)) for _ in range(2))

    with pytest.raises(InvalidInput):
        documents.attach(
            prior_auth_id=key_of(PriorAuth.objects.get(pk=first.prior_auth_id)),
            file=REPORT,
            title="Report",
            appeal_id=id_of(second),
            by=cast.stella,
            now=NOW,
        )
