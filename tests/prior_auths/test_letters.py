"""Letters as the member needs them: whom they are for, how and where to appeal, how soon that is decided, and after."""

from dataclasses import replace
from datetime import date

import pytest

from authz.access.contact import Contact
from authz.administration.services.contact import set_contact
from authz.documentation.paper_kinds import PaperKind
from authz.documentation.paper_text import Facts, Heading, PaperText, Prose
from authz.documentation.selectors import paper_text
from authz.errors import NotFound
from authz.ids import AppealId, PlanId
from authz.prescriptions.facts import PatientFacts
from authz.prior_auths.determination import Reason
from authz.prior_auths.models import Appeal, PriorAuth
from authz.prior_auths.services import appeal_decisions, intake, papers
from authz.prior_auths.services.rehearsal import notice_of
from tests import cast as stage
from tests.cast import NOW, Cast, later
from tests.prior_auths.test_documents import paper_words

REASON = Reason(
    code="not-necessary",
    text="The second operation was planned.",
    criterion="Clause 4",
    would_change="A report that shows another cause.",
)


def denied_under(cast: Cast, regime: str) -> PriorAuth:
    cast.plan.regime = regime
    cast.plan.save()
    return stage.denied(cast)


def letter(prior_auth: PriorAuth) -> PaperText:
    return paper_text(PaperKind.DETERMINATION_LETTER, prior_auth.determinations.latest("pk").public_id)


def said(paper: PaperText) -> str:
    return " ".join(block.text for block in paper.blocks if isinstance(block, Prose))


def facts(paper: PaperText) -> dict[str, str]:
    return {name: told for block in paper.blocks if isinstance(block, Facts) for name, told in block.rows}


@pytest.mark.parametrize(
    ("regime", "told"),
    [
        (
            "part_d",
            [
                "within 60 calendar days of receiving this letter (42 CFR 423.582(b)).",
                "decides an appeal within 7 calendar days of receiving it, an expedited one within 72 hours"
                " (42 CFR 423.590(a); 42 CFR 423.590(d)). If waiting",
                "If they let it stand, you may ask for an independent review (42 CFR 423.600(a)).",
            ],
        ),
        (
            "medicaid",
            [
                "within 60 calendar days of the date of this letter (42 CFR 438.402(c)(2)(ii)).",
                "one within 72 hours (42 CFR 438.408(b)). With notice it may take up to 14 calendar days more",
                "If they let it stand, you may ask for a State fair hearing (42 CFR 438.408(f)).",
            ],
        ),
        (
            "generic",
            [
                "within 60 calendar days of receiving this letter.",
                "an appeal within 30 calendar days of receiving it, an expedited one within 72 hours. If waiting",
                "If they let it stand, your plan's terms say whether anybody else looks at it next.",
            ],
        ),
        (
            "california",
            ["in the time that your plan's terms give.", "Your plan's terms say how soon an appeal is decided."],
        ),
    ],
)
def test_a_denial_says_how_long_there_is_and_how_soon_it_is_decided_as_its_regime_says_and_by_which_rule(
    cast: Cast, regime: str, told: list[str]
) -> None:
    words = said(letter(denied_under(cast, regime)))

    for sentence in told:
        assert sentence in words
    assert "no statute" not in words


def test_a_denial_says_where_to_appeal_and_whom_it_speaks_to(cast: Cast) -> None:
    denied = stage.denied(cast)

    words = said(letter(denied))

    assert "Riverside Clinic can file it in Authz" in words
    assert f"write to Evergreen Health, and name the request, {denied.number}, and your member number." in words
    assert 'Below, "you" means the member.' in words


def test_a_letter_names_the_member_as_the_insurer_knows_them_and_never_as_the_clinic_does(cast: Cast) -> None:
    nobodys, named = stage.in_clinical_review(cast), stage.in_clinical_review(cast)
    assert named.coverage is not None
    assert nobodys.coverage is not None
    facts_of_insurer = PatientFacts(
        identifier="E-77",
        family_name="Doe",
        given_name="Patricia",
        birth_date=date(1970, 5, 5),
        plan_id=PlanId(cast.plan.public_id),
        member_id=named.coverage.member_id,
    )
    intake.register_patient(facts=facts_of_insurer, by=cast.ivy, now=NOW)

    for prior_auth in (nobodys, named):
        stage.determinations.deny(prior_auth_id=stage.key_of(prior_auth), reason=REASON, by=cast.patel, now=NOW)

    born = date(1970, 5, 5)
    assert facts(letter(named))["Member"] == f"Patricia Doe, born {born}, number {named.coverage.member_id}"
    assert facts(letter(nobodys))["Member"] == f"number {nobodys.coverage.member_id}"


# -- how the insurer is reached ----------------------------------------------------------------------------------------
CONTACT = Contact(
    postal_address="Evergreen Health, Appeals\nPO Box 555\nAlbany, NY 12201",
    phone="1-800-555-0142",
    fax="1-800-555-0143",
    hours="Monday to Friday, 8 am to 8 pm",
)


def reached(cast: Cast, contact: Contact) -> None:
    set_contact(contact=contact, by=cast.nora, now=NOW)
    cast.evergreen.refresh_from_db()


def test_a_denial_prints_where_to_send_an_appeal_and_how_to_ask_for_an_expedited_one(cast: Cast) -> None:
    reached(cast, CONTACT)

    paper = letter(stage.denied(cast))

    assert Heading("How to reach Evergreen Health") in paper.blocks
    told = facts(paper)
    assert (told["Postal address"], told["Phone"], told["Fax"], told["Calls are answered"]) == (
        CONTACT.postal_address, CONTACT.phone, CONTACT.fax, CONTACT.hours,
    )  # fmt: skip
    assert "Or write to Evergreen Health at the postal address or fax number below, and name" in said(paper)
    assert "expedited one. Ask for that by phone or fax: the post takes longer." in said(paper)


