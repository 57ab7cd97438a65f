"""The pain signal: for prescribers of a clinic that has it on, and for nobody else."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.fields import Word
from authz.api.views import Door
from authz.ids import PatientId
from authz.pain import selectors
from authz.pain.selectors import SeenSignal
from authz.rules.amounts import two_decimals
from authz.rules.pain_signal import Explanation, Instrument, NoPainSignal, NoSignal, PainSignal, Period, sentences
from authz.rules.policy import MmeTable


class PeriodOut(serializers.Serializer[Any]):
    """What was seen in one period; both days included, means with two decimals."""

    first = serializers.DateField()
    last = serializers.DateField()
    scored_days = serializers.IntegerField()
    pain = serializers.CharField()
    covered_days = serializers.IntegerField(help_text="Days with an opioid in hand.")
    mme = serializers.CharField(help_text="Morphine milligram equivalents a day.")


class SignalOut(serializers.Serializer[Any]):
    """Pain rose and the dose did not fall. `explanations` are possible ones, by the alphabet; none is ranked."""

    instrument = Word(Instrument)
    table = Word(MmeTable, help_text="Of MME factors.")
    earlier = PeriodOut()
    later = PeriodOut()
    explanations = serializers.ListField(child=Word(Explanation))


class PainSignalOut(serializers.Serializer[Any]):
    """Decision support, not a diagnosis. It gives no advice on doses and is never sent to an insurer."""

    patient = serializers.UUIDField()
    as_of = serializers.DateField(help_text="Today in your calendar.")
    is_on = serializers.BooleanField(help_text="Your clinic has the pain signal on.")
    signal = SignalOut(allow_null=True)
    reasons = serializers.ListField(child=Word(NoSignal), help_text="Why there is no signal.")
    sentences = serializers.ListField(child=serializers.CharField())


class PainSignalView(Door):
    @extend_schema(operation_id="read_pain_signal", tags=["pain"], responses=PainSignalOut)
    def get(self, request: Request, patient_id: PatientId) -> Response:
        """Tell a prescriber whether a patient's pain rose while the dose did not fall, or why that cannot be said."""
        return Response(PainSignalOut(_values(selectors.signal(self.actor, patient_id, now=self.now))).data)


def _values(seen: SeenSignal) -> dict[str, Any]:
    answer = seen.answer
    return {
        "patient": seen.patient.public_id,
        "as_of": seen.as_of,
        "is_on": answer is not None,
        "signal": _signal(answer) if isinstance(answer, PainSignal) else None,
        "reasons": answer.reasons if isinstance(answer, NoPainSignal) else [],
        "sentences": sentences(answer) if answer else ["The pain signal is off at your clinic."],
    }


def _signal(answer: PainSignal) -> dict[str, Any]:
    return {
        "instrument": answer.instrument,
        "table": answer.table,
        "earlier": _period(answer.earlier),
        "later": _period(answer.later),
        "explanations": answer.explanations,
    }


def _period(period: Period) -> dict[str, Any]:
    return {
        "first": period.first,
        "last": period.last,
        "scored_days": period.scored_days,
        "pain": two_decimals(period.pain),
        "covered_days": period.covered_days,
        "mme": two_decimals(period.mme),
    }
