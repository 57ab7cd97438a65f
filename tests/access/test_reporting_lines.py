"""Who is above whom in an organization: kept without circles, and in that organization alone."""

import pytest
from django.db import IntegrityError, transaction

from authz.access.models import ReportingLine
from authz.access.selectors import superiors_of
from authz.access.services import set_superior
from authz.errors import InvalidInput
from tests.cast import Cast


def test_everybody_above_a_person_is_a_superior(cast: Cast) -> None:
    rae, patel, nora = (cast.people[name] for name in ("rae", "patel", "nora"))
    set_superior(person=rae, organization=cast.evergreen, superior=patel)
    set_superior(person=patel, organization=cast.evergreen, superior=nora)

    assert superiors_of(rae.pk, organization_id=cast.evergreen.pk) == {patel.pk, nora.pk}
    assert superiors_of(nora.pk, organization_id=cast.evergreen.pk) == set()
    assert superiors_of(rae.pk, organization_id=cast.riverside.pk) == set()


def test_a_superior_is_replaced_and_ended(cast: Cast) -> None:
    rae, patel, nora = (cast.people[name] for name in ("rae", "patel", "nora"))
    for superior in (patel, nora):
        set_superior(person=rae, organization=cast.evergreen, superior=superior)

    assert superiors_of(rae.pk, organization_id=cast.evergreen.pk) == {nora.pk}
    set_superior(person=rae, organization=cast.evergreen, superior=None)
    assert not ReportingLine.objects.exists()


def test_nobody_is_above_themselves_nor_in_an_organization_of_others(cast: Cast) -> None:
    rae, patel, stella = (cast.people[name] for name in ("rae", "patel", "stella"))
    set_superior(person=rae, organization=cast.evergreen, superior=patel)

    for person, superior, why in (
        (patel, rae, "nobody can be above themselves"),
        (rae, rae, "nobody can be above themselves"),
        (rae, stella, "has no role in"),
        (stella, rae, "has no role in"),
    ):
        with pytest.raises(InvalidInput) as refusal:
            set_superior(person=person, organization=cast.evergreen, superior=superior)
        assert why in str(refusal.value.fields)
    with pytest.raises(IntegrityError, match="nobody_reports_to_themselves"), transaction.atomic():
        ReportingLine.objects.create(person=patel, organization=cast.evergreen, superior=patel)

    assert ReportingLine.objects.count() == 1
