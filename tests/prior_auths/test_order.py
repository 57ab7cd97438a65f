"""Repeated and overtaken submissions come to the same end."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from authz.ids import PatientId
from authz.outbox.models import OutboxMessage
from authz.prescriptions.facts import FillFacts
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import intake
from tests import cast as stage
from tests.cast import NOW, TODAY

pytestmark = pytest.mark.thorough

starts = st.integers(min_value=-20, max_value=0).map(lambda days: TODAY + timedelta(days=days))


@st.composite
def told(draw: st.DrawFn) -> tuple[list[FillFacts], list[FillFacts]]:
    """Return some fills, and the same fills in another order with some of them told twice."""
    days = draw(st.lists(st.tuples(starts, st.integers(min_value=1, max_value=9)), min_size=1, max_size=4))
    fills = [stage.fill_facts(supply, on=start, identifier=f"F-{n}") for n, (start, supply) in enumerate(days)]
    again = draw(st.permutations(fills + draw(st.lists(st.sampled_from(fills), max_size=3))))
    return fills, list(again)


class AnyOrder(TestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(told())
    def test_any_order_and_any_repetition_end_in_the_same_request(
        self, both: tuple[list[FillFacts], list[FillFacts]]
    ) -> None:
        cast = stage.assemble()
        ends = [self._end_of(cast, facts) for facts in both]

        assert ends[0] == ends[1]
        assert ends[0]["requests"] <= 1

    def _end_of(self, cast: stage.Cast, facts: list[FillFacts]) -> dict[str, Any]:
        patient = stage.register(cast)
        prefix = str(patient.pk)
        for fact in facts:
            own = stage.fill_facts(fact.days_supply, on=fact.starts_on, identifier=f"{prefix}-{fact.identifier}")
            intake.record_fill(patient_id=PatientId(patient.public_id), facts=own, by=cast.stella, now=NOW)
        requests = PriorAuth.objects.filter(patient=patient)
        opened = requests.first()
        return {
            "requests": requests.count(),
            "required_from": _day(opened.pa_required_from if opened else None),
            "runs_out_on": _day(opened.runs_out_on if opened else None),
            "records": len(opened.record_ids) if opened else 0,
            "asked": [(line.days_supply, line.starts_on) for line in opened.lines.all()] if opened else [],
            "announced": OutboxMessage.objects.filter(subject_id__in=requests.values("public_id")).count(),
        }


def _day(day: date | None) -> str:
    return day.isoformat() if day else "never"
