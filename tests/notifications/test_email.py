from dataclasses import fields
from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.conf import LazySettings
from django.template.base import VariableNode
from django.template.loader import get_template

from authz.notifications import selectors, services
from authz.notifications.channels.email.message import Allowed
from authz.notifications.channels.registry import CHANNELS
from authz.notifications.matrix import ChannelName
from authz.notifications.models import Delivery
from authz.outbox import leases
from tests import cast as stage
from tests.cast import NOW, Cast
from tests.notifications.stage import SOON, drain, say
from tests.post_office import Mood, PostOffice

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=10)


def parts(mail: EmailMessage) -> dict[str, str]:
    """Return the readable parts by content type."""
    return {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}


def test_a_mail_says_what_happened_and_where_to_read_it_in_text_and_in_html(
    cast: Cast, post_office: PostOffice, settings: LazySettings
) -> None:
    settings.BASE_URL = "https://authz.example"
    prior_auth = stage.detected(cast)

    drain()

    mail = post_office.mails()[0]
    link = f"https://authz.example/prior-auths/{prior_auth.public_id}/"
    said = parts(mail)
    assert mail["Subject"] == f"Prior authorization request {prior_auth.number} was opened."
    assert set(said) == {"text/plain", "text/html"}
    assert f"Read it in Authz: {link}" in said["text/plain"].splitlines()
    assert f'<a href="{link}">' in said["text/html"]
    assert "waits for you" not in said["text/plain"] + said["text/html"]


def test_a_mail_to_act_on_says_so_first(cast: Cast, post_office: PostOffice) -> None:
    prior_auth = stage.detected(cast)
    say(prior_auth, "prior-auth.denied")

    drain()

    mail = post_office.mails_to("jones@example.org")[-1]
    said = parts(mail)
    assert mail["Subject"] == f"Action needed: Prior authorization request {prior_auth.number} was denied."
    assert "It waits for you." in said["text/plain"]
    assert "It waits for you." in said["text/html"]


def test_each_mail_has_a_message_id_of_its_own_and_is_marked_as_automatic(
    cast: Cast, post_office: PostOffice, settings: LazySettings
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Authz <no-reply@authz.example>"
    prior_auth = stage.detected(cast)
    say(prior_auth, "prior-auth.denied")

    drain()

    deliveries = Delivery.objects.filter(channel="email").order_by("pk")
    assert [mail["Message-ID"] for mail in post_office.mails()] == [
        f"<{delivery.public_id}@authz.example>" for delivery in deliveries
    ]
    assert {mail["Auto-Submitted"] for mail in post_office.mails()} == {"auto-generated"}


def test_a_mail_sent_twice_can_be_told_by_its_message_id(cast: Cast, post_office: PostOffice) -> None:
    stage.detected(cast)
    services.fan_out_next(now=SOON)
    mails = selectors.next_by(ChannelName.EMAIL)
    slow = leases.lease_next(mails, now=SOON)
    quick = leases.lease_next(mails, now=LATER)
    assert slow is not None
    assert quick is not None

    CHANNELS[ChannelName.EMAIL].deliver(quick, now=LATER)
    with pytest.raises(leases.LeaseLost):
        CHANNELS[ChannelName.EMAIL].deliver(slow, now=LATER)

    first, second = post_office.mails()
    assert first["Message-ID"] == second["Message-ID"]


def test_the_code_of_a_refusal_keeps_the_servers_number_and_none_of_its_words(
    cast: Cast, post_office: PostOffice
) -> None:
    post_office.mood = Mood.REFUSE
    stage.detected(cast)

    drain()

    assert Delivery.objects.get(channel="email").last_error == "SMTPDataError 451"


def test_a_refused_address_is_a_number_too(cast: Cast, post_office: PostOffice) -> None:
    post_office.unknown = {"jones@example.org"}
    stage.detected(cast)

    drain()

    assert Delivery.objects.get(channel="email").last_error == "SMTPRecipientsRefused 550"


def test_a_template_reaches_three_values_and_no_row() -> None:
    allowed = {field.name: field.type for field in fields(Allowed)}

    assert allowed == {"sentence": str, "needs_act": bool, "link": str}


@pytest.mark.parametrize("name", ["mail/notice.txt", "mail/notice.html"])
def test_a_template_asks_for_nothing_else(name: str) -> None:
    template = get_template(name)
    nodes = template.template.nodelist.get_nodes_by_type(VariableNode)  # type: ignore[attr-defined]
    asked = {node.filter_expression.var.var for node in nodes}

    assert asked
    assert asked <= {field.name for field in fields(Allowed)}
