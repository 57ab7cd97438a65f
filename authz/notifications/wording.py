"""PURE: what a notice says. One fixed sentence a topic; the only thing ever filled in is a request's own number."""

SENTENCES = {
    "prior-auth.opened": "Prior authorization request {number} was opened.",
    "prior-auth.renewal-opened": "An authorization ends soon; request {number} to go on was prepared.",
    "prior-auth.lapsed": "Prior authorization request {number} is no longer needed and was closed.",
    "prior-auth.need-in-doubt": "It is in doubt whether prior authorization request {number} is still needed.",
    "prior-auth.prescriber-asked": "Prior authorization request {number} has a question only you can answer.",
    "prior-auth.prescriber-answered": "The prescriber answered the question on prior authorization request {number}.",
    "prior-auth.submitted": "Prior authorization request {number} was submitted for review.",
    "prior-auth.information-requested": "The insurer asks for information on prior authorization request {number}.",
    "prior-auth.answered": "The clinic answered the questions on prior authorization request {number}.",
    "prior-auth.unanswered": "Questions on prior authorization request {number} were not answered in time.",
    "prior-auth.expedited": "Prior authorization request {number} is to be decided within the expedited time.",
    "prior-auth.expedited-refused": "The insurer decides prior authorization request {number} in the standard time.",
    "prior-auth.extended": "The insurer gave notice of more time for prior authorization request {number}.",
    "prior-auth.referred": "Prior authorization request {number} was referred to a physician.",
    "prior-auth.approved": "Prior authorization request {number} was approved.",
    "prior-auth.approved-in-part": "Prior authorization request {number} was approved in part.",
    "prior-auth.denied": "Prior authorization request {number} was denied.",
    "prior-auth.deemed-approved": "Prior authorization request {number} is approved by law, not decided in time.",
    "prior-auth.deemed-adverse": "Prior authorization request {number} is adverse by law, not decided in time.",
    "prior-auth.forwarded": "Prior authorization request {number} is with the independent reviewer.",
    "prior-auth.reassigned": "Prior authorization request {number} was handed to you.",
    "prior-auth.running-out": "Time runs out for prior authorization request {number}: please look at it now.",
    "prior-auth.overdue": "A legal time limit of prior authorization request {number} was missed.",
    "prior-auth.second-reading-disagreed": "A reviewer disagrees with the approval by rule of request {number}.",
    "prior-auth.withdrawn": "Prior authorization request {number} was withdrawn.",
    "pain-hint.found": "There is a pain hint on a patient for you to look at.",
    "emergency-access.opened": "The record of a patient you are concerned with was opened in an emergency: see why.",
    "prior-auth.returned": "The insurer returned prior authorization request {number} as incomplete.",
    "prior-auth.completed": "The clinic completed prior authorization request {number}.",
    "prior-auth.dismissed": "The insurer dismissed prior authorization request {number} without a decision.",
    "prior-auth.duplicate-suspected": "Prior authorization request {number} may ask for what another one asks for.",
    "prior-auth.linked-as-duplicate": "Prior authorization request {number} was closed in favor of another one.",
    "prior-auth.voided": "Prior authorization request {number} was created in error and is void.",
    "prior-auth.reopened": "The decision on prior authorization request {number} is being looked at again.",
    "appeal.filed": "The decision on prior authorization request {number} was appealed.",
    "appeal.received": "The insurer has the appeal of the decision on prior authorization request {number} in hand.",
    "appeal.upheld": "The decision on prior authorization request {number} was upheld; see who can be asked next.",
    "appeal.overturned": "The decision on prior authorization request {number} was overturned; it is approved.",
    "appeal.overturned-in-part": "The decision on prior authorization request {number} was overturned in part.",
    "appeal.dismissed": "The appeal of the decision on prior authorization request {number} was dismissed.",
    "appeal.withdrawn": "The appeal of the decision on prior authorization request {number} was withdrawn.",
    "appeal.forwarded": "The appeal on prior authorization request {number} is with the independent reviewer.",
    "notice.reminder": "Prior authorization request {number} still waits for you.",
    "notice.delegated": "Prior authorization request {number} waits for a colleague whose delegate you are.",
    "notice.to-team": "Prior authorization request {number} still waits for somebody of your team.",
    "notice.to-administrator": "Nobody has acted on prior authorization request {number}: please see that it is done.",
    "peer-to-peer.offered": "A peer-to-peer call is offered on prior authorization request {number}.",
    "peer-to-peer.times-offered": "The insurer offers times for a call on prior authorization request {number}.",
    "peer-to-peer.times-proposed": "The clinic proposes times for a call on prior authorization request {number}.",
    "peer-to-peer.agreed": "A time is agreed on for the call on prior authorization request {number}.",
    "peer-to-peer.declined": "The clinic does without a call on prior authorization request {number}.",
    "peer-to-peer.concluded": "What came of the call on prior authorization request {number} is recorded.",
}


def sentence(topic: str, *, number: str) -> str:
    """Return what happened, in one sentence without patient data.

    :raises KeyError: for a topic nobody is told about.
    """
    return SENTENCES[topic].format(number=number)
