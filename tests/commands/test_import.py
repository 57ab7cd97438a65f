"""`manage.py import`: what an operator types, reads and finds."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from authz.audit.models import AuditEntry
from authz.imports.models import ImportRun
from authz.prescriptions.models import Fill, Patient, PatientIdentifier
from authz.prior_auths.models import PriorAuth
from tests import cast as stage
from tests.api.callers import today
from tests.imports.builders import LISINOPRIL, dispensing, ndjson, patient, row, rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """A file whose third line is refused."""
    content = ndjson(
        patient(1), dispensing(1, days=0), {"resourceType": "Condition"}, dispensing(2, product=LISINOPRIL)
    )
    return written(tmp_path / "feed.ndjson", content)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def table(path: Path | str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def run(*files: Path | str, **options: Any) -> str:
    """Run the command for Riverside and return what it printed."""
    out = io.StringIO()
    call_command("import", *map(str, files), **{"organization": "Riverside Clinic", "stdout": out} | options)
    return out.getvalue()


def test_it_says_what_became_of_every_line(cast: stage.Cast, feed: Path) -> None:
    out = io.StringIO()

    with pytest.raises(CommandError) as failed:
        run(feed, stdout=out)

    assert "2 created, 0 unchanged, 0 corrected, 1 not an opioid, 1 rejected." in out.getvalue()
    assert "1 records need a person." in out.getvalue()
    assert str(failed.value) == f"1 lines were refused; see {feed}.rejected.csv."
    assert failed.value.returncode == 1
    assert Fill.objects.count() == 1


def test_refused_lines_are_written_beside_the_file(cast: stage.Cast, feed: Path) -> None:
    with pytest.raises(CommandError):
        run(feed)

    (line,) = table(f"{feed}.rejected.csv")
    assert (line["file"], line["line"], line["code"]) == (str(feed), "3", "not-taken-in")
    assert line["element"] == "resourceType"
    assert "Condition is not taken in" in line["reason"]


def test_refused_lines_of_all_files_are_written_where_asked(cast: stage.Cast, feed: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "more.ndjson", b"{}\n")
    target = tmp_path / "refused.csv"

    with pytest.raises(CommandError):
        run(feed, other, rejects=str(target))

    assert [(line["file"], line["line"]) for line in table(target)] == [(str(feed), "3"), (str(other), "1")]
    assert not Path(f"{feed}.rejected.csv").exists()


def test_nothing_refused_is_no_failure_and_leaves_no_file(cast: stage.Cast, tmp_path: Path) -> None:
    good = written(tmp_path / "good.ndjson", ndjson(patient(1), dispensing(1)))

    assert "2 created" in run(good)
    assert "2 unchanged" in run(good)
    assert list(tmp_path.iterdir()) == [good]


def test_several_files_are_one_import(cast: stage.Cast, tmp_path: Path) -> None:
    fills = written(tmp_path / "MedicationDispense.ndjson", ndjson(dispensing(1, days=10, on=today().isoformat())))
    patients = written(tmp_path / "Patient.ndjson", ndjson(patient(1)))

    run(fills, patients)

    assert PriorAuth.objects.get().clinic == cast.riverside


def test_the_organization_is_found_by_name_or_public_id(cast: stage.Cast, tmp_path: Path) -> None:
    file = written(tmp_path / "p.ndjson", ndjson(patient(1)))

    run(file, organization=str(cast.hillside.public_id))

    assert PatientIdentifier.objects.get().assigner == cast.hillside
    assert AuditEntry.objects.filter(actor_name="manage.py import", organization=cast.hillside).exists()


@pytest.mark.parametrize("organization", ["Nowhere", "riverside clinic", "00000000-0000-0000-0000-000000000000"])
def test_an_organization_that_is_not_there_stops_it(cast: stage.Cast, feed: Path, organization: str) -> None:
    with pytest.raises(CommandError, match="There is no organization"):
        run(feed, organization=organization)

    assert ImportRun.objects.count() == 0


def test_a_file_that_was_cut_off_stops_it_before_anything_is_written(cast: stage.Cast, tmp_path: Path) -> None:
    good = written(tmp_path / "good.ndjson", ndjson(patient(1)))
    cut = written(tmp_path / "cut.ndjson", ndjson(patient(2), dispensing(1, of=2))[:-30])

    with pytest.raises(CommandError, match=r"middle of line 2.*\(import-truncated\)"):
        run(good, cut)

    assert Patient.objects.count() == 0


def test_a_file_that_is_not_there_stops_it(cast: stage.Cast, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run(tmp_path / "nothing.ndjson")


def test_the_format_may_be_said(cast: stage.Cast, tmp_path: Path) -> None:
    stage.register(cast, mrn="MRN-1")
    file = written(tmp_path / "fills.txt", rows(row(1)))

    with pytest.raises(CommandError, match="import-unreadable"):
        run(file, format="fhir-bundle")

    assert "1 created" in run(file, format="csv")


def test_standard_input_is_read(cast: stage.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(ndjson(patient(1)))))

    assert "-: 1 created" in run("-")


def test_progress_is_shown_on_a_terminal_only(cast: stage.Cast, tmp_path: Path) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    file = written(tmp_path / "feed.ndjson", ndjson(patient(1), dispensing(1)))
    terminal, pipe = Terminal(), io.StringIO()

    run(file, stderr=terminal)
    run(file, stderr=pipe)

    assert "fills and pain scores, 100 %" in terminal.getvalue()
    assert pipe.getvalue() == ""


def test_an_insurers_claims_are_taken_in_as_its_intake_would(cast: stage.Cast, tmp_path: Path) -> None:
    system = {"identifier": [{"value": "M-1"}]}
    file = written(tmp_path / "claims.ndjson", ndjson(patient(1, **system), dispensing(1)))

    run(file, organization="Evergreen Health")

    assert Fill.objects.get().organization == cast.evergreen
