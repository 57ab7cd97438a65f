"""In whose name the database is asked: said at the start of every transaction, and by default in nobody's."""

import ast
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.core import checks
from django.db import DatabaseError, connection, transaction

from authz.access import tenancy
from authz.access.database import role
from authz.access.models import Organization
from authz.access.ownership import SHARED
from authz.access.roles import SYSTEM
from authz.access.tenancy import across_tenants, within
from authz.audit import services as audit
from config.embedded.postgres import FOR_ALL
from tests.access.full_house import owned
from tests.as_the_product import as_owner
from tests.cast import NOW, Cast

ROOT = Path(__file__).resolve().parents[2]
LOOKING_ACROSS = {
    # who is there, before anybody's name is known
    "authz/access/selectors.py",
    "authz/access/machines/services.py",
    "authz/access/people/selectors.py",
    "authz/access/people/services.py",
    "authz/administration/selectors.py",
    "authz/administration/services/invitations.py",
    "authz/api/mail_events.py",
    # a patient whom the clinic does not know, in an emergency
    "authz/prescriptions/emergency/services.py",
    # the trail names every patient whose record was loaded
    "authz/audit/services.py",
    # a patient is one to all who know them
    "authz/prescriptions/services/identity.py",
    "authz/prescriptions/services/patients.py",
    "authz/prescriptions/selectors.py",
    # the rule counts use wherever it was recorded, and answers by the payer's policy
    "authz/policies/selectors.py",
    "authz/pain/services.py",
    "authz/pain/sight.py",
    "authz/prior_auths/authorizations.py",
    "authz/prior_auths/needs.py",
    "authz/prior_auths/outlook.py",
    "authz/prior_auths/services/reopening.py",
    "authz/prior_auths/services/detection.py",
    "authz/prior_auths/services/exempting.py",
    "authz/prior_auths/services/intake.py",
    # whether a reviewer is there
    "authz/prior_auths/review_queue.py",
    # an accounting names whoever received what the organization holds
    "authz/reporting/accounting.py",
    # when the clinic was told is the insurer's to know
    "authz/notifications/selectors.py",
    # whoever works for all organizations
    "authz/prior_auths/services/appealing.py",
    "authz/prior_auths/services/calling.py",
    "authz/api/operations.py",
    "workers/app.py",
    "manage.py",
}


def said() -> str:
    """Return in whose name the database was asked just now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('authz.tenant', true)")
        return str(cursor.fetchone()[0])


@pytest.fixture
def nobody_by_default(transactional_db: None) -> Iterator[None]:
    """A connection that begins as the product's do: in nobody's name."""
    connection.close()
    del connection.settings_dict["OPTIONS"]["options"]
    yield
    connection.close()
    connection.settings_dict["OPTIONS"]["options"] = FOR_ALL


def test_only_named_modules_look_across_tenants_and_each_says_why() -> None:
    found = dict[str, list[str]]()
    for path in [
        ROOT / "manage.py",
        *(path for folder in ("authz", "workers", "config") for path in (ROOT / folder).rglob("*.py")),
    ]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("across_tenants"):
                found.setdefault(path.relative_to(ROOT).as_posix(), []).append(ast.unparse(node.args[0]))

    assert set(found) == LOOKING_ACROSS
    assert all(len(reason) > 20 for reasons in found.values() for reason in reasons)


def test_a_worker_asks_in_everybodys_name_from_the_start_of_its_connection(
    nobody_by_default: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = said()
    monkeypatch.setattr(tenancy, "_is_everybodys", False)  # so that it is put back

    tenancy.work_for_everybody()
    connection.close()

    assert (before, said()) == ("None", "all")
    with within(7):
        assert said() == "7"
    assert said() == "all"


def test_whose_name_it_is_ends_with_the_block_and_with_the_transaction(nobody_by_default: None) -> None:
    with within(7):
        alone = said()
        with transaction.atomic():
            inside = said()
            with across_tenants("to see that it comes back"):
                raised = said()
                with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("SELECT 1 / 0")
            back = said()
    with transaction.atomic():
        outside = said()
        with within(8):
            late = said()
        over = said()

    assert (alone, inside, raised, back) == ("7", "7", "all", "7")
    assert (outside, late, over) == ("", "8", "")


def test_in_nobodys_name_nothing_is_seen_and_nothing_written(cast: Cast, nobody_by_default: None) -> None:
    seen = {model.__name__ for model in owned() if model._base_manager.exists()}

    assert seen <= set(SHARED)
    with pytest.raises(DatabaseError, match="row-level security"):
        Organization.objects.create(kind="clinic", name="Nowhere")


def test_the_product_owns_nothing_and_cannot_change_what_is_append_only(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only'")
        append_only = {name for (name,) in cursor.fetchall()}
        cursor.execute(
            "SELECT table_name FROM information_schema.table_privileges "
            "WHERE grantee = current_user AND privilege_type IN ('UPDATE', 'DELETE')"
        )
        changeable = {name for (name,) in cursor.fetchall()}

    assert {"authz_auditentry", "authz_event", "authz_determination"} <= append_only
    assert not append_only & changeable
    assert "django_migrations" not in changeable
    assert role.faults() == []


def test_the_owner_too_is_held_by_the_policies_and_by_the_triggers(transactional_db: None) -> None:
    audit.record(by=SYSTEM, action="see", subject_kind="test", subject_id=UUID(int=1), now=NOW)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM authz_auditentry")
        in_everybodys_name = cursor.fetchone()
        with pytest.raises(DatabaseError, match="append-only"):
            cursor.execute("UPDATE authz_auditentry SET id = id")
        cursor.execute("SET authz.tenant = '7'")
        cursor.execute("SELECT count(*) FROM authz_auditentry")
        in_ones_name = cursor.fetchone()

    assert (in_everybodys_name, in_ones_name) == ((1,), (0,))


def test_production_is_refused_for_a_role_that_row_level_security_does_not_hold(
    transactional_db: None, settings: LazySettings
) -> None:
    settings.IS_PRODUCTION = True
    fine = role.check_role()
    with as_owner():
        found = role.check_role()

    assert fine == []
    assert [(one.id, one.level) for one in found] == [("authz.E010", checks.CRITICAL)]
    assert "owns the tables" in str(found[0].msg)
