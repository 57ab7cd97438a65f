"""Whether a request will pass, criterion by criterion, before it is submitted: by the same rules as afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from authz.access.tenancy import across_tenants
from authz.documentation import catalog
from authz.documentation.standing import Standing
from authz.policies.automation import Fact, Mark
from authz.policies.selectors import automation_of
from authz.prior_auths.answer_sheet import standing_of
from authz.prior_auths.answer_words import in_words
from authz.prior_auths.models import PriorAuth

_MOST_DAYS = "most_days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One thing that is looked for: what would meet it (empty for any answer that a person stands behind), what there
    is, both in words, and what is still to do."""

    asks: str
    wants: str
    found: str
    mark: Mark
    to_do: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What the payer needs to take the request, what lacks first, and what its policy approves by rule; empty where it
    never does.

    `source` says where it was read what the payer needs, empty where no list speaks of this questionnaire.
    """

    needed: Sequence[Criterion]
    by_rule: Sequence[Criterion]
    source: str
    is_confirmed: bool

    @property
    def is_ready(self) -> bool:
        """Whether everything that the payer needs is there."""
        return all(one.mark is Mark.MET for one in self.needed)

    @property
    def lacking(self) -> int:
        """How many of the things that the payer needs are not there."""
        return sum(one.mark is not Mark.MET for one in self.needed)

    @property
    def passes_by_rule(self) -> bool:
        """Whether the policy would approve it without a reviewer, as it stands now."""
        return self.is_ready and bool(self.by_rule) and all(one.mark is Mark.MET for one in self.by_rule)


def outlook(prior_auth: PriorAuth, *, on: date, now: datetime) -> Outlook | None:
    """Return how a request stands on a day of its clinic's calendar; None before it is taken up.

    What a reviewer will think of the answers is nobody's to tell beforehand: only what is checked by rule is here.
    """
    if prior_auth.answers is None:
        return None
    asked = standing_of(prior_auth, on=on)
    needs = catalog.requirements(prior_auth.policy, questionnaire=prior_auth.answers.questionnaire)
    needed = [_needed(one) for one in asked if one.is_required]
    return Outlook(
        needed=sorted(needed, key=lambda one: one.mark is Mark.MET),
        by_rule=list(_by_rule(prior_auth, asked, now)),
        source=needs.source if needs else "",
        is_confirmed=needs.confirmed if needs else False,
    )


def _needed(one: Standing) -> Criterion:
    is_silent = one.value is None or not one.counts
    mark = Mark.NOT_DOCUMENTED if is_silent else Mark.NOT_MET
    return Criterion(
        asks=one.question.text,
        wants="",
        found=in_words(one.value, one.question),
        mark=mark if one.to_do else Mark.MET,
        to_do=one.to_do,
    )


def _by_rule(prior_auth: PriorAuth, asked: Sequence[Standing], now: datetime) -> Iterator[Criterion]:
    with across_tenants("the clinic is told by which criteria the payer of its request approves"):
        automation = automation_of(prior_auth.insurer_id, prior_auth.policy, prior_auth.policy_version)
    if automation is None or prior_auth.answers is None:
        return
    rows = prior_auth.answers.answers.all()
    facts = {row.question: Fact(row.value, row.source, row.confirmed_at) for row in rows}
    days = max((line.days_with_refills for line in prior_auth.lines.all()), default=0)
    texts = {one.question.link_id: one.question.text for one in asked}
    for looked in automation.trace(facts, days=days, now=now):
        yield looked_at(looked, texts)


def looked_at(looked: Mapping[str, Any], texts: Mapping[str, str]) -> Criterion:
    """Return one line of a policy's trace in words; `texts` are the questions, by id."""
    if looked["criterion"] == _MOST_DAYS:
        return Criterion(
            asks="The most days that a line asks for",
            wants=f"At most {looked['expected']}",
            found=str(looked["found"]),
            mark=Mark.MET if looked["is_met"] else Mark.NOT_MET,
        )
    is_silent = looked["found"] is None or looked["confirmed_at"] is None
    mark = Mark.NOT_DOCUMENTED if is_silent else Mark.NOT_MET
    return Criterion(
        asks=texts.get(looked["criterion"], looked["criterion"]),
        wants=in_words(looked["expected"]),
        found=in_words(looked["found"]),
        mark=Mark.MET if looked["is_met"] else mark,
    )
