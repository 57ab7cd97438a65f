"""An operator sets up a new deployment with four commands."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from authz.access import selectors, services
from authz.access.machines import services as machines
from authz.access.models import ApiClient, Organization, Person
from authz.access.roles import Role
from authz.policies.models import Plan
from tests.cast import NOW
from tests.machine_keys import ec_pair, key_set

pytestmark = pytest.mark.django_db
STRONG = "correct horse battery"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(f"{STRONG}\n"))


def clinic() -> None:
    call_command("create_organization", "clinic", "Riverside", time_zone="America/Chicago", stdout=StringIO())


def person(*, organization: str = "Riverside", role: str = "staff") -> None:
    call_command(
        "create_person",
        "Stella@Example.org",
        "Stella Marsh",
        organization=organization,
        role=role,
        password_stdin=True,
        stdout=StringIO(),
    )


def test_a_clinic_and_its_first_person_can_log_in(typed: None) -> None:
    clinic()
    person()

    text, _ = services.log_in(email="stella@example.org", password=STRONG, now=NOW)

    actor = selectors.actor_for_token(text, now=NOW)
    assert (actor.organization_id, actor.roles) == (Organization.objects.get().pk, {Role.STAFF})


def test_a_known_person_gets_a_further_role_and_keeps_the_password(typed: None) -> None:
    clinic()
    person()
    person(role="clinic_admin")

    assert set(Person.objects.get().memberships.values_list("role", flat=True)) == {"staff", "clinic_admin"}


def test_whom_a_person_reports_to_is_recorded_and_taken_back(typed: None) -> None:
    clinic()
    person()
    riverside, said = Organization.objects.get(), {"organization": "Riverside", "stdout": StringIO()}
    ann = services.create_person(email="ann@example.org", full_name="Ann", password=STRONG)
    services.add_membership(person=ann, organization=riverside, role=Role.STAFF)

    call_command("set_superior", "Ann@example.org", "stella@example.org", **said)
    assert selectors.superiors_of(ann.pk, organization_id=riverside.pk) == {Person.objects.exclude(pk=ann.pk).get().pk}
    for who, superior, why in (
        ("stella@example.org", "ann@example.org", "nobody can be above themselves"),
        ("ann@example.org", "nobody@example.org", "There is nobody with the e-mail address"),
    ):
        with pytest.raises(CommandError, match=why):
            call_command("set_superior", who, superior, **said)
    call_command("set_superior", "ann@example.org", **said)
    assert selectors.superiors_of(ann.pk, organization_id=riverside.pk) == set()


def test_an_insurer_gets_a_plan_and_a_machine() -> None:
    call_command("create_organization", "insurer", "Evergreen", time_zone="America/New_York", stdout=StringIO())
    call_command("create_plan", "Evergreen", "EV-PPO", "Evergreen PPO", stdout=StringIO())
    told = StringIO()
    call_command("create_api_client", "Evergreen", "Claims feed", role="intake", stdout=told)

    client = ApiClient.objects.get()
    secret = told.getvalue().split("client_secret ")[1].split()[0]
    assert Plan.objects.get().insurer.name == "Evergreen"
    assert machines.issue_for_secret(client_id=str(client.public_id), client_secret=secret, scope=None, now=NOW)


def test_whoever_puts_a_plan_under_a_regime_is_told_what_is_unconfirmed() -> None:
    call_command("create_organization", "insurer", "Evergreen", time_zone="America/Chicago", stdout=StringIO())
    told = StringIO()

    call_command("create_plan", "Evergreen", "EV-OK", "Evergreen Oklahoma", regime="oklahoma", stdout=told)

    assert (Plan.objects.get().regime, Plan.objects.get().time_zone) == ("oklahoma", "America/Chicago")
    assert "3 figures of the regime oklahoma are not confirmed" in told.getvalue()


@pytest.mark.parametrize(
    ("regime", "why"),
    [
        ("martian", "There is no regime 'martian'"),
        ("medicare_advantage", "is not for drugs: A Part B drug has 72 and 24"),
    ],
)
def test_no_plan_is_under_a_regime_that_is_not_there_or_not_for_drugs(regime: str, why: str) -> None:
    call_command("create_organization", "insurer", "Evergreen", time_zone="America/Chicago", stdout=StringIO())

    with pytest.raises(CommandError, match=why):
        call_command("create_plan", "Evergreen", "EV", "Evergreen", regime=regime, stdout=StringIO())

    assert not Plan.objects.exists()


@pytest.mark.parametrize(
    ("words", "options", "why"),
    [
        (["create_organization", "clinic", "X"], {"time_zone": "Mars/Olympus"}, "no IANA time zone"),
        (["create_organization", "clinic", "Riverside"], {"time_zone": "UTC"}, "already an organization"),
        (["create_plan", "Riverside", "P", "Plan"], {}, "no insurer called"),
        (["create_api_client", "Nowhere", "Robot"], {"role": "staff"}, "no organization called"),
        (["create_api_client", "Riverside", "Robot"], {"role": "physician"}, "has no such role"),
        (["create_person", "a@b.example", "A"], {"organization": "Nowhere", "role": "staff"}, "no organization called"),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(words: list[str], options: dict[str, str], why: str) -> None:
    clinic()

    with pytest.raises(CommandError, match=why):
        call_command(*words, **options, stdout=StringIO())

    assert (Organization.objects.count(), Plan.objects.count(), ApiClient.objects.count()) == (1, 0, 0)


def test_a_role_of_the_other_kind_of_organization_leaves_no_person_behind(typed: None) -> None:
    clinic()

    with pytest.raises(CommandError, match="has no such role"):
        person(role="reviewer")

    assert not Person.objects.exists()


def test_a_weak_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    clinic()
    monkeypatch.setattr("sys.stdin", StringIO("password\n"))

    with pytest.raises(CommandError, match="too short"):
        person()

    assert not Person.objects.exists()


def test_an_operator_gives_a_machine_a_new_secret_keys_or_its_end(tmp_path: Path) -> None:
    call_command("create_organization", "insurer", "Evergreen", time_zone="America/New_York", stdout=StringIO())
    call_command("create_api_client", "Evergreen", "Claims feed", role="intake", stdout=StringIO())
    client, told = ApiClient.objects.get(), StringIO()

    call_command("rotate_api_client", str(client.public_id), overlap_hours=0, stdout=told)

    secret = told.getvalue().split("client_secret ")[1].split()[0]
    assert machines.issue_for_secret(client_id=str(client.public_id), client_secret=secret, scope=None, now=NOW)
    (tmp_path / "keys.json").write_text(json.dumps(key_set(ec_pair())))
    call_command("rotate_api_client", str(client.public_id), jwks=tmp_path / "keys.json", stdout=StringIO())
    with pytest.raises(machines.ClientRefused):
        machines.issue_for_secret(client_id=str(client.public_id), client_secret=secret, scope=None, now=NOW)
    (tmp_path / "keys.json").write_text("{}")
    with pytest.raises(CommandError, match="no keys that we take"):
        call_command("rotate_api_client", str(client.public_id), jwks=tmp_path / "keys.json")
    call_command("rotate_api_client", str(client.public_id), deactivate=True, stdout=StringIO())
    with pytest.raises(CommandError, match="no active API client"):
        call_command("rotate_api_client", str(client.public_id))
