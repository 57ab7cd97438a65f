"""The legal clocks over the API: a request's own, and the regimes there are."""

import json
from typing import Any

import pytest
from django.test import Client

from authz.policies import regimes
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import questions
from tests import cast as stage
from tests.api.callers import Caller

pytestmark = pytest.mark.django_db


def clocks_seen(caller: Caller, case: PriorAuth) -> dict[str, Any]:
    return {clock["kind"]: clock for clock in caller.get(f"prior-authorizations/{case.public_id}/").json()["clocks"]}


def test_a_request_tells_its_clocks_with_the_reason_and_what_follows(
    cast: stage.Cast, stella: Caller, rae: Caller
) -> None:
    cast.plan.regime = "part_d"
    cast.plan.save()
    case = stage.queued(cast)

    seen = clocks_seen(rae, case)

    assert list(seen) == ["decide_by", "notify_by", "forward_by"]
    decide = seen["decide_by"]
    assert (decide["due_at"], decide["stopped_at"]) == ("2025-03-06T15:00:00Z", None)
    assert decide["if_missed"] == "deemed_adverse"
    assert decide["why"].startswith("Due Thursday 6 March 2025, 10:00 EST: 72 hours after the insurer received")
    assert (decide["citation"], decide["confirmed"]) == ("42 CFR 423.568(b); 42 CFR 423.568(h) and 423.572(d)", False)
    whole = stella.get(f"prior-authorizations/{case.public_id}/").json()
    assert (whole["regime"], whole["regime_version"], whole["time_zone"]) == ("part_d", "2025", "America/New_York")
    assert whole["due"] == {"at": decide["due_at"], "why": decide["why"]}


def test_a_stopped_clock_tells_since_when_and_until_when(cast: stage.Cast, rae: Caller) -> None:
    cast.plan.regime = "erisa"
    cast.plan.save()
    case = stage.in_review(cast)
    questions.ask(prior_auth_id=stage.key_of(case), questions=["Which knee?"], by=cast.rae, now=stage.NOW)

    seen = clocks_seen(rae, case)

    (pause,) = seen["decide_by"]["pauses"]
    assert pause["is_open"] is True
    assert (pause["until"], seen["information_reply_by"]["due_at"]) == (seen["information_reply_by"]["due_at"],) * 2


def test_before_it_is_submitted_a_request_has_no_clocks(cast: stage.Cast, stella: Caller) -> None:
    assert clocks_seen(stella, stage.drafted(cast)) == {}


def test_the_regimes_are_told_to_anybody_with_what_is_unconfirmed(client: Client) -> None:
    told = client.get("/api/v1/meta/regimes/").json()["regimes"]

    assert {(row["code"], row["version"]) for row in told} == {(r.code, r.version) for r in regimes.every_version()}
    oklahoma = next(row for row in told if row["code"] == "oklahoma")
    figures = {figure["name"]: figure for figure in oklahoma["figures"]}
    assert figures["standard.decide_within"] == {
        "name": "standard.decide_within",
        "value": "4 business days",
        "cites": "36 O.S. 6570.54 (Laws 2025, c. 447, s. 6)",
        "basis": "wording read (self-law.org)",
        "confirmed": True,
    }
    assert (oklahoma["confirmed"], figures["rules.denied_by"]["confirmed"]) == (False, False)
    assert (oklahoma["calendar"]["key"], oklahoma["calendar"]["confirmed"]) == ("oklahoma-1", False)
    assert json.dumps(told).count('"confirmed": false') > 20
