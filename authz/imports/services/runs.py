"""Take in whole files: see that they are whole, then pass over them, some hundred lines at a time.

Each patient of a chunk is one transaction, so a run that is killed leaves whole records behind; run again, it finds
those unchanged and comes to the same end.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import BinaryIO, TypeVar

from authz.access.models import Organization
from authz.access.roles import Action, Actor, must_be_allowed
from authz.audit import services as audit
from authz.formulary.selectors import products_now
from authz.ids import PlanId
from authz.imports import selectors
from authz.imports.documents import Format, Line, Pass, check, recognise, told_in
from authz.imports.models import ImportRejection, ImportRun
from authz.imports.products import Recogniser
from authz.imports.services.pain import take_back_scores, take_scores
from authz.imports.services.people import take_coverages, take_patients
from authz.imports.services.reception import NOT_AN_OPIOID, REJECTED, Reception, Tally
from authz.imports.services.records import RecordLine, take_ends, take_records
from authz.imports.told import CoverageTold, EndTold, Kind, NoOpioidTold, PainTold, PatientTold, RecordTold
from authz.policies.selectors import plans
from authz.prescriptions.services import RecordOutcome

CHUNK = 500
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file to take in. The stream can be read again from its start. `form` None: told by its first line."""

    name: str
    stream: BinaryIO
    form: Format | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: in which file, in which reading of it, and at which byte."""

    name: str
    reading: Pass
    done_bytes: int


@dataclass(slots=True, kw_only=True)
class _File:
    source: Source
    form: Format
    run: ImportRun
    tally: Tally


def take_in(
    *,
    sources: Sequence[Source],
    by: Actor,
    now: Callable[[], datetime],
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> list[ImportRun]:
    """Take files in as one import, in which any file may refer to patients and orders of any other.

    Not one transaction but many. `now` is asked again for every chunk: a long import learns its last line later than
    its first.

    :raises Forbidden: when the actor may not import files.
    :raises ImportTruncated: when a file was cut off; nothing of any file is taken in.
    :raises ImportUnreadable: when a file cannot be read as a whole; nothing of any file is taken in.
    """
    must_be_allowed(by, Action.IMPORT_FILE)
    reception = _reception(by)
    checked = [_checked(source) for source in sources]
    recogniser = Recogniser(products_now())
    files = [_begin(source, form, digest, by, now()) for source, form, digest in checked]
    for reading in Pass:
        for file in files:
            _read(file, reading, reception, recogniser, now, on_progress)
    return [_finish(file, now()) for file in files]


def _reception(by: Actor) -> Reception:
    known = {(plan.insurer.name.casefold(), plan.code): PlanId(plan.public_id) for plan in plans()}
    return Reception(organization=Organization.objects.get(pk=by.organization), by=by, plans=known)


def _checked(source: Source) -> tuple[Source, Format, str]:
    form = source.form or recognise(source.stream)
    return source, form, check(source.stream, form)


def _begin(source: Source, form: Format, digest: str, by: Actor, now: datetime) -> _File:
    run = ImportRun.objects.create(
        organization_id=by.organization, format=form.value, file_sha256=digest, started_at=now
    )
    audit.record(by=by, action="import", subject_kind="import-run", subject_id=run.public_id, now=now)
    return _File(source=source, form=form, run=run, tally=Tally())


def _read(
    file: _File,
    reading: Pass,
    reception: Reception,
    recogniser: Recogniser,
    now: Callable[[], datetime],
    on_progress: Callable[[Progress], None],
) -> None:
    system = reception.organization.identifier_system
    stream = file.source.stream
    told = told_in(stream, file.form, reading, identifier_system=system, recogniser=recogniser)
    for chunk in _chunks(told):
        _take(chunk, reception, file.tally, now())
        _write_refusals(file)
        on_progress(Progress(name=file.source.name, reading=reading, done_bytes=stream.tell()))


def _chunks(lines: Iterable[_T]) -> Iterator[list[_T]]:
    rest = iter(lines)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _take(chunk: Sequence[Line], reception: Reception, tally: Tally, now: datetime) -> None:
    for line in chunk:
        if line.refusal is not None:
            tally.refuse(line.number, line.refusal)
    patients = [(line.number, line.told) for line in chunk if isinstance(line.told, PatientTold)]
    take_patients(lines=patients, reception=reception, tally=tally, now=now)
    coverages = [(line.number, line.told) for line in chunk if isinstance(line.told, CoverageTold)]
    take_coverages(lines=coverages, reception=reception, tally=tally, now=now)
    records = [RecordLine(line.number, line.told) for line in chunk if isinstance(line.told, RecordTold)]
    take_records(lines=records, reception=reception, tally=tally, now=now)
    scores = [(line.number, line.told) for line in chunk if isinstance(line.told, PainTold)]
    take_scores(lines=scores, reception=reception, tally=tally, now=now)
    ends = [(line.number, line.told) for line in chunk if isinstance(line.told, EndTold | NoOpioidTold)]
    take_ends(
        lines=[end for end in ends if end[1].kind is not Kind.PAIN_SCORE], reception=reception, tally=tally, now=now
    )
    of_pain = [(number, told) for number, told in ends if isinstance(told, EndTold) and told.kind is Kind.PAIN_SCORE]
    take_back_scores(lines=of_pain, reception=reception, tally=tally, now=now)


def _write_refusals(file: _File) -> None:
    ImportRejection.objects.bulk_create(
        ImportRejection(run=file.run, line=number, code=refusal.code, path=refusal.path, reason=refusal.sentence)
        for number, refusal in file.tally.refused
    )
    file.tally.refused.clear()


def _finish(file: _File, now: datetime) -> ImportRun:
    run, tally = file.run, file.tally
    attention = selectors.attention(tally.touched)
    run.finished_at = now
    run.created = tally.total(RecordOutcome.CREATED.value)
    run.unchanged = tally.total(RecordOutcome.UNCHANGED.value)
    run.corrected = tally.total(RecordOutcome.CORRECTED.value)
    run.not_an_opioid = tally.total(NOT_AN_OPIOID)
    run.rejected = tally.total(REJECTED)
    run.needs_person = attention.records
    run.by_kind = tally.by_kind() | {"needs_person": dict(attention.reasons)}
    run.save()
    return run
