"""Patients with unmistakable markers, every topic through every channel, and a search of all that left the house."""

import base64
import json
from datetime import date
from email.message import EmailMessage

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.db.models import Model
from redis import Redis

from authz.ids import PatientId, PlanId, PriorAuthId
from authz.notifications import selectors, services
from authz.notifications.channels.webhook.models import WebhookEndpoint, WebhookSecret
from authz.notifications.channels.webhook.signature import PREFIX
from authz.notifications.digests.models import Digest
from authz.notifications.matrix import MATRIX, PERSONAL, ChannelName
from authz.notifications.matters.models import Escalation, Matter
from authz.notifications.models import Delivery, InboxEntry
from authz.outbox.models import OutboxMessage
from authz.pain.models import PainHint
from authz.pain.services import HINT_FOUND
from authz.prescriptions.emergency.services import OPENED, open_record
from authz.prescriptions.facts import PatientFacts
from authz.prescriptions.services import register_patient
from authz.prior_auths.models import InformationRequest, PriorAuth
from authz.prior_auths.services import determinations, intake, questions, queue, request
from tests import cast as stage
from tests.cast import NOW, Cast
from tests.notifications.hooks import secretly_registered
from tests.notifications.stage import drain, say, with_phone
from tests.pain import stage as pain
from tests.post_office import Mood, PostOffice
from tests.receiver import Receiver
from tests.text_office import TextOffice

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.thorough]

QUEUES = ("authz", "outside")
MARKERS = {
    "family name": "Qwyxfamily",
    "given name": "Qwyxgiven",
    "record number": "QWYX-MRN-1",
    "member id": "QWYX-MEMBER-1",
    "drug": "Qwyxcodone",
    "fill": "QWYX-FILL-1",
    "pharmacy number": "QWYX-RX-1",
    "answer": "Qwyxanswer",
    "question": "Qwyxquestion",
    "note": "Qwyxnote",
    "pain score": "QWYX-PAIN-1",
}
BORN = date(1913, 7, 9)


def marked(cast: Cast) -> PriorAuth:
    """Return a request whose every free text and patient field carries a marker, in the hands of a reviewer."""
    facts = PatientFacts(
        identifier=MARKERS["record number"],
        family_name=MARKERS["family name"],
        given_name=MARKERS["given name"],
        birth_date=BORN,
    )
    patient, _ = register_patient(facts=facts, by=cast.stella, now=NOW)
    stage.insure(cast, patient, member_id=MARKERS["member id"])
    fill = stage.fill_facts(
        10, identifier=MARKERS["fill"], rx_number=MARKERS["pharmacy number"], product_name=MARKERS["drug"]
    )
    intake.record_fill(patient_id=PatientId(patient.public_id), facts=fill, by=cast.stella, now=NOW)
    key = PriorAuthId(PriorAuth.objects.get(patient=patient).public_id)
    draft = request.take_up(prior_auth_id=key, by=cast.stella, now=NOW)
    assert draft.answers is not None
    answers = {
        **dict(draft.answers.answers.values_list("question", "value")),
        **stage.ANSWERS,
        "pain.why_longer": f"{MARKERS['answer']} on the same joint last week.",
    }
    request.answer_questions(prior_auth_id=key, answers=answers, by=cast.stella, now=NOW)
    request.ask_prescriber(prior_auth_id=key, question=MARKERS["question"], by=cast.stella, now=NOW)
    request.answer_prescriber(prior_auth_id=key, answers={"pr.attest": True}, by=cast.jones, now=NOW)
    request.submit(prior_auth_id=key, by=cast.stella, now=NOW)
    queue.claim(prior_auth_id=key, by=cast.rae, now=NOW)
    questions.ask(prior_auth_id=key, questions=[MARKERS["question"]], by=cast.rae, now=NOW)
    asked = InformationRequest.objects.get()
    questions.answer(prior_auth_id=key, answers={asked.public_id: MARKERS["answer"]}, by=cast.stella, now=NOW)
    return determinations.refer(prior_auth_id=key, reason=MARKERS["note"], by=cast.rae, now=NOW)


def marked_hint(cast: Cast, prior_auth: PriorAuth) -> PainHint:
    """Return the hint of a signal on the request's own patient, whose scores carry a marker."""
    patient = prior_auth.patient
    pain.switch_on(cast)
    for days_ago, score in ((150, 4), (100, 4), (60, 7), (10, 7)):
        pain.score(cast, patient, score, days_ago=days_ago, identifier=f"{MARKERS['pain score']}-{days_ago}")
    pain.half_a_year_dispensed(cast, patient)
    return PainHint.objects.get()


def readable(mail: EmailMessage) -> str:
    """Return a mail's headers and every part of its body, decoded."""
    bodies = [str(part.get_content()) for part in mail.walk() if not part.is_multipart()]
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), *bodies])


