"""Take files in for Riverside, and look at what is then known."""

from typing import Any

from django.db.models import OuterRef, Subquery

from authz.access.roles import Actor
from authz.imports.documents import Format
from authz.imports.models import ImportRejection, ImportRun
from authz.imports.services import Source, take_in
from authz.prescriptions.models import Coverage, FillVersion, Patient, PatientIdentifier, PrescriptionVersion
from authz.prior_auths.lifecycle import ACTIVE
from authz.prior_auths.models import Evaluation, PriorAuth
from tests import cast as stage
from tests.imports.builders import file

NOW = stage.NOW


def take(content: bytes, *, by: Actor, form: Format | None = None) -> ImportRun:
    """Take one file in."""
    (run,) = take_all(content, by=by, form=form)
    return run


def take_all(*contents: bytes, by: Actor, form: Format | None = None) -> list[ImportRun]:
    """Take several files in as one import."""
    sources = [Source(name=f"file {place}", stream=file(content), form=form) for place, content in enumerate(contents)]
    return take_in(sources=sources, by=by, now=lambda: NOW)


def refusals(run: ImportRun) -> list[tuple[int, str, str]]:
    """Return line, code and element of every refused line, in order."""
    rows = ImportRejection.objects.filter(run=run).order_by("line", "pk")
    return list(rows.values_list("line", "code", "path"))


def counts(run: ImportRun) -> tuple[int, int, int, int, int]:
    """Return created, unchanged, corrected, not an opioid, rejected."""
    return run.created, run.unchanged, run.corrected, run.not_an_opioid, run.rejected


def fills() -> dict[str, Any]:
    """Return the current version of every fill by its identifier."""
    newest = FillVersion.objects.select_related("fill__patient", "prescription", "prescriber").order_by("version")
    return {version.fill.identifier: version for version in newest}


def state() -> dict[str, object]:
    """Return everything that an import is about, in the sender's own terms: no keys, no instants, no order."""
    return {
        "patients": sorted(PatientIdentifier.objects.values_list("value", "family_name", "patient__birth_date")),
        "coverages": sorted(
            Coverage.objects.values_list("member_id", "payer_name", "starts_on", "patient__birth_date")
        ),
        "orders": _latest(PrescriptionVersion.objects.order_by("version"), "prescription"),
        "fills": _latest(FillVersion.objects.order_by("version"), "fill"),
        "requests": sorted(_request(row) for row in PriorAuth.objects.filter(state__in=[s.value for s in ACTIVE])),
        "required": sorted(_required()),
    }


def _latest(versions: Any, record: str) -> list[tuple[object, ...]]:
    names = ("status", "starts_on", "rxcui", "quantity", "days_supply", "prescriber__npi")
    own = PatientIdentifier.objects.filter(assigner=OuterRef(f"{record}__organization"))
    number = Subquery(own.filter(patient=OuterRef(f"{record}__patient")).values("value")[:1])
    rows = versions.annotate(number=number).values_list(f"{record}__identifier", "number", *names)
    return sorted({row[0]: row for row in rows}.values(), key=str)


def _request(row: PriorAuth) -> tuple[str, str, str]:
    return _number(row.patient), row.pa_required_from.isoformat(), row.runs_out_on.isoformat()


def _required() -> list[tuple[str, bool, int]]:
    latest = Evaluation.objects.order_by("patient_id", "-pk").distinct("patient_id").select_related("patient")
    return [(_number(row.patient), row.is_required, row.attention_count) for row in latest]


def _number(patient: Patient) -> str:
    return patient.identifiers.order_by("pk").values_list("value", flat=True)[0]
