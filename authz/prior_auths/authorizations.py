"""Authorizations as they are read: what fills have drawn on one, and how it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from authz.prior_auths import needs
from authz.prior_auths.authorization import Granted, Standing, Used, standing, used
from authz.prior_auths.models import Authorization, Determination
from authz.prior_auths.needs import PatientCase
from authz.rules.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An authorization on a day."""

    authorization: Authorization
    granted: Granted
    used: Used
    standing: Standing


def granted_of(authorization: Authorization) -> Granted:
    """Return the right that an authorization gives."""
    later = Determination.objects.filter(supersedes=authorization.determination_id)
    return Granted(
        rxcui=authorization.rxcui,
        starts_on=authorization.starts_on,
        ends_on=authorization.ends_on,
        days=authorization.days_granted,
        quantity=authorization.quantity_granted,
        is_revoked=authorization.revoked_at is not None,
        is_superseded=later.exists(),
    )


def seen(authorization: Authorization, *, on: date, known: PatientCase | None = None) -> Seen:
    """Return how an authorization stands on a day, by the fills that are known, or by those in `known`."""
    known = known or needs.case_of(authorization.prior_auth.patient)
    newest: Sequence[Record] = list(known.newest.values())
    granted = granted_of(authorization)
    drawn = used(granted, newest)
    return Seen(authorization=authorization, granted=granted, used=drawn, standing=standing(granted, drawn, on=on))
