"""Who may see what of a patient's use and of a request."""

from datetime import timedelta

import pytest

from authz.errors import Forbidden, NotFound
from authz.ids import PatientId
from authz.prior_auths import selectors
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, fill, register


def test_a_clinic_sees_use_elsewhere_but_not_whose(cast: Cast) -> None:
    patient = register(cast, insured=False)
    stage.insure(cast, patient, member_id="M-1")
    fill(cast, patient, 5, on=TODAY - timedelta(days=5))
    register(cast, by=cast.mallory, insured=False, member_id="M-1")

    use = selectors.opioid_use(cast.mallory, PatientId(patient.public_id), now=NOW)

    (seen,) = use.records
    assert (seen.days_supply, seen.is_own) == (5, False)
    assert "Riverside" not in str(use.records) + " ".join(use.sentences)


def test_an_insurer_sees_a_members_use_only_once_a_request_was_submitted_to_it(cast: Cast) -> None:
    drafted = stage.drafted(cast)
    with pytest.raises(Forbidden):
        selectors.opioid_use(cast.rae, PatientId(drafted.patient.public_id), now=NOW)

    submitted = stage.queued(cast)

    assert selectors.opioid_use(cast.rae, PatientId(submitted.patient.public_id), now=NOW).records


def test_a_stranger_sees_no_use_and_no_request(cast: Cast) -> None:
    prior_auth = stage.queued(cast)

    for stranger in (cast.mallory, cast.oscar):
        with pytest.raises(NotFound):
            selectors.opioid_use(stranger, PatientId(prior_auth.patient.public_id), now=NOW)
        assert not selectors.prior_auths(stranger).exists()


def test_use_is_told_as_it_was_known_on_a_day(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 5, identifier="F-1")
    fill(cast, patient, 10, identifier="F-1", now=NOW + timedelta(days=2))
    key = PatientId(patient.public_id)

    then = selectors.opioid_use(cast.stella, key, now=NOW + timedelta(days=3), as_of=TODAY + timedelta(days=1))
    now = selectors.opioid_use(cast.stella, key, now=NOW + timedelta(days=3))

    assert (then.payer.is_required, now.payer.is_required) == (False, True)
    assert [record.days_supply for record in then.records] == [5]
    assert [record.days_supply for record in now.records] == [10]


def test_an_insurer_sees_nothing_of_what_happened_before_submission(cast: Cast) -> None:
    prior_auth = stage.queued(cast, now=stage.later(1))

    clinic = selectors.events(cast.stella, stage.key_of(prior_auth)).values_list("step", flat=True)
    insurer = selectors.events(cast.rae, stage.key_of(prior_auth)).values_list("step", flat=True)

    assert list(insurer) == ["submit"]
    assert clinic[0] == "open"


def test_the_smallest_change_that_avoids_the_need_is_told(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 9)

    use = selectors.opioid_use(cast.stella, PatientId(patient.public_id), now=NOW)

    assert len(use.ways_out) == 1
    assert "2 fewer days" in use.ways_out[0]


def test_where_nothing_is_needed_there_is_no_way_out_to_tell(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 7)

    assert selectors.opioid_use(cast.stella, PatientId(patient.public_id), now=NOW).ways_out == []
