"""How an insurer is reached: what is refused, who says it, and what the database holds of it."""

import pytest
from django.db import DatabaseError, transaction

from authz.access.contact import Contact
from authz.administration.services.contact import set_contact
from authz.audit.models import AuditEntry
from authz.errors import Forbidden, InvalidInput
from tests.cast import NOW, Cast

ADDRESS = "Evergreen Health, Appeals\nPO Box 555\nAlbany, NY 12201"
PHONE = "1-800-555-0142"


@pytest.mark.parametrize("number", ["1-800-555-0142", "(518) 555-0142", "+1 518 555 0142", "518.555.0142"])
def test_a_number_is_taken_as_people_write_it(number: str) -> None:
    assert Contact(postal_address=ADDRESS, phone=number, fax=number).fax == number


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("postal_address", ""),
        ("postal_address", "PO Box 555, Albany, NY 12201"),
        ("postal_address", "Evergreen Health\n\nAlbany"),
        ("postal_address", "\n".join("1234567")),
        ("postal_address", "Evergreen\tHealth\nAlbany"),
        ("postal_address", f"Evergreen Health\n{'x' * 400}"),
        ("phone", ""),
        ("phone", "555-0142"),
        ("phone", "1-800-EVERGREEN"),
        ("phone", "1" * 16),
        ("fax", "none"),
        ("hours", "In the\nmorning"),
        ("hours", "x" * 201),
    ],
)
def test_what_nobody_can_write_to_or_call_is_refused_by_name(field: str, wrong: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Contact(**{"postal_address": ADDRESS, "phone": PHONE, field: wrong})

    assert set(refusal.value.fields) == {field}


def test_only_an_insurers_administrator_says_how_it_is_reached_and_the_trail_has_it_once(cast: Cast) -> None:
    contact = Contact(postal_address=ADDRESS, phone=PHONE)

    for stranger in (cast.rae, cast.stella):
        with pytest.raises(Forbidden):
            set_contact(contact=contact, by=stranger, now=NOW)
    for _ in range(2):
        set_contact(contact=contact, by=cast.nora, now=NOW)

    cast.evergreen.refresh_from_db()
    assert cast.evergreen.contact == contact
    assert AuditEntry.objects.filter(action="contact-changed", subject_id=cast.evergreen.public_id).count() == 1


@pytest.mark.parametrize("kept", [{"phone": PHONE}, {"postal_address": ADDRESS}, {"fax": PHONE}])
def test_the_database_holds_no_half_of_a_contact(cast: Cast, kept: dict[str, str]) -> None:
    with pytest.raises(DatabaseError, match="an_insurer_is_reached_by_post_and_by_phone"), transaction.atomic():
        type(cast.evergreen).objects.filter(pk=cast.evergreen.pk).update(**kept)


def test_the_database_holds_no_contact_of_a_clinic(cast: Cast) -> None:
    with pytest.raises(DatabaseError, match="an_insurer_is_reached_by_post_and_by_phone"), transaction.atomic():
        type(cast.riverside).objects.filter(pk=cast.riverside.pk).update(postal_address=ADDRESS, phone=PHONE)
