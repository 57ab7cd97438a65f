from string import Formatter

import pytest

from authz.notifications.matrix import MATRIX, TO_ACT, TO_KNOW_NOW, Audience, ChannelName, Notice, notices, together
from authz.notifications.wording import SENTENCES, sentence
from authz.pain.services import HINT_FOUND
from authz.prior_auths.appeal_lifecycle import TABLE as APPEALS
from authz.prior_auths.call_lifecycle import TABLE as CALLS
from authz.prior_auths.lifecycle import TABLE
from authz.prior_auths.services.breaches import OVERDUE
from authz.prior_auths.services.detection import DUPLICATE_SUSPECTED, NEED_IN_DOUBT
from authz.prior_auths.services.run_outs import RUNNING_OUT
from authz.prior_auths.services.second_readings import DISAGREED

ANNOUNCED = {row.says for row in (*TABLE.values(), *APPEALS.values(), *CALLS.values()) if row.says} | {
    NEED_IN_DOUBT,
    DUPLICATE_SUSPECTED,
    HINT_FOUND,
    OVERDUE,
    RUNNING_OUT,
    DISAGREED,
}

TO_PEOPLE = frozenset(ChannelName) - {ChannelName.WEBHOOK}


def test_every_announced_topic_has_a_row_and_every_row_is_announced() -> None:
    assert set(MATRIX) == ANNOUNCED


def test_every_told_topic_has_a_sentence() -> None:
    assert set(SENTENCES) == {topic for topic, told in MATRIX.items() if told}


def test_a_topic_nobody_named_is_silent() -> None:
    assert notices("import.finished") == {}


@pytest.mark.parametrize("topic", sorted(SENTENCES))
def test_a_sentence_is_filled_with_a_requests_number_alone(topic: str) -> None:
    blanks = {name for _, name, _, _ in Formatter().parse(SENTENCES[topic]) if name is not None}
    is_about_a_request = topic != HINT_FOUND

    assert blanks == ({"number"} if is_about_a_request else set())
    assert ("PA-7" in sentence(topic, number="PA-7")) is is_about_a_request


def test_of_pain_the_prescriber_alone_is_told() -> None:
    assert set(notices(HINT_FOUND)) == {Audience.PRESCRIBER}


@pytest.mark.parametrize("topic", ["prior-auth.denied", "prior-auth.approved-in-part", "prior-auth.prescriber-asked"])
def test_what_the_prescriber_must_not_miss_goes_by_every_channel_and_stays_open(topic: str) -> None:
    notice = notices(topic)[Audience.PRESCRIBER]

    assert notice == Notice(TO_PEOPLE, needs_act=True)


def test_a_clinic_learns_of_a_running_clock_by_mail() -> None:
    assert ChannelName.EMAIL in notices("prior-auth.information-requested")[Audience.STAFF].channels


def test_somebody_in_two_groups_gets_one_notice_with_the_best_of_both() -> None:
    assert together(TO_ACT, TO_KNOW_NOW) == Notice(TO_PEOPLE, needs_act=True)


def test_a_webhook_is_never_for_a_person() -> None:
    assert not any(ChannelName.WEBHOOK in notice.channels for told in MATRIX.values() for notice in told.values())
