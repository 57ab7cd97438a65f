"""How the demonstration is loaded: at any hour, once, never in production."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from authz import clock
from authz.access.machines import services as machines
from authz.access.models import Person
from authz.demonstration import people, services
from authz.demonstration.paths import PATHS
from authz.demonstration.patients import StoryBroken, stories
from authz.prescriptions.models import FillVersion
from authz.prior_auths.models import Event, PriorAuth

NOW = datetime(2026, 5, 14, 15, 0, tzinfo=UTC)
pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

AWKWARD = {
    "just after midnight in New York": datetime(2026, 5, 14, 4, 0, 30, tzinfo=UTC),
    "late in the evening in Los Angeles": datetime(2026, 5, 14, 6, 59, tzinfo=UTC),
    "the day after the clocks went forward": datetime(2026, 3, 9, 7, 30, tzinfo=UTC),
    "an hour after they went back": datetime(2026, 11, 1, 7, 0, tzinfo=UTC),
    "the last day of a leap February": datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
}
SOME = ("RV-2001", "RV-2002", "RV-2009", "RV-2010", "RV-2015", "HS-5006", "HS-5010")


@pytest.mark.parametrize("now", AWKWARD.values(), ids=AWKWARD.keys())
def test_it_loads_at_any_hour_and_its_days_count_back_from_the_clinics_today(now: datetime) -> None:
    told = [story for story in stories() if story.number in SOME]

    services.load(now=now, patients=told)

    for story in told:
        place = next(place for place in people.places() if place.key == story.clinic)
        today = clock.day_in(place.time_zone, at=now)
        versions = FillVersion.objects.filter(fill__identifier__startswith=f"{story.number}-")
        assert {v.starts_on for v in versions} == {today - timedelta(days=fill.ago) for fill in story.fills}
        assert all(v.recorded_on == v.starts_on for v in versions)
    assert not Event.objects.filter(at__gt=now).exists()
    assert PriorAuth.objects.count() == len(told)


def test_a_story_whose_steps_come_before_its_records_is_refused() -> None:
    story = next(story for story in stories() if story.number == "RV-2009")

    with pytest.raises(StoryBroken, match="RV-2009"):
        replace(story, hours=(48.0, 6.0))
    with pytest.raises(StoryBroken, match="RV-2009"):
        replace(story, hours=(6.0, 28.0))
    with pytest.raises(StoryBroken, match="a plan or a payer"):
        replace(story, payer="Somebody")


def test_every_path_is_walked_by_somebody() -> None:
    assert {story.reaches for story in stories()} == {"", *PATHS}


def test_the_command_loads_prints_who_can_log_in_and_only_prints_when_run_again() -> None:
    first, second = StringIO(), StringIO()

    call_command("load_demonstration", stdout=first)
    call_command("load_demonstration", stdout=second)

    for told in (first.getvalue(), second.getvalue()):
        assert people.password() in told
        assert all(one.email in told and one.name in told for one in people.log_ins())
    assert all(machine.name in first.getvalue() for machine in people.machines())
    assert "were shown when the demonstration was loaded" in second.getvalue()


def test_the_printed_secret_of_a_machine_opens_the_door() -> None:
    made = services.load(now=NOW, patients=())

    for machine in made:
        _, token = machines.issue_for_secret(
            client_id=str(machine.client_id), client_secret=machine.secret, scope=None, now=NOW
        )

        assert token.organization.name == machine.organization


def test_a_production_deployment_refuses_it(settings: LazySettings) -> None:
    settings.IS_PRODUCTION = True

    with pytest.raises(CommandError, match="DJANGO_ENV=demonstration"):
        call_command("load_demonstration")

    assert not Person.objects.exists()
