"""What the demonstration shows: every state the product knows, with none of its promises broken."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from pytest_django import DjangoDbBlocker

from authz.access import selectors as access_selectors
from authz.access import services as access
from authz.access.models import Membership, Organization, Person
from authz.access.roles import Actor, Role
from authz.demonstration import people, services
from authz.demonstration.patients import stories
from authz.documentation.models import Paper
from authz.documentation.paper_kinds import PaperKind
from authz.documentation.paper_text import Heading
from authz.documentation.selectors import paper_text
from authz.ids import PriorAuthId
from authz.notifications.decisions_told import DECISION_TOPICS
from authz.notifications.matrix import ChannelName
from authz.notifications.models import Delivery
from authz.notifications.selectors import decision_notices
from authz.outbox.models import OutboxMessage
from authz.pain.models import PainHint
from authz.policies.history import Kind
from authz.policies.models import PayerPolicy
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.models import IdentityQuestion, Patient
from authz.prescriptions.npi import is_valid_npi
from authz.prior_auths import selectors
from authz.prior_auths.determination import Basis, Outcome
from authz.prior_auths.lifecycle import ACTIVE, State
from authz.prior_auths.models import Authorization, Determination, DeterminationLine, Evaluation, Event, PriorAuth

NOW = datetime(2026, 5, 14, 15, 0, tzinfo=UTC)
pytestmark = [pytest.mark.django_db, pytest.mark.thorough]


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The whole demonstration, loaded once for the tests of this module."""
    with django_db_blocker.unblock():
        services.load(now=NOW)
        yield
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)


def actor(name: str) -> Actor:
    person = Person.objects.get(email__startswith=f"{name}@")
    organization = Organization.objects.filter(memberships__person=person).distinct().get()
    return access_selectors.actor_for(person=person, organization=organization)


def rows() -> Counter[str]:
    return Counter(
        {model.__name__: model._default_manager.count() for model in apps.get_app_config("authz").get_models()}
    )


@pytest.mark.usefixtures("loaded")
def test_every_state_on_the_way_to_a_decision_and_every_outcome_by_people_is_there() -> None:
    states = Counter(PriorAuth.objects.values_list("state", flat=True))

    assert set(states) == {state.value for state in State}
    outcomes = set(Determination.objects.values_list("outcome", flat=True))
    assert outcomes == {outcome.value for outcome in set(Outcome) - {Outcome.DEEMED_ADVERSE}}
    assert states["queued"] >= 3
    assert states["decided"] >= 5


@pytest.mark.usefixtures("loaded")
def test_there_are_two_clinics_two_insurers_and_people_of_every_role() -> None:
    kinds = Counter(Organization.objects.values_list("kind", flat=True))

    assert kinds == {"clinic": 2, "insurer": 2}
    assert set(Membership.objects.values_list("role", flat=True)) == {role.value for role in Role} - {"system"}
    assert 46 <= Patient.objects.count() <= 50
    assert all(is_valid_npi(one.npi) for one in people.log_ins() if one.npi)


@pytest.mark.usefixtures("loaded")
def test_no_promise_is_broken() -> None:
    active = PriorAuth.objects.filter(state__in=[state.value for state in ACTIVE])
    episodes = Counter(active.values_list("patient", "coverage", "episode_anchor"))
    records = Counter(record for request in active for record in request.record_ids)
    adverse = Determination.objects.exclude(outcome__in=[Outcome.APPROVED.value, Outcome.DEEMED_APPROVED.value])

    assert set(episodes.values()) == {1}
    assert set(records.values()) == {1}
    assert all(row.licence is not None and row.reason_text and row.criterion for row in adverse)
    assert all(line.granted_days <= line.asked_days for line in DeterminationLine.objects.all())
    assert not Authorization.objects.filter(prior_auth__determinations__outcome=Outcome.DENIED.value).exists()


@pytest.mark.usefixtures("loaded")
def test_each_request_is_where_its_story_says() -> None:
    expected = {"answered": "in_review", "deemed": "decided"}
    expected |= dict.fromkeys(["approved", "approved_in_part", "denied"], "decided")
    expected |= dict.fromkeys(["approved_by_rule", "approval_agreed_with", "approval_disagreed_with"], "decided")
    for story in stories():
        if not story.reaches:
            continue

        requests = PriorAuth.objects.filter(patient__identifiers__value_index=story.number)
        request = requests.latest("pk") if story.reaches == "duplicate" else requests.earliest("pk")

        assert request.state == expected.get(story.reaches, story.reaches), story.number
        assert request.urgency == story.urgency.value


