"""Another release of the formulary answers from then on; patients are rechecked, and old answers stay computable."""

from uuid import UUID

import pytest

from authz.documentation.paper_kinds import PaperKind
from authz.documentation.paper_text import Grid
from authz.documentation.selectors import paper_text
from authz.errors import InvalidInput
from authz.formulary.services import activate
from authz.ids import AppealId
from authz.management.commands.formulary import OPERATOR
from authz.notifications import services as notifications
from authz.outbox.models import OutboxMessage
from authz.prescriptions.models import Patient
from authz.prior_auths import replay
from authz.prior_auths.models import Evaluation, Event, PriorAuth
from authz.prior_auths.review_criteria import criteria_of
from authz.prior_auths.services import appeal_decisions, rechecking
from tests.cast import NOW, TODAY, Cast, appeal_in_review, appeal_reviewer, fill, later, register
from tests.formulary.rrf import ALPRAZOLAM_3, OXYCODONE_7, ROXINEW_7, in_use
from tests.prior_auths.test_answers import HYDROCODONE_5, asked, kept, taken_up
from tests.prior_auths.test_released import as_asked, granted_in_part, with_physician
from tests.prior_auths.test_review import REASON

ALPRAZOLAM = "308047"


def recheck() -> int:
    """Have the workers do what was announced, and return how many patients were rechecked."""
    while notifications.fan_out_next(now=NOW):
        pass
    count = 0
    while rechecking.recheck_next(now=NOW):
        count += 1
    return count


def differences() -> list[str]:
    return [found.says for one in replay.replay(replay.evaluations()) for found in one.differences]


def latest(cast: Cast, patient: Patient) -> Evaluation:
    return Evaluation.objects.filter(patient=patient, plan=cast.plan).latest("pk")


def test_after_a_new_release_a_recheck_opens_what_is_needed_once(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 10, rxcui=ROXINEW_7)
    assert (latest(cast, patient).attention_count, PriorAuth.objects.count()) == (1, 0)

    in_use()
    done = recheck()

    request = PriorAuth.objects.get()
    rows = Evaluation.objects.count(), Event.objects.count(), OutboxMessage.objects.count()
    assert done == 1
    assert latest(cast, patient).formulary_version == "2026-11-03"
    assert request.lines.get().product_name == "oxycodone hydrochloride 7 MG Oral Tablet [Roxinew]"
    rechecking.ask_for(patients=Patient.objects.all(), now=NOW)
    assert recheck() == 1
    assert (Evaluation.objects.count(), Event.objects.count(), OutboxMessage.objects.count()) == rows
    assert differences() == []


def test_back_on_the_packaged_table_the_request_lapses_and_every_answer_replays(cast: Cast) -> None:
    in_use()
    fill(cast, register(cast), 10, rxcui=OXYCODONE_7)
    assert PriorAuth.objects.get().state == "detected"

    activate(version="2025.2", by=OPERATOR, now=NOW)
    recheck()

    assert PriorAuth.objects.get().state == "lapsed"
    assert {row.formulary_version for row in Evaluation.objects.all()} >= {"2026-11-03", "2025.2"}
    assert differences() == []


def test_a_dispensed_benzodiazepine_is_found_beside_an_opioid_and_never_counts(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 30, rxcui=ALPRAZOLAM)
    fill(cast, patient, 3)

    evaluation = latest(cast, patient)
    (finding,) = evaluation.verdict["findings"]

    assert (finding["kind"], finding["first_day"]) == ("opioid_with_benzodiazepine", TODAY.isoformat())
    assert "with a benzodiazepine (alprazolam) from" in finding["reasons"][0]
    assert (evaluation.attention_count, evaluation.is_required) == (0, False)
    assert [item[1] for item in evaluation.verdict["ignored"]] == ["excluded_product"]
    assert differences() == []


