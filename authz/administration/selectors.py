"""The machines of an organization."""

from django.db.models import QuerySet

from authz.access.models import ApiClient
from authz.access.roles import Action, Actor, must_be_allowed
from authz.errors import NotFound
from authz.ids import ApiClientId


def clients(by: Actor) -> QuerySet[ApiClient]:
    """Return the machines of the actor's organization, deactivated ones too.

    :raises Forbidden: when the actor does not administer it.
    """
    must_be_allowed(by, Action.MANAGE_CLIENTS)
    return ApiClient.objects.filter(organization=by.organization)


def client(by: Actor, client_id: ApiClientId) -> ApiClient:
    """Return one of them.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when it is not theirs.
    """
    found = clients(by).filter(public_id=client_id).first()
    if found is None:
        raise NotFound("There is no such API client.")
    return found
