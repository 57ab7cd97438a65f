"""Which log-in is a prescriber's own decides who is told."""

import pytest

from authz.audit.models import AuditEntry
from authz.errors import Forbidden, NotFound
from authz.prescriptions.services import link_log_in
from tests.cast import JONES_NPI, NOW, Cast


def test_a_prescriber_gets_a_log_in_and_the_trail_says_so_once(cast: Cast) -> None:
    cast.prescriber.person = None
    cast.prescriber.save()

    for _ in range(2):
        linked = link_log_in(npi=JONES_NPI, person=cast.people["jones"], by=cast.stella, now=NOW)

    assert linked == cast.prescriber
    assert linked.person == cast.people["jones"]
    assert AuditEntry.objects.filter(action="link").count() == 1


def test_neither_a_stranger_nor_an_unknown_number_is_linked(cast: Cast) -> None:
    with pytest.raises(NotFound):
        link_log_in(npi=JONES_NPI, person=cast.people["mallory"], by=cast.stella, now=NOW)
    with pytest.raises(NotFound):
        link_log_in(npi=JONES_NPI, person=cast.people["mallory"], by=cast.mallory, now=NOW)
    with pytest.raises(NotFound):
        link_log_in(npi="1992837462", person=cast.people["jones"], by=cast.stella, now=NOW)

    cast.prescriber.refresh_from_db()
    assert cast.prescriber.person == cast.people["jones"]


def test_an_insurer_links_nobody(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        link_log_in(npi=JONES_NPI, person=cast.people["jones"], by=cast.rae, now=NOW)