def test_a_correction_of_the_benzodiazepine_is_read_anew(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 30, rxcui=ALPRAZOLAM, identifier="F-1")
    fill(cast, patient, 3)

    fill(cast, patient, 30, rxcui=ALPRAZOLAM, identifier="F-1", on=TODAY.replace(month=1))

    assert latest(cast, patient).verdict["findings"] == []


# -- a product of that release alone ---------------------------------------------------------------------------------
GENERIC = "oxycodone hydrochloride 7 MG Oral Tablet"


def back_on_the_packaged_table() -> None:
    activate(version="2025.2", by=OPERATOR, now=NOW)


def granted_as_generic(cast: Cast) -> PriorAuth:
    """Return a request for the brand that Dr Patel has granted as the product without one; both are the release's."""
    in_use()
    prior_auth = with_physician(cast, {"rxcui": ROXINEW_7})
    return granted_in_part(cast, prior_auth, as_asked(prior_auth, rxcui=OXYCODONE_7))


def granted_in_letter(kind: PaperKind, subject_id: UUID) -> str:
    (grid,) = (block for block in paper_text(kind, subject_id).blocks if isinstance(block, Grid))
    return " ".join(" ".join(row) for row in grid.rows)


def test_a_product_of_the_release_is_granted_instead_and_its_letter_names_it(cast: Cast) -> None:
    decided = granted_as_generic(cast).determinations.get()

    assert decided.formulary_version == "2026-11-03"
    assert decided.lines.get().granted_rxcui == OXYCODONE_7
    assert f"{GENERIC}: 10 days" in granted_in_letter(PaperKind.DETERMINATION_LETTER, decided.public_id)


def test_a_later_letter_names_it_as_the_table_that_it_was_granted_under(cast: Cast) -> None:
    prior_auth, uma = granted_as_generic(cast), appeal_reviewer(cast)
    back_on_the_packaged_table()

    appeal = appeal_in_review(cast, prior_auth, by=uma, now=later(1))
    key = AppealId(appeal.public_id)
    appeal_decisions.uphold(appeal_id=key, reason=REASON, by=uma, now=later(2))

    assert f"{GENERIC}: 10 days" in granted_in_letter(PaperKind.APPEAL_LETTER, key)


def test_a_product_that_is_in_use_no_more_is_not_granted_instead(cast: Cast) -> None:
    in_use()
    prior_auth = with_physician(cast, {"rxcui": ROXINEW_7})
    back_on_the_packaged_table()

    with pytest.raises(InvalidInput, match="not right"):
        granted_in_part(cast, prior_auth, as_asked(prior_auth, rxcui=OXYCODONE_7))


def test_what_is_known_of_the_releases_products_is_filled_in(cast: Cast) -> None:
    in_use()
    patient = register(cast)
    fill(cast, patient, 10, rxcui=ALPRAZOLAM_3)
    fill(cast, patient, 10, rxcui=OXYCODONE_7)

    filled_in = kept(taken_up(cast, PriorAuth.objects.get()))

    told = {name: filled_in[name].value for name in ("req.drug", "req.release", "benzo.concurrent")}
    assert told == {"req.drug": GENERIC, "req.release": "short", "benzo.concurrent": True}


def test_questions_go_by_the_release_that_the_request_was_evaluated_by(cast: Cast) -> None:
    in_use()
    patient = register(cast)
    fill(cast, patient, 10, rxcui=OXYCODONE_7)
    fill(cast, patient, 10, rxcui=HYDROCODONE_5)
    prior_auth = taken_up(cast, PriorAuth.objects.get())
    assert "tx.duplicate" in asked(cast, prior_auth)

    back_on_the_packaged_table()

    assert "tx.duplicate" in asked(cast, prior_auth)


def test_a_reviewer_judges_by_the_release_that_the_request_was_evaluated_by(cast: Cast) -> None:
    in_use()
    prior_auth = with_physician(cast, {"rxcui": OXYCODONE_7}, {"rxcui": HYDROCODONE_5})

    assert "Why are two opioids of the same kind needed at the same time?" in {
        one.asked for one in criteria_of(prior_auth, {})
    }