@pytest.mark.usefixtures("loaded")
def test_everything_happened_in_order_and_before_now() -> None:
    for request in PriorAuth.objects.all():
        moments = list(Event.objects.filter(prior_auth=request).values_list("at", flat=True))

        assert moments == sorted(moments), request.number
        assert moments[0] == request.opened_at
        assert moments[-1] <= NOW


@pytest.mark.usefixtures("loaded")
def test_the_special_cases_are_there() -> None:
    waiting = PriorAuth.objects.filter(state=State.QUEUED.value)
    due = [selectors.due(request) for request in waiting]

    assert any(one is not None and one.at < NOW for one in due)
    assert waiting.filter(urgency="expedited").exists()
    assert PriorAuth.objects.filter(is_payer_rule_unknown=True, insurer=None).exists()
    assert PriorAuth.objects.filter(need_in_doubt_at__isnull=False, state=State.DRAFT.value).exists()
    assert PriorAuth.objects.filter(evaluation__attention_count__gt=0).exists() is False
    assert Patient.objects.filter(evaluations__attention_count__gt=0).count() == 1
    assert Patient.objects.filter(prior_auths=None).exists()


@pytest.mark.usefixtures("loaded")
def test_only_the_plan_whose_policy_says_so_has_requests_approved_by_rule() -> None:
    by_rule = Determination.objects.filter(basis=Basis.RULE.value)
    submitted = PriorAuth.objects.exclude(submitted_at=None)

    held = PayerPolicy.objects.values_list("code", "state", "author__full_name", "activated_by__full_name")
    decided = by_rule.values_list("prior_auth__coverage__plan__code", "prior_auth__policy", "is_sampled")

    assert list(held) == [("evergreen_trades", "active", "Noor Haddad", "Sofia Brandt")]
    assert list(decided) == [("EVG-TRADES", "evergreen_trades", True)] * 3
    assert not submitted.filter(screened_at=None).exists()
    assert not submitted.filter(screened_at__lt=F("submitted_at")).exists()


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(("who", "asked"), [("rae", True), ("noor", False), ("oscar", False)])
def test_of_what_was_approved_by_rule_one_waits_to_be_read_and_two_were(who: str, asked: bool) -> None:
    client, email = Client(), next(one.email for one in people.log_ins() if one.key == who)
    client.post("/log-in/", {"email": email, "password": people.password()})
    number = PriorAuth.objects.get(patient__identifiers__value_index="RV-2031").number

    waiting = client.get("/desk/second-readings/").content.decode()
    read = client.get("/desk/second-readings/?show=read").content.decode()

    is_evergreens = who != "oscar"
    assert (number in waiting) is is_evergreens
    assert ("I would have approved it, too" in waiting) is asked
    assert read.count('class="status good">Agrees') == read.count('class="status bad">Disagrees') == int(is_evergreens)
    assert ("nothing in the answers names an operation" in read) is is_evergreens


@pytest.mark.usefixtures("loaded")
def test_a_request_has_answers_a_document_and_a_packet_and_every_decision_a_letter() -> None:
    rae, mallory = actor("rae"), actor("mallory")
    at_riverside = PriorAuth.objects.get(patient__identifiers__value_index="RV-2012")
    at_hillside = PriorAuth.objects.get(patient__identifiers__value_index="HS-5010")

    note, report = (selectors.attachments(rae, one)[0] for one in (at_riverside, at_hillside))

    assert (note.file.media_type, note.file.page_count, report.file.media_type) == ("application/pdf", 1, "text/plain")
    assert [one["sha256"] for one in at_riverside.packet["attachments"]] == [note.file.sha256]
    assert (report.information_requests.count(), at_hillside.packet["attachments"]) == (1, [])
    answers = selectors.answers(mallory, PriorAuthId(at_hillside.public_id), now=NOW).answers
    assert {one.source.value for one in answers if one.source} == {"computed", "prescriber", "staff"}
    assert Counter(Paper.objects.values_list("kind", flat=True)) == {
        "packet": PriorAuth.objects.exclude(submitted_at=None).count(),
        "determination-letter": Determination.objects.count(),
    }


