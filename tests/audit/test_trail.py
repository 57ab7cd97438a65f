"""The trail in the database: sealed, whole, and changed by nobody."""

from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from authz import clock
from authz.access.roles import SYSTEM
from authz.audit import roots, selectors, services
from authz.audit.models import AuditRoot
from authz.operations.checks.work import trail
from authz.operations.findings import Standing
from tests.as_the_product import as_owner
from tests.cast import NOW, Cast, later

SUBJECT = UUID(int=7)


def record(cast: Cast, *actions: str, at: datetime = NOW) -> None:
    for action in actions:
        services.record(by=cast.stella, action=action, subject_kind="plan", subject_id=SUBJECT, now=at)


def run(*words: str) -> str:
    out = StringIO()
    call_command("audit", *words, stdout=out)
    return out.getvalue()


def of(cast: Cast) -> int:
    return cast.riverside.pk


def test_entries_are_numbered_without_gaps_for_each_organization(cast: Cast) -> None:
    record(cast, "one", 'two "\\\n\x01 é 🙂')
    services.record(by=cast.mallory, action="of another", subject_kind="", subject_id=SUBJECT, now=NOW)
    services.record(by=SYSTEM, action="nobody's", subject_kind="", subject_id=SUBJECT, now=NOW)
    services.seal()
    record(cast, "three")
    services.seal()

    sealed = selectors.entries_of(of(cast)).order_by("sequence")
    assert [entry.sequence for entry in sealed] == list(range(1, sealed.count() + 1))
    assert [entry.action for entry in sealed][-3:] == ["one", 'two "\\\n\x01 é 🙂', "three"]
    assert {whose: selectors.fault_of(whose) for whose in selectors.chains()} == dict.fromkeys(selectors.chains())
    assert not selectors.unsealed().exists()


def test_what_commits_late_is_sealed_later_and_leaves_no_gap(cast: Cast) -> None:
    record(cast, "early")
    with transaction.atomic():
        record(cast, "taken back")
        transaction.set_rollback(True)
    services.seal()
    record(cast, "late", at=NOW - timedelta(hours=1))
    services.seal()

    last = selectors.entries_of(of(cast)).order_by("-sequence")[:2]
    assert [entry.action for entry in last] == ["late", "early"]
    assert selectors.fault_of(of(cast)) is None


def test_the_database_refuses_to_have_the_trail_changed(cast: Cast) -> None:
    record(cast, "one")
    services.seal()
    statements = [
        "UPDATE authz_auditentry SET action = 'other'",
        "DELETE FROM authz_auditentry",
        "INSERT INTO authz_auditroot (at, sequence, hash, ends_pruned) VALUES (now(), 1, '', false)",
        "INSERT INTO authz_auditentry (at, actor_name, action, subject_kind, sequence, hash) "
        "VALUES (now(), '', '', '', 9, repeat('0', 64))",
    ]
    for statement in statements:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_owner_may_seal_an_entry_once_and_change_nothing_else(transactional_db: None) -> None:
    services.record(by=SYSTEM, action="see", subject_kind="", subject_id=SUBJECT, now=NOW)
    services.seal()
    with as_owner(), connection.cursor() as cursor:
        for change in (
            "UPDATE authz_auditentry SET sequence = 9",
            "UPDATE authz_auditentry SET hash = repeat('0', 64)",
            "UPDATE authz_auditentry SET sequence = NULL, hash = ''",
            "UPDATE authz_auditentry SET source = '10.0.0.1'",
            "DELETE FROM authz_auditentry",
        ):
            with pytest.raises(DatabaseError, match="append-only"):
                cursor.execute(change)


def test_an_owner_who_switches_the_triggers_off_is_found_out(transactional_db: None) -> None:
    for action in ("one", "two", "three"):
        services.record(by=SYSTEM, action=action, subject_kind="", subject_id=SUBJECT, now=NOW)
    services.seal()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE authz_auditentry DISABLE TRIGGER append_only")
        cursor.execute("UPDATE authz_auditentry SET action = 'nothing' WHERE action = 'two'")
        cursor.execute("ALTER TABLE authz_auditentry ENABLE TRIGGER append_only")

    with pytest.raises(CommandError, match="system: Entry 2 is altered"):
        run("verify")


def test_an_export_is_verified_alone_and_names_what_is_wrong(cast: Cast, tmp_path: Path) -> None:
    record(cast, "one", "two", "three")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    lines = run("export", cast.riverside.name).splitlines()
    last = len(lines) - 1
    whole.write_text("\n".join(lines))
    broken.write_text("\n".join([*lines[:-2], lines[-1]]))

    assert run("verify", str(whole)) == "Whole.\n"
    with pytest.raises(CommandError, match=rf"^Entry {last - 1} is missing.$"):
        run("verify", str(broken))
    with pytest.raises(CommandError, match=f"Entry {last} is altered"):
        run("verify", str(whole), "--root", f"{last}:{'0' * 64}")


