from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings

from authz.ids import NoticeId
from authz.notifications import selectors, services
from authz.notifications.digests.models import Digest
from authz.notifications.digests.selectors import unsent
from authz.notifications.models import Delivery
from authz.outbox import leases
from tests import cast as stage
from tests.cast import Cast
from tests.notifications.stage import SOON, drain, say
from tests.notifications.test_wishes import wants
from tests.post_office import Mood, PostOffice

pytestmark = pytest.mark.django_db

# Eight in the morning of the next day where Dr Jones lives.
EIGHT = datetime(2025, 3, 4, 13, 0, tzinfo=UTC)


def test_what_can_wait_comes_in_one_mail_that_counts_and_links_and_says_no_more(
    cast: Cast, post_office: PostOffice, settings: LazySettings
) -> None:
    settings.BASE_URL = "https://authz.example"
    wants(cast.jones, digest_hour=8)
    first, second = stage.detected(cast), stage.detected(cast)
    say(first, "prior-auth.denied")
    drain(SOON)
    before = len(post_office.letters)

    drain(EIGHT)

    (mail,) = post_office.mails_to("jones@example.org")
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert before == 0
    assert mail["Subject"] == "Authz: 1 notice waits for you, 2 notices are unread"
    assert "1 notice waits for you, 2 notices are unread." in text
    assert [line for line in text.splitlines() if line.startswith("https:")] == [
        f"https://authz.example/prior-auths/{first.public_id}/",
        f"https://authz.example/prior-auths/{second.public_id}/",
    ]
    assert first.number not in text


def test_what_was_read_meanwhile_is_not_counted_and_nothing_is_not_sent(cast: Cast, post_office: PostOffice) -> None:
    wants(cast.jones, digest_hour=8)
    stage.detected(cast)
    drain(SOON)
    entry = selectors.inbox(cast.jones).get()
    services.mark_read(notice_id=NoticeId(entry.public_id), by=cast.jones, now=SOON)

    drain(EIGHT)

    assert post_office.letters == []
    assert Digest.objects.get().sent_at == EIGHT


def test_what_comes_while_the_digest_is_made_is_in_the_next_one(cast: Cast, post_office: PostOffice) -> None:
    wants(cast.jones, digest_hour=8)
    stage.detected(cast)
    drain(SOON)
    leases.lease_next(unsent(), now=EIGHT)
    stage.detected(cast)

    drain(EIGHT - timedelta(seconds=1))

    joined = Delivery.objects.filter(digest__isnull=False).order_by("pk").values_list("digest__comes_at", flat=True)
    assert list(joined) == [EIGHT, EIGHT + timedelta(days=1)]


def test_a_digest_is_tried_again_under_the_same_message_id(cast: Cast, post_office: PostOffice) -> None:
    wants(cast.jones, digest_hour=8)
    stage.detected(cast)
    drain(SOON)
    post_office.mood = Mood.REFUSE
    drain(EIGHT)
    post_office.mood = Mood.ACCEPT

    drain(EIGHT + timedelta(minutes=5))

    digest = Digest.objects.get()
    (mail,) = post_office.mails_to("jones@example.org")
    assert digest.attempts == 2
    assert str(digest.public_id) in mail["Message-ID"]


def test_a_digest_to_an_address_that_is_refused_is_given_up_and_marks_it(cast: Cast, post_office: PostOffice) -> None:
    wants(cast.jones, digest_hour=8)
    stage.detected(cast)
    drain(SOON)
    post_office.unknown = {"jones@example.org"}

    drain(EIGHT)

    assert Digest.objects.get().last_error == "SMTPRecipientsRefused 550"
    assert cast.people["jones"].notification_settings.email_refused_at == EIGHT
