"""PURE: the matrix as a person reads it: the tables in docs/notifications.md."""

from collections.abc import Iterator
from datetime import timedelta

from authz.notifications.matrix import MATRIX, SILENT, Audience, Notice, Pace
from authz.notifications.matters.ladder import LADDER
from authz.prior_auths.lifecycle_drawing import between_marks

MARK = "<!-- drawn by: manage.py notifications_doc -->"


def redrawn(page: str) -> str:
    """Return the page with the tables drawn anew.

    :raises NoPlaceForDrawing: when it lacks the marks.
    """
    return between_marks(page, MARK, "\n".join([*_told(), "", *_silent(), "", *_ladder(), ""]))


def _told() -> Iterator[str]:
    yield from ("| Topic | Who hears | How |", "|---|---|---|")
    for topic, told in MATRIX.items():
        for audience in Audience:
            if audience in told:
                yield f"| `{topic}` | {audience.value} | {_how(told[audience])} |"


def _silent() -> Iterator[str]:
    yield from ("| Silent topic | Why nobody is told |", "|---|---|")
    yield from (f"| `{topic}` | {why} |" for topic, why in SILENT.items())


def _ladder() -> Iterator[str]:
    yield from ("| Rung | Who is told | After at most |", "|---|---|---|")
    yield from (f"| {rung.value} | {row.whom} | {_days(row.at_most)} |" for rung, row in LADDER.items())


def _days(wait: timedelta) -> str:
    return f"{wait.days} day" if wait.days == 1 else f"{wait.days} days"


def _how(notice: Notice) -> str:
    reach = "inbox"
    if notice.goes_out:
        reach = "sent at once" if notice.pace is Pace.PRESSING else "sent"
    return f"{reach}, to act on" if notice.needs_act else reach
