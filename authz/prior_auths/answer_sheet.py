"""Where the answers of a request stand: what applies, what its payer needs, what is still to do."""

from datetime import date

from django.conf import settings

from authz.documentation import catalog
from authz.documentation import selectors as documentation
from authz.documentation.models import AnswerSheet
from authz.documentation.questionnaire import Kind, Questionnaire
from authz.documentation.standing import Sheet, Standing, standing
from authz.formulary import selectors as formularies
from authz.prior_auths.known_facts import facts_of
from authz.prior_auths.models import PriorAuth
from authz.rules.formulary import Formulary


def sheet_of(prior_auth: PriorAuth, rows: AnswerSheet, *, on: date, formulary: Formulary | None = None) -> Sheet:
    """Return all that the standing of a request's answers depends on, on a day of the clinic's calendar.

    `formulary` is the one that the request was evaluated by, where it is at hand.
    """
    asked = catalog.questionnaire(rows.questionnaire)
    given = documentation.given(rows, time_zone=prior_auth.clinic.time_zone)
    return Sheet(
        questionnaire=asked,
        requirements=catalog.requirements(prior_auth.policy, questionnaire=asked.name),
        given=given,
        attached=_attached(rows, asked),
        settings={"ort-oud"} if settings.ORT_OUD else frozenset(),
        facts=facts_of(
            prior_auth, given, formulary or formularies.that_answered(prior_auth.evaluation.formulary_version)
        ),
        on=on,
    )


def standing_of(prior_auth: PriorAuth, *, on: date, formulary: Formulary | None = None) -> list[Standing]:
    """Return every question that applies to a request now; none before it is taken up.

    `formulary` is the one that the request was evaluated by, where it is at hand.
    """
    if prior_auth.answers is None:
        return []
    return standing(sheet_of(prior_auth, prior_auth.answers, on=on, formulary=formulary))


def _attached(rows: AnswerSheet, asked: Questionnaire) -> set[str]:
    """Return the questions that documents were attached for. Any document answers the one that asks for documents."""
    there = [row for row in rows.attachments.all() if row.removed_at is None]
    for_any = {question.link_id for question in asked.questions if question.type is Kind.ATTACHMENT}
    return {name for row in there for name in row.shows} | (for_any if there else set())
