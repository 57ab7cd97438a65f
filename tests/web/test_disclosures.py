"""What goes with records that must not be passed on, and who received what, on the pages."""

from authz.access.roles import Role
from authz.access.services import add_membership
from authz.prescriptions.part2 import NOTICE, NOTICE_HEADER
from tests import cast as stage
from tests.api.test_part2 import flagged
from tests.cast import Cast
from tests.web.conftest import Door


def test_the_notice_stands_on_the_pages_and_in_their_files(cast: Cast, enter: Door) -> None:
    case = flagged(cast)
    stella, rae = enter("stella"), enter("rae")
    request, patient = f"/prior-auths/{case.public_id}/", f"/patients/{case.patient.public_id}/"
    files = "/worklist.csv", f"{request}clocks.csv", f"{patient}records.csv", f"{patient}history.csv"

    shown = [stella.get(path) for path in (request, patient, *files)]
    shown.append(rae.get(f"/desk/{case.public_id}/"))

    for page in shown:
        assert page.status_code == 200
        assert NOTICE in page.content.decode()
        assert page[NOTICE_HEADER] == NOTICE
    assert NOTICE not in stella.get("/inbox/settings/").content.decode()


def test_an_administrator_takes_it_from_the_patients_page(cast: Cast, enter: Door) -> None:
    case = stage.queued(cast)
    page, sheet = f"/patients/{case.patient.public_id}/", f"/patients/{case.patient.public_id}/disclosures.csv"
    stella = enter("stella")
    assert sheet not in stella.get(page).content.decode()
    assert stella.get(sheet).status_code == 403
    add_membership(person=cast.people["stella"], organization=cast.riverside, role=Role.CLINIC_ADMIN)

    taken = stella.get(sheet)

    assert sheet in stella.get(page).content.decode()
    assert f"{cast.evergreen.name},prior_authorization,{case.public_id}" in taken.getvalue().decode()