@pytest.mark.usefixtures("loaded")
def test_the_letters_of_the_insurer_that_has_an_administrator_say_how_it_is_reached() -> None:
    assert [one.name for one in Organization.objects.exclude(phone="")] == ["Evergreen Health"]

    denied = Determination.objects.filter(outcome="denied", prior_auth__insurer__name="Evergreen Health").first()
    assert denied is not None
    paper = paper_text(PaperKind.DETERMINATION_LETTER, denied.public_id)
    assert Heading("How to reach Evergreen Health") in paper.blocks


def test_a_prescriber_of_the_clinic_that_wants_it_has_one_pain_signal_to_look_at() -> None:
    hint = PainHint.objects.get()

    assert list(Organization.objects.filter(has_pain_signal=True)) == [hint.clinic]
    assert hint.patient.identifiers.filter(value_index="RV-2025").exists()
    assert hint.prescriber == Person.objects.get(email="jones@riverside.example").prescriber
    assert Delivery.objects.filter(subject_id=hint.public_id, recipient__prescriber=hint.prescriber).exists()


@pytest.mark.usefixtures("loaded")
def test_two_clinics_share_one_patient_and_neither_sees_the_others_words() -> None:
    at_riverside = prescriptions.patients(actor("stella")).get(identifiers__value_index="RV-2022")
    at_hillside = prescriptions.patients(actor("mallory")).get(identifiers__value_index="HS-5001")

    assert at_riverside == at_hillside
    assert [own.value for own in at_riverside.own_identifiers] == ["RV-2022"]  # type: ignore[attr-defined]
    assert [own.value for own in at_hillside.own_identifiers] == ["HS-5001"]  # type: ignore[attr-defined]
    assert IdentityQuestion.objects.get().organization == Organization.objects.get(name="Hillside Pain and Spine")


@pytest.mark.usefixtures("loaded")
def test_a_prescriber_is_told_under_their_own_log_in() -> None:
    jones = Person.objects.get(email="jones@riverside.example")

    assert jones.prescriber.npi == "1234567893"
    assert PriorAuth.objects.filter(prescriber=jones.prescriber).exists()


@pytest.mark.usefixtures("loaded")
def test_everybody_can_log_in_with_the_one_password() -> None:
    for one in people.log_ins():
        _, token = access.log_in(email=one.email, password=people.password(), now=NOW)

        assert token.organization.name == one.place.name
        assert one.email.endswith(".example")


@pytest.mark.usefixtures("loaded")
def test_loading_again_changes_nothing() -> None:
    before = rows()

    made = services.load(now=NOW + timedelta(days=1))

    assert made == []
    assert rows() == before
    assert before["Event"] > 100


@pytest.mark.usefixtures("loaded")
def test_old_news_but_decisions_is_told_to_nobody_and_the_rest_in_the_house_at_its_moment() -> None:
    old = OutboxMessage.objects.filter(announced_at__lte=NOW - services.TOLD_BEFORE)
    told = Delivery.objects.exclude(message__in=old.exclude(topic__in=DECISION_TOPICS))

    assert old.exists()
    assert OutboxMessage.objects.filter(settled_at=None).count() == 0
    assert told.count() == Delivery.objects.count() > 0
    assert not told.filter(channel=ChannelName.INBOX.value).exclude(sent_at=F("message__announced_at")).exists()
    assert not told.exclude(channel=ChannelName.INBOX.value).exclude(sent_at=None).exists()


@pytest.mark.usefixtures("loaded")
def test_notice_of_a_decision_is_late_only_where_the_decision_was() -> None:
    decided = PriorAuth.objects.filter(state=State.DECIDED.value)

    late = {
        row.number
        for row in decided
        if (clock := selectors.clocks_of(row, notices=decision_notices(row)).get(Kind.NOTIFY_BY))
        and clock.is_missed(by=NOW + timedelta(days=10))
    }

    assert decided.count() > 5
    assert late == {row.number for row in decided if row.determinations.get().was_late}


@pytest.mark.usefixtures("loaded")
def test_every_verdict_of_the_demonstration_is_reached_again_from_what_it_rested_on() -> None:
    told = StringIO()

    call_command("replay", "--all", stdout=told)

    assert Evaluation.objects.exists()
    assert f"{Evaluation.objects.count()} " in told.getvalue()
