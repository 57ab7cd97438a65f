from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from authz.access import services as access
from authz.access.models import Person
from authz.access.roles import Actor, Role
from authz.access.selectors import actor_for
from authz.audit.models import AuditEntry
from authz.errors import Forbidden, InvalidInput
from authz.notifications import selectors as notifications
from authz.notifications import services as notices
from authz.notifications.models import Delivery
from authz.notifications.wishes import selectors, services
from authz.notifications.wishes.models import Cover, Delegate, NotificationSettings
from authz.prior_auths.models import PriorAuth
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast
from tests.notifications.stage import drain, say
from tests.pain.stage import hinted
from tests.post_office import PostOffice

pytestmark = pytest.mark.django_db

NIGHT: services.QuietHoursIn = {"starts": time(22), "ends": time(7)}
# Ten in the evening and seven in the morning where Dr Jones lives.
EVENING = datetime(2025, 3, 4, 3, 0, tzinfo=UTC)
MORNING = datetime(2025, 3, 4, 12, 0, tzinfo=UTC)


def wants(by: Actor, **changes: Any) -> None:
    services.change(changes=services.Changes(**changes), by=by, now=NOW)


def faults(by: Actor, **changes: Any) -> dict[str, list[str]]:
    """Return what is wrong with a change, once it is proven that it changed nothing."""
    before = list(NotificationSettings.objects.values()), list(Person.objects.values()), Delegate.objects.count()
    with pytest.raises(InvalidInput) as refused:
        wants(by, **changes)
    assert before == (
        list(NotificationSettings.objects.values()), list(Person.objects.values()), Delegate.objects.count()
    )  # fmt: skip
    return refused.value.fields


def kim(cast: Cast, role: Role = Role.PRESCRIBER) -> Person:
    """Return Dr Kim, who joins Riverside."""
    person = access.create_person(email="kim@example.org", full_name="Dr Kim", password=stage.PASSWORD)
    access.add_membership(person=person, organization=cast.riverside, role=role)
    cast.people["kim"] = person
    return person


def covers(cast: Cast, by: Actor, colleague: Person, *, on: date = TODAY) -> None:
    wants(by, covers=[{"colleague": colleague.public_id, "starts_on": on, "ends_on": on}])


def sent_at(name: str, topic: str) -> datetime:
    """Return when a mail about that topic goes to somebody."""
    found = Delivery.objects.get(channel="email", message__topic=topic, recipient__email=f"{name}@example.org")
    return found.due_at


def fan_out(prior_auth: PriorAuth, topic: str, *, now: datetime) -> None:
    """Tell a fact as a worker does at that instant; what was to be delivered before is delivered."""
    say(prior_auth, topic)
    drain(now)


def test_who_never_said_is_told_by_mail_at_once(cast: Cast) -> None:
    (row,) = selectors.settings_of([cast.people["jones"].pk]).values()

    assert (row.pressing_by, row.waiting_by, row.quiet, row.digest_hour) == (["email"], ["email"], None, None)


def test_a_decision_waits_until_the_night_is_over_and_the_inbox_has_it_at_once(
    cast: Cast, post_office: PostOffice
) -> None:
    wants(cast.jones, quiet_hours=NIGHT)
    prior_auth = stage.approved(cast)

    drain(EVENING)
    in_the_night = len(post_office.mails_to("jones@example.org"))
    drain(MORNING)

    assert notifications.inbox(cast.jones).filter(topic="prior-auth.approved", arrived_at=EVENING).exists()
    assert in_the_night == 0
    assert prior_auth.number in post_office.mails_to("jones@example.org")[-1]["Subject"]


def test_a_run_out_passes_the_night(cast: Cast, post_office: PostOffice) -> None:
    wants(cast.jones, quiet_hours=NIGHT)
    prior_auth = stage.detected(cast)
    drain()

    fan_out(prior_auth, "prior-auth.running-out", now=EVENING)

    assert len(post_office.mails_to("jones@example.org")) == 2


def test_what_waits_on_the_same_request_goes_first_when_something_passes_it(
    cast: Cast, post_office: PostOffice
) -> None:
    wants(cast.jones, quiet_hours=NIGHT)
    prior_auth = stage.detected(cast)
    drain(EVENING)
    waited = len(post_office.letters)

    fan_out(prior_auth, "prior-auth.running-out", now=EVENING)

    subjects = [mail["Subject"] for mail in post_office.mails_to("jones@example.org")]
    assert waited == 0
    assert subjects[0].endswith("was opened.")
    assert "runs out" in subjects[1]


@pytest.mark.parametrize(("runs_out_on", "sent"), [(date(2025, 3, 12), MORNING), (date(2025, 3, 4), EVENING)])
def test_what_needs_an_act_passes_the_night_when_the_patient_runs_out_the_day_after(
    cast: Cast, runs_out_on: date, sent: datetime
) -> None:
    wants(cast.jones, quiet_hours=NIGHT)
    prior_auth = stage.detected(cast)
    prior_auth.runs_out_on = runs_out_on
    prior_auth.save()
    say(prior_auth, "prior-auth.prescriber-asked")

    while notices.fan_out_next(now=EVENING):
        pass

    assert sent_at("jones", "prior-auth.prescriber-asked") == sent


def test_a_covering_colleague_hears_beside_the_person_and_the_trail_says_for_whom(cast: Cast) -> None:
    covers(cast, cast.jones, kim(cast))
    stage.detected(cast)

    drain()

    told = Delivery.objects.filter(message__topic="prior-auth.opened", channel="inbox")
    assert {(row.recipient.full_name, row.on_behalf_of and row.on_behalf_of.full_name) for row in told} == {
        ("Dr Jones", None),
        ("Dr Kim", "Dr Jones"),
        ("Stella Marsh", None),
    }
    entry = AuditEntry.objects.get(action="tell on behalf")
    assert entry.subject_id == told.get(recipient=cast.people["kim"]).public_id