def test_a_part_is_exported_by_time_and_goes_on_from_the_entry_before_it(cast: Cast, tmp_path: Path) -> None:
    record(cast, "one")
    record(cast, "two", at=later(1))
    record(cast, "three", at=later(2))
    part = run(
        "export", str(cast.riverside.public_id), "--since", later(1).isoformat(), "--until", later(2).isoformat()
    )
    (tmp_path / "part").write_text(part)

    assert ['"two"' in line for line in part.splitlines()] == [False, True]
    assert run("verify", str(tmp_path / "part")) == "Whole.\n"


def test_a_root_is_kept_once_a_day_and_written_elsewhere(cast: Cast, settings: LazySettings, tmp_path: Path) -> None:
    settings.AUDIT_ROOTS_PATH = str(tmp_path / "roots")
    record(cast, "one")
    now = clock.now()
    services.make_due_roots(now=now, tell=roots.write_elsewhere)
    services.make_due_roots(now=now, tell=roots.write_elsewhere)

    kept = selectors.roots_of(of(cast)).get()
    written = (tmp_path / "roots").read_text().splitlines()
    assert [line for line in written if kept.hash in line] == [roots.to_line(kept)]
    with pytest.raises(CommandError, match="is missing"):
        run("verify", "--organization", cast.riverside.name, "--root", f"1000:{kept.hash}")


def test_a_root_that_cannot_be_written_elsewhere_is_made_later(cast: Cast, settings: LazySettings) -> None:
    settings.AUDIT_ROOTS_PATH = "/nowhere/roots"
    record(cast, "one")
    with pytest.raises(OSError, match="nowhere"):
        services.make_root(whose=of(cast), tell=roots.write_elsewhere)

    assert not AuditRoot.objects.exists()


def test_only_what_is_older_than_six_years_is_pruned_and_the_rest_verifies(cast: Cast) -> None:
    now = clock.now()
    services.seal()
    record(cast, "old", at=now - timedelta(days=6 * 366 + 1))
    record(cast, "young", at=now - timedelta(days=6 * 365 - 2))
    services.seal()
    before = selectors.entries_of(of(cast)).count()
    young = selectors.entries_of(of(cast)).filter(at__gte=now - timedelta(days=6 * 365)).order_by("sequence").first()
    assert young is not None
    assert young.sequence is not None

    said = run("prune")

    left = selectors.entries_of(of(cast))
    assert before - left.count() == young.sequence - 1
    assert said.startswith("Deleted: ")
    assert selectors.fault_of(of(cast)) is None
    with pytest.raises(DatabaseError, match="6 years"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT authz_audit_prune(0, 5, 10)")


def record_elsewhere(cast: Cast, *actions: str, at: datetime) -> int:
    """Add entries to a chain that has no others, and return whose it is."""
    for action in actions:
        services.record(by=cast.mallory, action=action, subject_kind="plan", subject_id=SUBJECT, now=at)
    services.seal()
    return cast.hillside.pk


def test_the_worker_prunes_a_batch_at_a_time_and_the_rest_verifies(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_PRUNED_AT_ONCE", 2)
    now = clock.now()
    record_elsewhere(cast, "one", "two", "three", at=now - timedelta(days=6 * 366 + 1))
    whose = record_elsewhere(cast, "young", at=now)
    left = list[int]()

    while services.prune_next(now=now):
        left.append(selectors.entries_of(whose).count())
        assert selectors.fault_of(whose) is None

    assert left == [2, 1]
    assert selectors.entries_of(whose).get().action == "young"


def test_the_database_keeps_the_trail_for_as_long_as_was_once_said(cast: Cast, settings: LazySettings) -> None:
    now = clock.now()
    whose = record_elsewhere(cast, "seven years old", at=now - timedelta(days=7 * 366))
    settings.AUDIT_RETENTION_YEARS = 10
    assert services.prune(whose=whose, now=now) == 0
    settings.AUDIT_RETENTION_YEARS = 6

    assert services.prune(whose=whose, now=now) == 0
    assert selectors.years_kept() == 10
    for refused in (
        "SELECT authz_audit_prune(0, 9, 10)",
        "DELETE FROM authz_auditretention",
        "UPDATE authz_auditretention SET years = 6",
        "INSERT INTO authz_auditretention (years, held_since) VALUES (5, now())",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(refused)
    assert [finding.says for finding in trail(now) if "keeps the trail for 10 years" in finding.says]


def test_not_even_the_owner_deletes_earlier_than_was_once_said(transactional_db: None) -> None:
    now = clock.now()
    services.record(by=SYSTEM, action="old", subject_kind="", subject_id=SUBJECT, now=now - timedelta(days=7 * 366))
    services.seal()
    services.keep_for(years=8, now=now)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO authz_auditroot (at, sequence, hash, ends_pruned) VALUES (now(), 1, repeat('0', 64), true)"
        )
        with pytest.raises(DatabaseError, match="append-only"):
            cursor.execute("DELETE FROM authz_auditentry")
        with pytest.raises(DatabaseError, match="append-only"):
            cursor.execute("DELETE FROM authz_auditretention")


def test_an_entry_that_waits_to_be_sealed_is_an_alarm(cast: Cast) -> None:
    services.seal()
    record(cast, "one")

    (waiting,) = trail(NOW + timedelta(minutes=6))
    services.seal()
    (sealed,) = trail(NOW + timedelta(minutes=6))

    assert (waiting.standing, sealed.standing) == (Standing.BROKEN, Standing.WELL)
