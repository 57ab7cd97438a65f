"""PURE: an answer as a reader sees it: where it stands now, or as it was submitted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from authz.documentation import catalog
from authz.documentation.conditions import JsonValue
from authz.documentation.questionnaire import Kind, Source
from authz.documentation.standing import Standing
from authz.prior_auths.answer_words import in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSeen:
    """One question and its answer; `source` is None while there is none.

    `is_stale`: it was confirmed, or is dated, longer ago than the payer's list allows.
    """

    question: str
    text: str
    kind: Kind
    options: tuple[str, ...]
    is_for_prescriber: bool
    is_required: bool
    value: JsonValue
    in_words: str
    source: Source | None
    answered_on: date | None
    confirmed_on: date | None
    fresh_until: date | None
    is_stale: bool


def answer_seen(one: Standing) -> AnswerSeen:
    """Return an answer where it stands now."""
    given = one.given
    derived_from = Source.COMPUTED if one.value is not None else None
    return AnswerSeen(
        question=one.question.link_id,
        text=one.question.text,
        kind=one.question.type,
        options=one.question.options,
        is_for_prescriber=one.question.only_prescriber,
        is_required=one.is_required,
        value=one.value,
        in_words=in_words(one.value, one.question),
        source=given.source if given else derived_from,
        answered_on=given.answered_on if given else None,
        confirmed_on=given.confirmed_on if given else None,
        fresh_until=one.fresh_until,
        is_stale=one.is_stale,
    )


def submitted_answers(packet: Mapping[str, Any]) -> list[AnswerSeen]:
    """Return the answers of a frozen packet, whichever questionnaire they answer."""
    return [_submitted(row, packet["questionnaire"]) for row in packet["answers"]]


def _submitted(row: Mapping[str, Any], name: str) -> AnswerSeen:
    question = catalog.questionnaire(name).question(row["question"])
    return AnswerSeen(
        question=row["question"],
        text=row.get("text") or (question.text if question else row["question"]),
        kind=question.type if question else Kind.TEXT,
        options=question.options if question else (),
        is_for_prescriber=question is not None and question.only_prescriber,
        is_required=False,
        value=row["value"],
        in_words=in_words(row["value"], question),
        source=Source(row["source"]),
        answered_on=_day(row.get("answered_on")),
        confirmed_on=_day(row.get("confirmed_on")),
        fresh_until=None,
        is_stale=row.get("is_stale", False),  # packets of before there was a mark have none
    )


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written) if written else None
