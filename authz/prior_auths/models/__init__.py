"""The room's models: `requests` and what belongs to one, `decisions` and what follows from one."""

from authz.prior_auths.models.decisions import Authorization, Determination, DeterminationLine
from authz.prior_auths.models.requests import Evaluation, Event, InformationRequest, PriorAuth, RequestedLine

__all__ = [
    "Authorization",
    "Determination",
    "DeterminationLine",
    "Evaluation",
    "Event",
    "InformationRequest",
    "PriorAuth",
    "RequestedLine",
]