def test_a_letter_names_no_fax_where_the_insurer_has_none(cast: Cast) -> None:
    reached(cast, replace(CONTACT, fax="", hours=""))

    paper = letter(stage.denied(cast))

    assert facts(paper).keys().isdisjoint({"Fax", "Calls are answered"})
    assert "fax" not in said(paper)
    assert "write to Evergreen Health at the postal address below, and name" in said(paper)


def test_without_a_contact_a_letter_points_to_none(cast: Cast) -> None:
    paper = letter(stage.denied(cast))

    assert Heading("How to reach Evergreen Health") not in paper.blocks
    assert "below," not in said(paper).replace('Below, "you"', "")
    assert "by phone" not in said(paper)


def test_a_letter_that_was_written_stays_as_it_was_when_the_insurer_moves(cast: Cast) -> None:
    reached(cast, CONTACT)
    before, undrawn = stage.denied(cast), stage.denied(cast)
    drawn = file_of_letter(cast, before)

    reached(cast, replace(CONTACT, phone="1-800-555-0199"))

    assert file_of_letter(cast, before) == drawn
    assert CONTACT.phone in paper_words(file_of_letter(cast, undrawn))
    assert facts(letter(stage.denied(cast)))["Phone"] == "1-800-555-0199"


def test_the_letter_of_an_upheld_appeal_says_how_the_insurer_is_reached(cast: Cast) -> None:
    reached(cast, CONTACT)

    appeal = upheld(cast, stage.denied(cast), by=stage.appeal_reviewer(cast))

    assert facts(paper_text(PaperKind.APPEAL_LETTER, appeal.public_id))["Phone"] == CONTACT.phone


def file_of_letter(cast: Cast, prior_auth: PriorAuth) -> bytes:
    determination = prior_auth.determinations.latest("pk").public_id
    key = stage.key_of(prior_auth)
    kept = papers.letter_file(prior_auth_id=key, determination_id=determination, by=cast.stella, now=NOW)
    return bytes(kept.file.content)


# -- of an appeal ------------------------------------------------------------------------------------------------------
def upheld(cast: Cast, prior_auth: PriorAuth, *, by: stage.Actor) -> Appeal:
    appeal = stage.appeal_in_review(cast, prior_auth, by=by, now=later(1))
    return appeal_decisions.uphold(appeal_id=AppealId(appeal.public_id), reason=REASON, by=by, now=later(30))


def test_an_upheld_appeal_has_a_letter_with_reason_criterion_decider_licence_and_the_way_on(cast: Cast) -> None:
    uma = stage.appeal_reviewer(cast)
    appeal = upheld(cast, denied_under(cast, "medicaid"), by=uma)

    paper = paper_text(PaperKind.APPEAL_LETTER, appeal.public_id)

    assert paper.title == f"Decision on the appeal on prior authorization request {appeal.prior_auth.number}"
    told = facts(paper)
    assert (told["Date"], told["Reason"], told["Criterion"], told["What would change it"]) == (
        "2025-03-04", REASON.text, REASON.criterion, REASON.would_change,
    )  # fmt: skip
    words = said(paper)
    for sentence in (
        "We have looked at this again on appeal. The decision of 2025-03-03 stands.",
        "Dr Uma, Pain medicine, licence NY MD-uma",
        "does not decide it again. After this, you may ask for a State fair hearing (42 CFR 438.408(f)).",
    ):
        assert sentence in words
    assert "to look at this again (an appeal)" not in words


def test_both_sides_get_the_letter_of_an_appeal_as_the_same_bytes_and_nobody_else_does(cast: Cast) -> None:
    key = AppealId(upheld(cast, stage.denied(cast), by=stage.appeal_reviewer(cast)).public_id)

    ours, theirs = (papers.appeal_letter_file(appeal_id=key, by=by, now=NOW) for by in (cast.stella, cast.rae))

    assert bytes(ours.file.content) == bytes(theirs.file.content)
    assert "The decision of 2025-03-03 stands." in paper_words(bytes(ours.file.content))
    for stranger in (cast.mallory, cast.oscar):
        with pytest.raises(NotFound):
            papers.appeal_letter_file(appeal_id=key, by=stranger, now=NOW)


def test_an_overturned_appeal_is_told_by_the_letter_of_its_determination_alone(cast: Cast) -> None:
    uma = stage.appeal_reviewer(cast)
    appeal = stage.appeal_in_review(cast, stage.denied(cast), by=uma, now=later(1))
    appeal_decisions.overturn(appeal_id=AppealId(appeal.public_id), reason="The report.", by=uma, now=later(2))

    with pytest.raises(NotFound):
        papers.appeal_letter_file(appeal_id=AppealId(appeal.public_id), by=cast.stella, now=NOW)

    assert "We have approved this request as it was asked." in said(letter(appeal.prior_auth))


def test_the_letter_of_an_appeal_can_be_read_before_it_is_upheld(cast: Cast) -> None:
    uma = stage.appeal_reviewer(cast)
    appeal = stage.appeal_in_review(cast, stage.denied(cast), by=uma, now=later(1))
    asked = {"appeal_id": AppealId(appeal.public_id), "reason": REASON, "by": uma, "now": later(2)}

    read = notice_of(appeal_decisions.uphold, **asked)

    appeal_decisions.uphold(**asked)
    assert read == paper_text(PaperKind.APPEAL_LETTER, appeal.public_id)
