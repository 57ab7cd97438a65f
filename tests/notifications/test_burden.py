"""How many messages people get, a person and a decision."""

from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from authz.notifications.burden.figures import Message, burden
from authz.notifications.matrix import ChannelName

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
INBOX, EMAIL, SMS = ChannelName.INBOX, ChannelName.EMAIL, ChannelName.SMS
messages = st.lists(
    st.builds(
        Message,
        person_id=st.integers(1, 4),
        on=st.sampled_from([MONDAY, TUESDAY]),
        channel=st.sampled_from([INBOX, EMAIL, SMS]),
        needs_act=st.booleans(),
    )
)


def test_the_documented_example_comes_out() -> None:
    stella, jones = 1, 2
    got = [
        *[Message(stella, MONDAY, INBOX, needs_act=True)] * 2,
        *[Message(jones, MONDAY, INBOX)] * 3,
        Message(stella, TUESDAY, EMAIL, is_digest=True),
        Message(jones, MONDAY, EMAIL),
        Message(jones, MONDAY, SMS),
        Message(jones, TUESDAY, EMAIL),
    ]

    found = burden(got, decisions=2)

    assert (found.notices, found.acts, found.sent) == (5, 2, {EMAIL: 3, SMS: 1})
    assert (found.notices_per_decision, found.sent_per_decision) == (Fraction(5, 2), 2)
    assert (found.median_sent_per_person, found.busiest_day) == (2, 2)
    assert (found.loads[stella].digests, found.loads[jones].busiest_day) == (1, 2)


def test_without_a_decision_or_a_message_there_is_nothing_to_divide() -> None:
    nothing = burden([], decisions=0)

    assert (nothing.notices_per_decision, nothing.sent_per_decision, nothing.median_sent_per_person) == (None,) * 3
    assert (nothing.notices, nothing.sent, nothing.busiest_day) == (0, {}, 0)


@given(messages)
def test_every_message_counts_once_and_no_day_holds_more_than_all(got: list[Message]) -> None:
    found = burden(got, decisions=1)

    assert found.notices + sum(found.sent.values()) == len(got)
    assert found.busiest_day <= sum(found.sent.values())
    assert set(found.loads) == {message.person_id for message in got}
