"""Every list can be taken out: for those who may read it, without a formula, and never without a trace."""

import csv
from io import StringIO

import pytest
from django.test import Client

from authz import clock
from authz.access.roles import Role
from authz.administration.services import invitations
from authz.audit.models import AuditEntry
from authz.notifications.channels.webhook.models import WebhookEndpoint
from authz.policies import regimes
from authz.prior_auths.services import absences
from authz.web.views import inbox
from tests.cast import (
    NOW,
    PASSWORD,
    Cast,
    appeal_in_review,
    appeal_reviewer,
    denied,
    detected,
    fill,
    in_review,
    later,
    queued,
    register,
    with_role,
)
from tests.notifications.hooks import administrator, tell
from tests.notifications.stage import drain
from tests.prior_auths.test_approval_by_rule import automated
from tests.receiver import Receiver
from tests.web.conftest import Door


@pytest.fixture
def uma(cast: Cast) -> Client:
    """Riverside's administrator, logged in."""
    administrator(cast.riverside)
    client = Client()
    client.post("/log-in/", {"email": f"admin-{cast.riverside.pk}-2@example.org", "password": PASSWORD})
    return client


def taken_out(client: Client, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment; ")
    assert answer["Cache-Control"] == "no-store"
    return list(csv.DictReader(StringIO(answer.content.decode())))


def test_people_and_invitations_are_taken_out(cast: Cast, uma: Client) -> None:
    cast.people["stella"].full_name = "=Stella"
    cast.people["stella"].save()
    admin = with_role(cast.stella, Role.CLINIC_ADMIN)
    invitations.invite(email="new@example.org", roles={Role.STAFF}, by=admin, now=clock.now())

    people = {one["e_mail"]: one for one in taken_out(uma, "/organization/people.csv")}
    (invited,) = taken_out(uma, "/organization/invitations.csv")

    assert people["stella@example.org"]["name"] == "'=Stella"
    assert people["jones@example.org"]["roles"] == "prescriber"
    assert (invited["e_mail"], invited["roles"], invited["mailed_at"]) == ("new@example.org", "staff", "")
    assert set(AuditEntry.objects.filter(action__startswith="export").values_list("action", flat=True)) == {
        "export the people", "export the invitations",
    }  # fmt: skip


def test_webhooks_and_their_log_are_taken_out(cast: Cast, uma: Client, receiver: Receiver) -> None:
    uma.post("/organization/webhooks/", {"url": receiver.url, "description": "The record system"})
    path = f"/organization/webhooks/{WebhookEndpoint.objects.get().public_id}"
    uma.post(f"{path}/test/")
    tell(NOW.replace(year=2100))

    (endpoint,), (delivery,) = taken_out(uma, "/organization/webhooks.csv"), taken_out(uma, f"{path}.csv")

    assert (endpoint["url"], endpoint["state"]) == (receiver.url, "active")
    assert (delivery["event"], delivery["state"], delivery["last_answer"]) == ("webhook.test", "delivered", "204")


def test_notices_requests_and_the_workload_are_taken_out(cast: Cast, enter: Door) -> None:
    reviewed, waiting = in_review(cast), queued(cast)
    detected(cast)
    drain(later(1))

    told = taken_out(enter("stella"), "/inbox.csv")
    requests = taken_out(enter("nora"), "/worklist.csv?show=open")
    load = {one["reviewer"]: one for one in taken_out(enter("nora"), "/desk/team.csv")}

    assert {reviewed.number, waiting.number} <= {one["request"] for one in told}
    assert {one["request"] for one in requests} == {reviewed.number, waiting.number}
    assert (load["Rae Quinn"]["in_hand"], load["Rae Quinn"]["here"]) == ("1", "yes")


def test_a_patients_records_are_taken_out_as_known_on_a_day(cast: Cast, enter: Door) -> None:
    patient = register(cast)
    fill(cast, patient, 10)
    path = f"/patients/{patient.public_id}/records.csv"

    (record,), before = taken_out(enter("stella"), path), taken_out(enter("stella"), f"{path}?as_of=2025-03-02")

    assert (record["day"], record["days"], record["recorded_by"], record["standing"]) == (
        "2025-03-03", "10", "own", "Counted",
    )  # fmt: skip
    assert before == []
    assert enter("mallory").get(path).status_code == 404


def test_policies_reasons_and_appeals_are_taken_out(cast: Cast, enter: Door) -> None:
    automated(cast)
    appeal = appeal_in_review(cast, denied(cast), by=appeal_reviewer(cast), now=NOW)
    nora = enter("nora")

    (policy,), reasons = taken_out(nora, "/policies.csv"), taken_out(nora, "/reasons.csv")
    (told,) = taken_out(nora, "/desk/appeals.csv")

    assert (policy["code"], policy["state"]) == ("ev_ppo", "active")
    assert {one["words"] for one in reasons} == {"shipped"}
    assert (told["request"], told["state"]) == (appeal.prior_auth.number, "In review")


def test_what_the_team_has_and_who_is_away_is_taken_out(cast: Cast, enter: Door) -> None:
    reviewed, _waiting = in_review(cast), queued(cast)
    absences.be_away(starts_at=NOW, ends_at=NOW.replace(year=2100), by=cast.rae, now=NOW)
    nora = enter("nora")

    (hers,) = taken_out(nora, f"/desk/team/requests.csv?of={cast.people['rae'].public_id}")
    overdue = taken_out(nora, "/desk/team/requests.csv")
    (absence,) = taken_out(nora, "/desk/team/absences.csv")

    assert hers["request"] == reviewed.number
    assert len(overdue) == 2
    assert (absence["reviewer"], absence["back_from"]) == ("Rae Quinn", "2100-03-03T15:00:00+00:00")


def test_the_clocks_of_a_request_are_taken_out_once_there_are_any(cast: Cast, enter: Door) -> None:
    decided, untouched = denied(cast), detected(cast)
    stella = enter("stella")

    told = {one["clock"]: one for one in taken_out(stella, f"/prior-auths/{decided.public_id}/clocks.csv")}
    nothing = taken_out(stella, f"/prior-auths/{untouched.public_id}/clocks.csv")

    decision = told["Decision"]
    assert (decision["request"], decision["stands"], decision["who_waits"]) == (decided.number, "Done in time", "")
    assert decision["due_at"].endswith("+00:00")
    assert "72 hours" in decision["why"]
    assert nothing == []
    assert enter("mallory").get(f"/prior-auths/{decided.public_id}/clocks.csv").status_code == 404


def test_a_patients_history_is_taken_out_as_known_on_a_day(cast: Cast, enter: Door) -> None:
    patient = register(cast)
    fill(cast, patient, 4)
    path = f"/patients/{patient.public_id}/history.csv"

    today = taken_out(enter("stella"), path)
    before = taken_out(enter("stella"), f"{path}?as_of=2025-03-02")

    assert [(one["day"], one["what"], one["stands"]) for one in today] == [("2025-03-03", "Fill", "yes")]
    assert before == []
    assert enter("mallory").get(path).status_code == 404


def test_every_figure_of_the_legal_clocks_is_taken_out(cast: Cast, enter: Door) -> None:
    figures = {
        (one["code"], one["version"], one["figure"]): one for one in taken_out(enter("nora"), "/legal-clocks.csv")
    }

    assert len(figures) == sum(len(list(regime.figures())) for regime in regimes.every_version())
    assert all(one["value"] and one["rule"] and one["confirmed"] in {"yes", "no"} for one in figures.values())


def test_how_many_messages_people_got_is_taken_out(cast: Cast, uma: Client) -> None:
    detected(cast)

    assert taken_out(uma, "/organization/messages.csv") == []


@pytest.mark.parametrize(
    "path",
    [
        "/organization/people.csv",
        "/organization/invitations.csv",
        "/organization/messages.csv",
        "/organization/webhooks.csv",
        "/emergency-access.csv",
        "/desk/team.csv",
        "/desk/team/requests.csv",
        "/desk/team/absences.csv",
        "/desk/second-readings.csv",
        "/desk/appeals.csv",
        "/policies.csv",
        "/reasons.csv",
        "/legal-clocks.csv",
    ],
)
def test_nobody_takes_out_what_they_may_not_read(cast: Cast, enter: Door, path: str) -> None:
    answer = enter("stella").get(path)

    assert answer.status_code == 403
    assert not AuditEntry.objects.filter(action__startswith="export").exists()


def test_no_list_is_cut(cast: Cast, enter: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MOST_TAKEN_OUT", 0)
    detected(cast)
    drain(later(1))

    answer = enter("stella").get("/inbox.csv", follow=True)

    assert answer.redirect_chain == [("/inbox/", 302)]
    assert "These are more than 0 notices." in answer.content.decode()
