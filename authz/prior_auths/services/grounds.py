"""What stands behind a decision against what was asked: its reason, a licence, and the part that is granted."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from authz import clock
from authz.access.models import Licence
from authz.access.roles import Actor, Profession
from authz.access.selectors import licence_on
from authz.errors import AuthzError, InvalidInput
from authz.formulary import selectors as formularies
from authz.policies.selectors import reasons_of
from authz.prior_auths.determination import Grant, Reason, is_no_more
from authz.prior_auths.models import Determination, PriorAuth, RequestedLine
from authz.prior_auths.named_specialties import who_decides_against
from authz.prior_auths.services.deciding import as_asked, as_granted, in_full
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
    asked = {line.line: line for line in than.prior_auth.lines.all()}
    after = {number: in_full(grant, line=asked[number]) for number, grant in grants.items()}
    before = {line.line: granted for line in than.lines.all() if (granted := as_granted(line))}
    faults = {
        f"grants.{number}": ["Less would be granted than before."]
        for number, granted in before.items()
        if number not in after or _holds_more(granted, after[number])
    }
    added = [number for number, one in after.items() if number not in before or _holds_more(one, before[number])]
    if not faults and not added:
        faults = {"grants": ["No more would be granted than before: then the decision is upheld."]}
    if faults:
        raise InvalidInput(faults)


def _holds_more(grant: Grant, than: Grant) -> bool:
    """Say whether a grant holds anything that another does not: of an amount, a day, or by a stronger product."""
    return _is_beyond(grant, than) or not _is_no_stronger(grant.rxcui, than.rxcui, formularies.current())


def _is_all(grant: Grant | None, line: RequestedLine) -> bool:
    return grant is not None and in_full(grant, line=line) == as_asked(line)


def _fault(grant: Grant, line: RequestedLine, formulary: Formulary) -> str:
    """Return what is wrong with a grant of a line, in one sentence; empty when nothing is."""
    if line.quantity is not None and grant.quantity is None:
        return "Say how many units are granted."
    asked = as_asked(line)
    if _is_beyond(grant, asked):
        return "More is granted than was asked for."
    if _is_longer_than_its_window(grant, line):
        return "More days are granted than there are from the first day to the last."
    if _is_no_stronger(grant.rxcui, asked.rxcui, formulary):
        return ""
    return "Another product must be of the same ingredient, and no stronger."


def _is_beyond(grant: Grant, limit: Grant) -> bool:
    amounts = [
        (grant.days, limit.days),
        (grant.quantity, limit.quantity),
        (grant.daily_units, limit.daily_units),
        (grant.refills, limit.refills or 0),
    ]
    is_outside = grant.starts_on < limit.starts_on or grant.ends_on > limit.ends_on
    return is_outside or any(one is not None and most is not None and one > most for one, most in amounts)


def _is_longer_than_its_window(grant: Grant, line: RequestedLine) -> bool:
    """Say whether more days are granted than the dates hold; what was asked so, for supplies that overlap, may be."""
    is_as_asked = (grant.days, grant.starts_on, grant.ends_on) == (line.days_supply, line.starts_on, line.ends_on)
    return not is_as_asked and grant.days > (grant.ends_on - grant.starts_on).days + 1


def _is_no_stronger(granted: str | None, asked: str | None, formulary: Formulary) -> bool:
    if not granted or not asked or granted == asked:
        return True
    one, other = formulary.product(granted), formulary.product(asked)
    return one is not None and other is not None and is_no_more(one, than=other)
