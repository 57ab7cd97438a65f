"""What templates can say: days and instants as `<time>`, and the product's words. Built into every template."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from authz.access.roles import Role
from authz.audit.circumstances import present
from authz.documentation import file_kinds
from authz.documentation.file_kinds import MediaType
from authz.policies.automation import Mark
from authz.prescriptions.part2 import notice
from authz.prior_auths.appeal_lifecycle import AppealOutcome, AppealStep
from authz.prior_auths.authorization import Standing as RightStanding
from authz.prior_auths.determination import Outcome
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import Determination
from authz.prior_auths.moments import Happening
from authz.prior_auths.product_names import product_name
from authz.rules import amounts
from authz.web import formats, words

register = template.Library()


class InForce(Protocol):
    """A version of a policy, or of a regime's clocks."""

    in_force_from: date
    in_force_until: date | None


@register.simple_tag
def redisclosure_notice() -> str:
    """Return the notice of 42 CFR Part 2 where what the page has loaded so far needs it, or nothing."""
    return notice(is_part2=present().is_part2)


@register.filter
def moment(at: datetime) -> SafeString:
    """Show an instant in the reader's time zone."""
    return format_html(
        '<time datetime="{}">{}</time>', at.isoformat(timespec="seconds"), formats.moment(timezone.localtime(at))
    )


@register.filter
def drawn(svg: str) -> SafeString:
    """Show a drawing of ours, without what only stands before one in a file of its own."""
    return mark_safe(svg[svg.index("<svg") :])  # noqa: S308 - allauth draws it, of a secret in letters and digits


@register.filter
def day(on: date) -> SafeString:
    """Show a day."""
    return format_html('<time datetime="{}">{}</time>', on.isoformat(), formats.day(on))


@register.filter
def in_force(version: InForce) -> SafeString:
    """Show on which days a version is in force: "from Jan 1, 2020"."""
    first, last = version.in_force_from, version.in_force_until
    if last is not None:
        return format_html("{} to {}", day(first), day(last))
    return SafeString("always") if first == date.min else format_html("from {}", day(first))


@register.filter
def near_moment(at: datetime, today: date) -> SafeString:
    """Show an instant in the reader's time zone, in a list of what is near."""
    said = formats.near_moment(timezone.localtime(at), today=today)
    return format_html('<time datetime="{}">{}</time>', at.isoformat(timespec="seconds"), said)


@register.filter
def near_day(on: date, today: date) -> SafeString:
    """Show a day in a list of what is near."""
    return format_html('<time datetime="{}">{}</time>', on.isoformat(), formats.near_day(on, today=today))


@register.filter
def time_left(at: datetime, now: datetime) -> str:
    """Show how far off a deadline is, or by how much it has passed."""
    return formats.time_left(at, now=now)


@register.filter
def length_left(at: datetime, now: datetime) -> str:
    """Show how long it is until an instant: "24 minutes"."""
    return formats.distance(at, now=now).removeprefix("in ")


@register.filter
def clock_time(at: datetime, now: datetime) -> SafeString:
    """Show an instant by its time of day in the reader's time zone, and by its day where that is another one."""
    said = formats.clock_time(timezone.localtime(at), today=timezone.localtime(now).date())
    return format_html('<time datetime="{}">{}</time>', at.isoformat(timespec="seconds"), said)


@register.filter
def from_today(on: date, today: date) -> str:
    """Show how far off a day is."""
    return formats.days_off(on, today=today)


@register.filter
def supply(last_covered_on: date, today: date) -> str:
    """Show that the supply ends, or ended, on a day."""
    return "Supply ended" if last_covered_on < today else "Supply ends"


@register.filter
def amount(quantity: Decimal | None) -> str:
    """Show an exact amount, or that it is not known."""
    return "not known" if quantity is None else amounts.plain(quantity)


@register.filter
def trimmed(amount: str) -> str:
    """Show an amount of two decimals without needless ones."""
    return formats.trimmed(amount)


@register.filter
def two_decimals(number: Fraction) -> str:
    """Show a figure to two decimals."""
    return amounts.two_decimals(number)


@register.filter
def labelled(row: Sequence[str], head: Sequence[str]) -> list[tuple[str, str]]:
    """Return each cell of a paper's table with the name of its column."""
    return list(zip(head, row, strict=True))


@register.filter
def counted(number: int, noun: str) -> str:
    """Show a number with its noun."""
    return formats.counted(number, noun)


@register.filter
def file_kind(media_type: str) -> str:
    """Show what kind of file it is."""
    return file_kinds.IN_WORDS[MediaType(media_type)]


@register.filter
def appeal_done(step: str) -> str:
    """Show a step of an appeal that was taken."""
    return words.APPEAL_DONE[AppealStep(step)]


@register.filter
def appeal_outcome(name: str) -> str:
    """Show what was decided on an appeal, or by the independent reviewer."""
    return words.APPEAL_OUTCOME[AppealOutcome(name)].words


@register.filter
def role(name: str) -> str:
    """Show a role in words."""
    return words.ROLE[Role(name)]


@register.filter
def done(step: str) -> str:
    """Show a step that was taken."""
    return words.DONE[Step(step)]


@register.filter
def happened(kind: str) -> str:
    """Show what kind of thing happened."""
    return words.HAPPENED[Happening(kind)]


@register.filter
def mark(name: str) -> words.Status:
    """Return how a criterion stands, in words."""
    return words.MARK[Mark(name)]


@register.filter
def right(standing: RightStanding) -> words.Status:
    """Return how an authorization stands, in words."""
    return words.RIGHT[standing]


@register.filter
def product(rxcui: str, determination: Determination) -> str:
    """Show which product of a decision it is."""
    return product_name(determination, rxcui)


@register.filter
def outcome(name: str) -> str:
    """Show what was decided."""
    return words.OUTCOME[Outcome(name)].words
