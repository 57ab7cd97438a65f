import pytest
from django.conf import LazySettings

from authz.errors import InvalidInput
from authz.notifications import selectors
from authz.notifications.models import Delivery
from authz.notifications.wishes.models import NotificationSettings
from authz.notifications.wishes.selectors import settings_of
from authz.notifications.wishes.services import change
from tests import cast as stage
from tests.cast import NOW, Cast
from tests.notifications.stage import PHONE, drain, say, with_phone
from tests.notifications.test_wishes import faults, wants
from tests.post_office import PostOffice
from tests.text_office import TextOffice

pytestmark = pytest.mark.django_db


def settings_row(cast: Cast) -> NotificationSettings:
    (row,) = settings_of([cast.people["jones"].pk]).values()
    return row


def dead() -> list[str]:
    return list(selectors.dead().values_list("last_error", flat=True))


def test_a_text_is_a_fixed_sentence_and_a_link_posted_as_twilio_wants_it(
    cast: Cast, text_office: TextOffice, settings: LazySettings
) -> None:
    settings.BASE_URL = "https://authz.example"
    with_phone(cast.jones, waiting_by=["sms"])
    prior_auth = stage.detected(cast)
    say(prior_auth, "prior-auth.denied")

    drain()

    link = f"https://authz.example/prior-auths/{prior_auth.public_id}/"
    assert text_office.to(PHONE) == [
        f"Authz: there is news for you. {link}",
        f"Authz: something needs your answer. {link}",
    ]
    assert (text_office.texts[0].path, text_office.texts[0].log_in) == (
        "/2010-04-01/Accounts/AC1/Messages.json",
        "AC1:a secret",
    )
    assert text_office.texts[0].form["From"] == "+15550199"


def test_a_messaging_service_sends_in_the_place_of_a_number(
    cast: Cast, text_office: TextOffice, settings: LazySettings
) -> None:
    settings.SMS_FROM = "MG123"
    with_phone(cast.jones, waiting_by=["sms"])
    stage.detected(cast)

    drain()

    assert text_office.texts[0].form["MessagingServiceSid"] == "MG123"
    assert "From" not in text_office.texts[0].form


@pytest.mark.parametrize(
    ("answer", "code", "is_marked"),
    [
        ((400, 21211), "sms 400 21211", True),
        ((400, 21610), "sms 400 21610", True),
        ((400, 21408), "sms 400 21408", False),
        ((401, 20003), "sms 401 20003", False),
        ((404, None), "sms 404", False),
    ],
)
def test_what_is_refused_for_good_goes_by_the_next_channel(
    cast: Cast,
    text_office: TextOffice,
    post_office: PostOffice,
    answer: tuple[int, int | None],
    code: str,
    is_marked: bool,
) -> None:
    with_phone(cast.jones, waiting_by=["sms", "email"])
    text_office.answer = answer
    stage.detected(cast)

    drain()

    assert dead() == [code]
    assert len(post_office.mails_to("jones@example.org")) == 1
    assert (settings_row(cast).phone_refused_at is not None) is is_marked


@pytest.mark.parametrize("status", [302, 429, 500, 503])
def test_what_cannot_go_now_is_tried_again(cast: Cast, text_office: TextOffice, status: int) -> None:
    with_phone(cast.jones, waiting_by=["sms", "email"])
    text_office.answer = (status, None)
    stage.detected(cast)
    drain()
    waiting = Delivery.objects.get(channel="sms")
    text_office.answer = (201, None)

    drain(stage.later(1))

    assert (waiting.last_error, waiting.dead_at) == (f"sms {status}", None)
    assert len(text_office.to(PHONE)) == 1
    assert not Delivery.objects.filter(channel="email").exists()


def test_a_provider_that_is_away_is_waited_for(cast: Cast, text_office: TextOffice, settings: LazySettings) -> None:
    with_phone(cast.jones, waiting_by=["sms"])
    settings.SMS_BASE_URL = "http://127.0.0.1:1"
    stage.detected(cast)

    drain()

    assert Delivery.objects.get(channel="sms").last_error == "sms ConnectionRefusedError"


def test_a_mail_address_that_is_refused_leaves_the_notice_to_the_phone(
    cast: Cast, text_office: TextOffice, post_office: PostOffice
) -> None:
    with_phone(cast.jones, waiting_by=["email", "sms"])
    post_office.unknown = {"jones@example.org"}
    prior_auth = stage.detected(cast)
    drain()

    say(prior_auth, "prior-auth.approved")
    drain()

    assert dead() == ["SMTPRecipientsRefused 550"]
    assert len(text_office.to(PHONE)) == 2


def test_without_any_channel_left_the_inbox_has_it(
    cast: Cast, text_office: TextOffice, post_office: PostOffice
) -> None:
    with_phone(cast.jones, waiting_by=["sms"])
    text_office.answer = (400, 21614)
    stage.detected(cast)

    drain()

    assert dead() == ["sms 400 21614"]
    assert selectors.inbox(cast.jones).count() == 1
    assert Delivery.objects.filter(recipient=cast.people["jones"]).count() == 2


def test_a_phone_is_confirmed_by_the_code_that_is_texted_to_it(cast: Cast, text_office: TextOffice) -> None:
    wants(cast.jones, phone=PHONE)
    drain()
    (words,) = text_office.to(PHONE)
    code = words.split()[1]
    too_early = faults(cast.jones, pressing_by=["sms"])
    wrong = faults(cast.jones, phone_code="½½½½½½")

    wants(cast.jones, phone_code=code, pressing_by=["sms"])

    assert set(too_early) == {"pressing_by"}
    assert set(wrong) == {"phone_code"}
    assert settings_row(cast).phone_verified_at == NOW
    assert set(faults(cast.jones, phone_code=code)) == {"phone_code"}


def test_another_phone_is_to_be_confirmed_anew_and_gets_nothing_before(cast: Cast, text_office: TextOffice) -> None:
    with_phone(cast.jones, waiting_by=["sms"])

    wants(cast.jones, phone="+15550111")
    stage.detected(cast)
    drain()

    assert settings_row(cast).phone_verified_at is None
    assert ["confirms" in words for words in text_office.to("+15550111")] == [True]
    assert text_office.to(PHONE) == []


def test_a_code_that_cannot_be_texted_is_sent_by_no_other_way(
    cast: Cast, text_office: TextOffice, post_office: PostOffice
) -> None:
    text_office.answer = (400, 21211)

    wants(cast.jones, phone=PHONE)
    drain()

    assert settings_row(cast).phone_refusal == "sms 400 21211"
    assert post_office.letters == []


@pytest.mark.parametrize("phone", ["15550100", "+0155501000", "+1 555 0100", "+1234567890123456", "+1555"])
def test_a_phone_is_given_in_international_form(cast: Cast, text_office: TextOffice, phone: str) -> None:
    assert set(faults(cast.jones, phone=phone)) == {"phone"}


def test_where_no_texts_are_sent_no_phone_is_taken(cast: Cast) -> None:
    with pytest.raises(InvalidInput) as refused:
        change(changes={"phone": PHONE}, by=cast.jones, now=NOW)

    assert set(refused.value.fields) == {"phone"}


def test_in_development_texts_are_written_into_the_log_without_the_phone(
    cast: Cast, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    settings.SMS_PROVIDER = "console"
    with_phone(cast.jones, waiting_by=["sms"])
    stage.detected(cast)

    drain()

    assert "Authz: there is news for you." in caplog.text
    assert PHONE not in caplog.text
