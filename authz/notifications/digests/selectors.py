"""What is still to be counted in a digest."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from authz.notifications.digests.models import Digest
from authz.notifications.matters.standing import standing
from authz.notifications.models import Delivery
from authz.notifications.subjects import sayable


@dataclass(frozen=True, slots=True)
class Counted:
    """How many notices wait for the person, how many are merely unread, and the paths of what they are about."""

    waiting: int
    unread: int
    paths: tuple[str, ...]

    @property
    def is_something(self) -> bool:
        return bool(self.waiting or self.unread)


def unsent() -> QuerySet[Digest]:
    """Return the digests that have not been made, dead ones left out."""
    return Digest.objects.select_related("person").filter(sent_at=None, dead_at=None)


def counted(digest: Digest) -> Counted:
    """Return what of a digest's notices is neither read nor done by now."""
    joined = Delivery.objects.filter(Q(matter=None) | Q(matter__in=standing()), digest=digest)
    fresh = list(joined.filter(inbox_entry__read_at=None).select_related("message").order_by("pk"))
    waiting = sum(delivery.needs_act for delivery in fresh)
    paths = dict.fromkeys(sayable(delivery).path for delivery in fresh)
    return Counted(waiting=waiting, unread=len(fresh) - waiting, paths=tuple(paths))
