"""What an import left behind: its refused lines, and the records that a person must look at."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import QuerySet

from authz.access.roles import Action, Actor, must_be_allowed
from authz.ids import PatientId
from authz.imports.models import ImportRejection, ImportRun
from authz.prior_auths.models import Evaluation


def rejections(by: Actor, run: ImportRun) -> QuerySet[ImportRejection]:
    """Return a run's refused lines of the actor's own organization, in the order of the file."""
    must_be_allowed(by, Action.IMPORT_FILE)
    return ImportRejection.objects.filter(run=run, run__organization_id=by.organization).order_by("line", "pk")


@dataclass(slots=True)
class Attention:
    """How many records a person must look at, and how often for which reason; one record can have several."""

    records: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def attention(patient_ids: Collection[PatientId]) -> Attention:
    """Return what the rule's latest verdict on each of these patients puts before a person."""
    found = Attention()
    rest = sorted(patient_ids)
    for some in (rest[start : start + 500] for start in range(0, len(rest), 500)):
        latest = Evaluation.objects.filter(patient__public_id__in=some).order_by("patient_id", "-pk")
        for verdict in latest.distinct("patient_id").values_list("verdict", flat=True):
            pairs = verdict["attention"]
            found.records += len({record_id for record_id, _ in pairs})
            found.reasons.update(reason for _, reason in pairs)
    return found
