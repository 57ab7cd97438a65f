"""The contract every registered channel keeps. Add a new one to REACHED and FAILING."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import NamedTuple

import pytest
from django.conf import LazySettings
from django.db import connection, connections
from django.db.models import QuerySet

from authz.notifications import matrix, selectors, services
from authz.notifications.channels.contract import NotDelivered
from authz.notifications.channels.registry import CHANNELS
from authz.notifications.matrix import ChannelName
from authz.notifications.models import Delivery
from authz.outbox import leases
from authz.outbox.leases import LeaseLost
from tests import cast as stage
from tests.cast import NOW, Cast
from tests.notifications.hooks import registered
from tests.notifications.stage import PHONE, SOON, with_phone
from tests.post_office import Mood, PostOffice
from tests.receiver import Receiver
from tests.text_office import TextOffice

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=10)


class Offices(NamedTuple):
    """Where what leaves our house arrives."""

    post: PostOffice
    texts: TextOffice
    hooks: Receiver


# How often a delivery has reached whom it is for, as seen from the outside.
REACHED: dict[ChannelName, Callable[[Delivery, Offices], int]] = {
    ChannelName.EMAIL: lambda delivery, offices: len(offices.post.mails_to(delivery.person.email)),
    ChannelName.SMS: lambda delivery, offices: len(offices.texts.to(PHONE)),
    ChannelName.WEBHOOK: lambda delivery, offices: offices.hooks.ids.count(str(delivery.public_id)),
}
# How to make a channel fail.
FAILING: dict[ChannelName, Callable[[Offices], None]] = {
    ChannelName.EMAIL: lambda offices: setattr(offices.post, "mood", Mood.REFUSE),
    ChannelName.SMS: lambda offices: setattr(offices.texts, "answer", (503, None)),
    ChannelName.WEBHOOK: lambda offices: setattr(offices.hooks, "status", 500),
}

each_channel = pytest.mark.parametrize("name", list(CHANNELS))


@pytest.fixture
def offices(cast: Cast, post_office: PostOffice, text_office: TextOffice, receiver: Receiver) -> Offices:
    registered(cast.riverside, receiver)
    return Offices(post_office, text_office, receiver)


def leased(cast: Cast, name: ChannelName) -> Delivery:
    """Return a leased delivery by that channel: of an opened request Dr Jones and the clinic's endpoint hear."""
    if name in matrix.OUTSIDE:
        with_phone(cast.jones, waiting_by=[name.value])
    stage.detected(cast)
    services.fan_out_next(now=SOON)
    delivery = leases.lease_next(to_one(cast, name), now=SOON)
    assert delivery is not None
    return delivery


def to_one(cast: Cast, name: ChannelName) -> QuerySet[Delivery]:
    by_it = selectors.unsent().filter(channel=name.value)
    return by_it if name is ChannelName.WEBHOOK else by_it.filter(recipient=cast.people["jones"])


def idle_in_transaction() -> int:
    """Return how many connections to this database wait inside a transaction, as another connection sees it."""
    with closing(connections.create_connection("default")) as other, other.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
        )
        return int(cursor.fetchone()[0])


def test_every_channel_is_registered_and_under_contract() -> None:
    assert set(CHANNELS) == set(REACHED) == set(FAILING) == set(ChannelName) - {ChannelName.INBOX}


@each_channel
def test_a_delivered_notice_has_reached_its_person_once_and_is_settled(
    cast: Cast, offices: Offices, name: ChannelName
) -> None:
    delivery = leased(cast, name)

    CHANNELS[name].deliver(delivery, now=SOON)

    assert REACHED[name](delivery, offices) == 1
    assert Delivery.objects.get(pk=delivery.pk).sent_at == SOON


@each_channel
def test_a_worker_that_lost_its_lease_does_not_settle(cast: Cast, offices: Offices, name: ChannelName) -> None:
    slow = leased(cast, name)
    leases.lease_next(to_one(cast, name), now=LATER)

    with pytest.raises(LeaseLost):
        CHANNELS[name].deliver(slow, now=LATER)

    assert Delivery.objects.get(pk=slow.pk).sent_at is None


@each_channel
def test_a_channel_that_fails_says_so_by_a_code_and_leaves_the_delivery_open(
    cast: Cast, offices: Offices, name: ChannelName
) -> None:
    delivery = leased(cast, name)
    FAILING[name](offices)

    with pytest.raises(NotDelivered) as refused:
        CHANNELS[name].deliver(delivery, now=SOON)

    assert refused.value.code
    assert "patient" not in refused.value.code
    assert Delivery.objects.get(pk=delivery.pk).sent_at is None


@pytest.mark.django_db(transaction=True)
@each_channel
def test_a_channel_that_reaches_outside_holds_no_transaction_meanwhile(
    cast: Cast, offices: Offices, settings: LazySettings, name: ChannelName
) -> None:
    delivery = leased(cast, name)
    settings.EMAIL_BACKEND = "tests.notifications.witness.Witness"
    in_transaction: list[int] = []
    offices.hooks.meanwhile = offices.texts.meanwhile = lambda: in_transaction.append(idle_in_transaction())

    CHANNELS[name].deliver(delivery, now=SOON)

    assert not connection.in_atomic_block
    assert not any(in_transaction)
    assert REACHED[name](delivery, offices) == 1