@pytest.mark.parametrize(("days", "hears"), [(-1, False), (0, True), (1, False)])
def test_a_colleague_covers_on_the_days_agreed_on_alone(cast: Cast, days: int, hears: bool) -> None:
    colleague = kim(cast)
    covers(cast, cast.jones, colleague, on=TODAY + timedelta(days=days))
    stage.detected(cast)

    drain()

    assert Delivery.objects.filter(recipient=colleague).exists() is hears


def test_a_colleague_who_left_no_longer_hears(cast: Cast) -> None:
    colleague = kim(cast)
    covers(cast, cast.jones, colleague)
    colleague.memberships.all().delete()
    stage.detected(cast)

    drain()

    assert not Delivery.objects.filter(recipient=colleague).exists()


def test_of_a_pain_hint_no_covering_colleague_hears(cast: Cast) -> None:
    colleague = kim(cast)
    covers(cast, cast.jones, colleague, on=TODAY)
    hinted(cast)

    drain()

    assert Delivery.objects.filter(message__topic="pain-hint.found", recipient=cast.people["jones"]).exists()
    assert not Delivery.objects.filter(message__topic="pain-hint.found", recipient=colleague).exists()


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"time_zone": "Mars/Olympus"}, {"time_zone"}),
        ({"pressing_by": ["pigeon"]}, {"pressing_by"}),
        ({"waiting_by": ["email", "email"]}, {"waiting_by"}),
        ({"waiting_by": ["inbox"]}, {"waiting_by"}),
        ({"quiet_hours": {"starts": time(7), "ends": time(7)}}, {"quiet_hours"}),
        ({"digest_hour": 24}, {"digest_hour"}),
        ({"digest_hour": 23, "quiet_hours": NIGHT}, {"digest_hour"}),
        ({"digest_hour": 8, "waiting_by": []}, {"digest_hour"}),
        ({"is_email_refused": True}, {"is_email_refused"}),
        ({"delegate": stage.unknown_id(), "time_zone": "Mars/Olympus"}, {"delegate", "time_zone"}),
    ],
)
def test_nonsense_is_named_and_changes_nothing(cast: Cast, changes: dict[str, Any], wrong: set[str]) -> None:
    assert set(faults(cast.jones, **changes)) == wrong


def test_a_stand_in_is_a_colleague_of_the_organization_who_shares_a_role(cast: Cast) -> None:
    stella, mallory = cast.people["stella"], cast.people["mallory"]
    on = {"starts_on": TODAY, "ends_on": TODAY}

    wrong = faults(
        cast.jones,
        delegate=mallory.public_id,
        covers=[
            {"colleague": stella.public_id, **on},
            {"colleague": cast.people["jones"].public_id, **on},
            {"colleague": kim(cast).public_id, "starts_on": TODAY, "ends_on": TODAY - timedelta(days=1)},
        ],
    )

    assert set(wrong) == {"delegate", "covers[0].colleague", "covers[1].colleague", "covers[2].ends_on"}


def test_a_delegate_is_named_changed_and_taken_back(cast: Cast) -> None:
    colleague = kim(cast)

    wants(cast.jones, delegate=colleague.public_id)
    named = selectors.delegate_of(cast.jones)
    wants(cast.jones, digest_hour=8)
    kept = selectors.delegate_of(cast.jones)
    wants(cast.jones, delegate=None)

    assert named == kept
    assert named is not None
    assert named.colleague == colleague
    assert selectors.delegate_of(cast.jones) is None
    assert AuditEntry.objects.filter(subject_kind="notification-settings", person=cast.people["jones"]).count() == 3


def test_stand_ins_are_those_of_the_organization_one_acts_for(cast: Cast) -> None:
    covers(cast, cast.jones, kim(cast))
    access.add_membership(person=cast.people["jones"], organization=cast.hillside, role=Role.PRESCRIBER)
    elsewhere = actor_for(person=cast.people["jones"], organization=cast.hillside)

    wants(elsewhere, covers=[])

    assert list(selectors.covers_of(elsewhere)) == []
    assert Cover.objects.count() == 1


def test_a_machine_has_no_settings(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        wants(replace(cast.stella, person_id=None), digest_hour=8)


def test_an_address_that_is_refused_for_good_is_marked_and_not_tried_again(cast: Cast, post_office: PostOffice) -> None:
    post_office.unknown = {"jones@example.org"}
    prior_auth = stage.detected(cast)
    drain()
    post_office.unknown = set()

    fan_out(prior_auth, "prior-auth.approved", now=NOW + timedelta(days=1))

    (row,) = selectors.settings_of([cast.people["jones"].pk]).values()
    assert row.email_refusal == "SMTPRecipientsRefused 550"
    assert post_office.letters == []
    assert notifications.inbox(cast.jones).count() == 2
    assert list(notifications.dead().values_list("last_error", flat=True)) == ["SMTPRecipientsRefused 550"]


def test_a_refused_address_is_tried_again_when_its_person_says_so(cast: Cast, post_office: PostOffice) -> None:
    post_office.unknown = {"jones@example.org"}
    prior_auth = stage.detected(cast)
    drain()
    post_office.unknown = set()

    wants(cast.jones, is_email_refused=False)
    fan_out(prior_auth, "prior-auth.approved", now=NOW + timedelta(days=1))

    assert len(post_office.mails_to("jones@example.org")) == 1
