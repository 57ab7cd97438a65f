import ast
from pathlib import Path
from string import Formatter

import pytest

from authz.formulary.services import IN_USE
from authz.notifications.channels.webhook.payload import TEST
from authz.notifications.matrix import (
    MATRIX,
    SILENT,
    TO_ACT,
    TO_ACT_AT_ONCE,
    TO_KNOW_AT_ONCE,
    TO_KNOW_NOW,
    Audience,
    Notice,
    Pace,
    notices,
    together,
)
from authz.notifications.subjects import ESCALATIONS
from authz.notifications.wishes.services import PHONE_GIVEN
from authz.notifications.wording import SENTENCES, sentence
from authz.pain.services import HINT_FOUND
from authz.policies.services import ACTIVATED, RETIRED
from authz.prescriptions.emergency.services import OPENED
from authz.prior_auths.appeal_lifecycle import TABLE as APPEALS
from authz.prior_auths.call_lifecycle import TABLE as CALLS
from authz.prior_auths.lifecycle import TABLE
from authz.prior_auths.services.breaches import OVERDUE
from authz.prior_auths.services.detection import DUPLICATE_SUSPECTED, NEED_IN_DOUBT
from authz.prior_auths.services.run_outs import RUNNING_OUT
from authz.prior_auths.services.second_readings import DISAGREED

ROOT = Path(__file__).resolve().parents[2]
SAID = {row.says for row in (*TABLE.values(), *APPEALS.values(), *CALLS.values()) if row.says}
CONSTANTS = {
    "NEED_IN_DOUBT": NEED_IN_DOUBT,
    "DUPLICATE_SUSPECTED": DUPLICATE_SUSPECTED,
    "HINT_FOUND": HINT_FOUND,
    "OVERDUE": OVERDUE,
    "RUNNING_OUT": RUNNING_OUT,
    "ACTIVATED": ACTIVATED,
    "RETIRED": RETIRED,
    "IN_USE": IN_USE,
    "DISAGREED": DISAGREED,
    "PHONE_GIVEN": PHONE_GIVEN,
    "TEST": TEST,
    "OPENED": OPENED,
}


def announced_by_name() -> set[str]:
    """Return the names under which the code announces what is in no table."""
    found = set()
    for path in (ROOT / "authz").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for call in ast.walk(ast.parse(source)) if "announce(" in source else ():
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("announce"):
                found |= {ast.unparse(word.value) for word in call.keywords if word.arg == "topic"}
    return {name for name in found if not name.endswith(".says")}


def test_every_announced_topic_is_told_to_somebody_or_expressly_silent_and_nothing_else_is() -> None:
    assert announced_by_name() == set(CONSTANTS)
    assert set(MATRIX) | set(SILENT) == SAID | set(CONSTANTS.values())
    assert not set(MATRIX) & set(SILENT)
    assert not ESCALATIONS & {*MATRIX, *SILENT}


def test_every_told_topic_has_a_sentence() -> None:
    assert set(SENTENCES) == set(MATRIX) | ESCALATIONS
    assert all(MATRIX.values())


def test_a_topic_nobody_named_is_silent() -> None:
    assert notices("import.finished") == {}


@pytest.mark.parametrize("topic", sorted(SENTENCES))
def test_a_sentence_is_filled_with_a_requests_number_alone(topic: str) -> None:
    blanks = {name for _, name, _, _ in Formatter().parse(SENTENCES[topic]) if name is not None}
    is_about_a_request = topic not in {HINT_FOUND, OPENED}

    assert blanks == ({"number"} if is_about_a_request else set())
    assert ("PA-7" in sentence(topic, number="PA-7")) is is_about_a_request


def test_of_pain_the_prescriber_alone_is_told() -> None:
    assert set(notices(HINT_FOUND)) == {Audience.PRESCRIBER}


@pytest.mark.parametrize("topic", ["prior-auth.denied", "prior-auth.approved-in-part", "prior-auth.prescriber-asked"])
def test_what_the_prescriber_must_not_miss_goes_out_and_stays_open(topic: str) -> None:
    notice = notices(topic)[Audience.PRESCRIBER]

    assert (notice.goes_out, notice.needs_act) == (True, True)


@pytest.mark.parametrize(
    ("topic", "audience"),
    [
        ("prior-auth.information-requested", Audience.STAFF),
        ("prior-auth.returned", Audience.STAFF),
        ("prior-auth.running-out", Audience.PRESCRIBER),
        ("prior-auth.deemed-adverse", Audience.INTAKE),
        ("prior-auth.overdue", Audience.ADMINISTRATORS),
    ],
)
def test_what_is_about_a_clock_or_a_run_out_presses(topic: str, audience: Audience) -> None:
    assert notices(topic)[audience].pace is Pace.PRESSING


def test_what_merely_informs_stays_in_the_inbox() -> None:
    assert notices("prior-auth.withdrawn")[Audience.REVIEWER] == Notice(goes_out=False, needs_act=False)


def test_whatever_presses_goes_out() -> None:
    pressing = [one for told in MATRIX.values() for one in told.values() if one.pace is Pace.PRESSING]

    assert pressing
    assert all(one.goes_out for one in pressing)


def test_somebody_in_two_groups_gets_one_notice_with_the_more_pressing_of_both() -> None:
    assert together(TO_ACT, TO_KNOW_NOW) == Notice(goes_out=True, needs_act=True)
    assert together(TO_ACT, TO_KNOW_AT_ONCE) == TO_ACT_AT_ONCE
