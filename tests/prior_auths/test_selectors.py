"""Who may see what of a request, and what a request tells."""

import pytest

from authz.errors import NotFound
from authz.ids import PatientId
from authz.prior_auths import selectors
from authz.prior_auths.opioid_use import opioid_use
from authz.prior_auths.services import determinations, request
from tests import cast as stage
from tests.cast import NOW, Cast


def test_a_stranger_sees_no_use_and_no_request(cast: Cast) -> None:
    prior_auth = stage.queued(cast)

    for stranger in (cast.mallory, cast.oscar):
        with pytest.raises(NotFound):
            opioid_use(stranger, PatientId(prior_auth.patient.public_id), now=NOW)
        assert not selectors.prior_auths(stranger).exists()


def test_an_insurer_sees_nothing_of_what_happened_before_submission(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)
    request.submit(prior_auth_id=stage.key_of(prior_auth), by=cast.stella, now=stage.later(1))

    clinic = selectors.events(cast.stella, stage.key_of(prior_auth)).values_list("step", flat=True)
    insurer = selectors.events(cast.rae, stage.key_of(prior_auth)).values_list("step", flat=True)

    assert list(insurer) == ["submit"]
    assert clinic[0] == "open"


def test_a_request_tells_its_way_out_while_it_is_active(cast: Cast) -> None:
    prior_auth = stage.in_review(cast)

    way = selectors.ways_out(prior_auth)
    decided = determinations.approve(prior_auth_id=stage.key_of(prior_auth), by=cast.rae, now=NOW)

    assert len(way) == 1
    assert "3 fewer days (7 instead of 10)" in way[0]
    assert selectors.ways_out(decided) == []


def test_a_request_without_kept_inputs_has_no_way_out_to_tell(cast: Cast) -> None:
    prior_auth = stage.detected(cast)
    prior_auth.evaluation.inputs = {}

    assert selectors.ways_out(prior_auth) == []
