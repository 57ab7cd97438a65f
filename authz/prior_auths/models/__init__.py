"""The room's models: `requests` and what belongs to one, `decisions` and what follows from one,
`appeals` and peer-to-peer `calls`."""

from authz.prior_auths.models.appeals import Appeal, AppealDecision, AppealEvent, IndependentReview
from authz.prior_auths.models.calls import Call, CallEvent, CallTime
from authz.prior_auths.models.decisions import Authorization, Determination, DeterminationLine, SecondReading
from authz.prior_auths.models.queue import Absence, Skip
from authz.prior_auths.models.requests import (
    ANSWERING,
    Breach,
    Evaluation,
    Event,
    InformationRequest,
    PriorAuth,
    Recheck,
    RequestedLine,
)

__all__ = [
    "ANSWERING",
    "Absence",
    "Appeal",
    "AppealDecision",
    "AppealEvent",
    "Authorization",
    "Breach",
    "Call",
    "CallEvent",
    "CallTime",
    "Determination",
    "DeterminationLine",
    "Evaluation",
    "Event",
    "IndependentReview",
    "InformationRequest",
    "PriorAuth",
    "Recheck",
    "RequestedLine",
    "SecondReading",
    "Skip",
]
