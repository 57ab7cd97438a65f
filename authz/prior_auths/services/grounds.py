"""What stands behind a decision against what was asked: its reason, a licence, and the part that is granted."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from authz import clock
from authz.access.models import Licence
from authz.access.roles import Actor, Profession
from authz.access.selectors import licence_on
from authz.errors import AuthzError, InvalidInput
from authz.formulary import selectors as formularies
from authz.policies.selectors import reasons_of
from authz.prior_auths.determination import Grant, Reason, is_no_more
from authz.prior_auths.models import Determination, DeterminationLine, PriorAuth, RequestedLine
from authz.prior_auths.named_specialties import who_decides_against
from authz.prior_auths.services.deciding import as_asked, in_full
from authz.prior_auths.services.queue import person_of
from authz.rules.formulary import Formulary


class LicenceNeeded(AuthzError):
    """Only a human with a licence that is valid at this instant may decide against what was asked."""

    code = "licence-needed"


class SpecialtyNeeded(AuthzError):
    """The policy names the specialties that decide against it. `context["specialties"]` has them, as policies do."""

    code = "specialty-needed"


def from_library(reason: Reason, *, insurer_id: int | None, place: str = "reason") -> Reason:
    """Return the reason with what would change it: said in the decider's words, by a code that the insurer knows.

    :raises InvalidInput: when the insurer's library has no such code, at the `place` where it was said.
    """
    library = reasons_of(insurer_id) if insurer_id else {}
    known = library.get(reason.code)
    if known is None:
        raise InvalidInput({f"{place}.code": [f"Use one of: {', '.join(sorted(library))}."]})
    return replace(reason, would_change=reason.would_change or known.would_change)


def reasons_by_line(
    reasons: Mapping[int, Reason], *, grants: Mapping[int, Grant], prior_auth: PriorAuth
) -> dict[int, Reason]:
    """Return the reasons that lines have of their own, by line number, each as `from_library` returns it.

    :raises InvalidInput: for a line that was not asked for or is granted as asked, or when no library has the reason.
    """
    refused = {line.line for line in prior_auth.lines.all() if not _is_all(grants.get(line.line), line)}
    if needless := reasons.keys() - refused:
        raise InvalidInput(
            {f"reasons.{line}": ["Only a line of which less is granted has a reason."] for line in needless}
        )
    return {
        line: from_library(reason, insurer_id=prior_auth.insurer_id, place=f"reasons.{line}")
        for line, reason in reasons.items()
    }


def licence_of(by: Actor, *, professions: Collection[Profession], prior_auth: PriorAuth, now: datetime) -> Licence:
    """Return a licence of the actor's, of one of the professions, that is valid today in the request's calendar.

    :raises LicenceNeeded: when they have none.
    :raises SpecialtyNeeded: when they have none of a specialty that the request's policy names.
    """
    on, named = clock.day_in(prior_auth.time_zone, at=now), prior_auth.decider_specialties
    licence = licence_on(person_of(by), professions=professions, on=on, specialties=named)
    if licence is None and named and licence_on(person_of(by), professions=professions, on=on):
        raise SpecialtyNeeded(f"{who_decides_against(prior_auth)} No valid licence of yours is.", specialties=[*named])
    if licence is None:
        raise LicenceNeeded(
            "You have no licence that is valid today; only a licensed human may deny, wholly or in part."
        )
    return licence


def must_be_a_part(grants: Mapping[int, Grant], *, lines: Iterable[RequestedLine]) -> None:
    """Refuse what is no part of what was asked.

    :raises InvalidInput: when more is granted than asked, nothing is, or everything is.
    """
    asked, formulary = {line.line: line for line in lines}, formularies.current()
    faults: dict[str, list[str]] = {}
    for number, grant in grants.items():
        if number not in asked:
            faults[f"grants.{number}"] = ["No such line was asked for."]
        elif fault := _fault(grant, asked[number], formulary):
            faults[f"grants.{number}"] = [fault]
    if not grants:
        faults["grants"] = ["Nothing is granted: that is a denial."]
    elif not faults and all(_is_all(grants.get(number), line) for number, line in asked.items()):
        faults["grants"] = ["Everything is granted: approve the request instead."]
    if faults:
        raise InvalidInput(faults)


def must_be_more(grants: Mapping[int, Grant], *, than: Determination) -> None:
    """Refuse what takes anything away that was granted before, or adds nothing.

    :raises InvalidInput: naming the line, or all of the grants.
    """
    lines = list(than.lines.all())
    faults = {
        f"grants.{line.line}": ["Less would be granted than before."]
        for line in lines
        if line.granted_days and _takes_away(grants.get(line.line), line)
    }
    if not faults and not any(_adds(grants.get(line.line), line) for line in lines):
        faults = {"grants": ["No more would be granted than before: then the decision is upheld."]}
    if faults:
        raise InvalidInput(faults)


def _takes_away(grant: Grant | None, line: DeterminationLine) -> bool:
    if grant is None or grant.days < line.granted_days:
        return True
    return grant.quantity is not None and line.granted_quantity is not None and grant.quantity < line.granted_quantity


def _adds(grant: Grant | None, line: DeterminationLine) -> bool:
    if grant is None:
        return False
    return grant.days > line.granted_days or (grant.quantity or 0) > (line.granted_quantity or 0)


def _is_all(grant: Grant | None, line: RequestedLine) -> bool:
    return grant is not None and in_full(grant, line=line) == as_asked(line)


def _fault(grant: Grant, line: RequestedLine, formulary: Formulary) -> str:
    """Return what is wrong with a grant of a line, in one sentence; empty when nothing is."""
    if line.quantity is not None and grant.quantity is None:
        return "Say how many units are granted."
    beyond = grant.starts_on < line.starts_on or grant.ends_on > line.ends_on
    amounts = [
        (grant.days, line.days_supply),
        (grant.quantity, line.quantity),
        (grant.daily_units, line.daily_units),
        (grant.refills, line.refills or 0),
    ]
    if beyond or any(_is_more(granted, asked) for granted, asked in amounts):
        return "More is granted than was asked for."
    if _is_longer_than_its_window(grant, line):
        return "More days are granted than there are from the first day to the last."
    if _is_same_drug(grant, line, formulary):
        return ""
    return "Another product must be of the same ingredient, and no stronger."


def _is_longer_than_its_window(grant: Grant, line: RequestedLine) -> bool:
    """Say whether more days are granted than the dates hold; what was asked so, for supplies that overlap, may be."""
    is_as_asked = (grant.days, grant.starts_on, grant.ends_on) == (line.days_supply, line.starts_on, line.ends_on)
    return not is_as_asked and grant.days > (grant.ends_on - grant.starts_on).days + 1


def _is_more(granted: Decimal | int | None, asked: Decimal | int | None) -> bool:
    return granted is not None and asked is not None and granted > asked


def _is_same_drug(grant: Grant, line: RequestedLine, formulary: Formulary) -> bool:
    if grant.rxcui is None or grant.rxcui == line.rxcui:
        return True
    asked, granted = formulary.product(line.rxcui), formulary.product(grant.rxcui)
    return asked is not None and granted is not None and is_no_more(granted, than=asked)