def columns(model: type[Model]) -> str:
    return "\n".join(str(row) for row in model._base_manager.values())


def messages(broker: "Redis[bytes]") -> str:
    """Return all the broker holds: keys, headers, and bodies decoded."""
    raw = [item.decode() for queue in QUEUES for item in broker.lrange(queue, 0, -1)]
    bodies = [base64.b64decode(json.loads(item)["body"]).decode() for item in raw]
    return "\n".join([*raw, *bodies, *(key.decode() for key in broker.scan_iter())])


def test_no_patient_data_leaves_by_any_channel(
    cast: Cast,
    post_office: PostOffice,
    text_office: TextOffice,
    broker: "Redis[bytes]",
    receiver: Receiver,
    settings: LazySettings,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    settings.OUTBOX_NUDGE = "workers.broker.nudge"
    caplog.set_level("DEBUG")
    secrets = [secretly_registered(side, receiver)[1] for side in (cast.riverside, cast.evergreen)]
    # Dr Jones hears by text of what presses, and once a day of the rest; everybody else by mail.
    with_phone(cast.jones, pressing_by=["sms"], digest_hour=8)
    prior_auth = marked(cast)
    drain()
    for day in range(1, 9):
        services.escalate_due(now=stage.later(24 * day))
        drain(stage.later(24 * day))
    for topic in set(MATRIX) - {HINT_FOUND, OPENED}:
        say(prior_auth, topic)
    hint = marked_hint(cast, prior_auth)
    open_record(
        plan_id=PlanId(cast.plan.public_id),
        member_id=MARKERS["member id"],
        birth_date=BORN,
        reason=f"{MARKERS['note']} Unconscious in our emergency room.",
        by=cast.mallory,
        now=NOW,
    )
    post_office.mood, receiver.status = Mood.REFUSE, 500
    drain()
    post_office.mood, receiver.status = Mood.ACCEPT, 204
    for hours in range(193, 220):
        drain(stage.later(hours))

    captured = capfd.readouterr()
    places = {
        "mail": "\n".join(readable(mail) for mail in post_office.mails()),
        "digest": "\n".join(readable(mail) for mail in post_office.mails() if mail["Subject"].startswith("Authz:")),
        "texts": "\n".join(str(text) for text in text_office.texts),
        "mail as sent": "\n".join(str(bytes(letter.content or b"")) for letter in post_office.letters),
        "webhooks": "\n".join(f"{heard.path} {heard.headers} {heard.body.decode()}" for heard in receiver.heard),
        "endpoints": columns(WebhookEndpoint) + columns(WebhookSecret),
        "inbox": columns(InboxEntry),
        "deliveries": columns(Delivery),
        "digests": columns(Digest),
        "matters": columns(Matter) + columns(Escalation),
        "outbox": columns(OutboxMessage),
        "broker": messages(broker),
        "log": caplog.text + captured.out + captured.err,
    }
    forbidden = {
        **MARKERS,
        **{secret: secret.removeprefix(PREFIX) for secret in secrets},
        "birth date": BORN.isoformat(),
        "drug code": stage.OXYCODONE_5,
        "substance": "oxycodone",
    }

    assert not selectors.unsent().exists()
    assert set(Delivery.objects.values_list("message__topic", flat=True)) >= {*MATRIX, "notice.reminder"}
    assert set(Delivery.objects.filter(sent_at__isnull=False).values_list("channel", flat=True)) == set(ChannelName)
    by_webhook = Delivery.objects.filter(channel=ChannelName.WEBHOOK.value)
    assert set(by_webhook.values_list("message__topic", flat=True)) == set(MATRIX) - PERSONAL
    assert [
        (place, what)
        for place, text in places.items()
        for what, marker in forbidden.items()
        if marker.lower() in text.lower()
    ] == []
    # The search would have found something: each place has in it what may be there.
    assert prior_auth.number in places["mail"]
    assert "still waits" in places["mail"]
    assert f"/prior-auths/{prior_auth.public_id}/" in places["texts"]
    assert f"/prior-auths/{prior_auth.public_id}/" in places["digest"]
    assert f"/patients/{hint.patient.public_id}/" in places["mail"]
    assert str(prior_auth.public_id) in places["webhooks"]
    assert str(hint.public_id) in places["outbox"]
    assert str(prior_auth.public_id) in places["outbox"]
    assert "authz.drain-outbox" in places["broker"]
    assert "postponed" in places["log"]


def test_every_marker_is_somewhere_in_the_database(cast: Cast) -> None:
    marked_hint(cast, marked(cast))

    kept = "\n".join(columns(model) for model in apps.get_app_config("authz").get_models())

    assert [what for what, marker in MARKERS.items() if marker not in kept] == []
    assert "oxycodone" in kept.lower()
