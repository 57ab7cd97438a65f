"""For whom somebody is logged in: the person of the session, and the organization they chose at log-in."""

from uuid import UUID

from django.http import HttpRequest

from authz.access.models import Organization, Person
from authz.access.roles import Actor
from authz.access.selectors import organizations_of, seat

_KEY = "organization"


def take_seat(request: HttpRequest, organization: Organization) -> None:
    """Keep the organization in the session. Whether the person has a role there is asked anew at every request."""
    request.session[_KEY] = str(organization.public_id)


def seat_of(request: HttpRequest, person: Person) -> tuple[Organization, Actor] | None:
    """Return for whom the person acts, and in which roles: the only organization they have, or the one they chose.

    None when it is still to be chosen, or they left it meanwhile.
    """
    chosen = request.session.get(_KEY)
    if chosen is not None:
        return seat(person, UUID(chosen))
    places = organizations_of(person)
    return seat(person, places[0].public_id) if len(places) == 1 else None
