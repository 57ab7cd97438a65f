"""What a run remembers from line to line: whom the file's addresses mean, and the counts. It ends with the run."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from authz.access.models import Organization
from authz.access.roles import Actor
from authz.ids import PatientId, PlanId
from authz.imports.refusals import Refusal
from authz.imports.told import Kind, PatientRef
from authz.prescriptions.models import PatientIdentifier

NOT_AN_OPIOID = "not_an_opioid"
REJECTED = "rejected"


@dataclass(slots=True)
class Tally:
    """The counts of one file, its refused lines not yet written down, and the patients it told something about."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: list[tuple[int, Refusal]] = field(default_factory=list)
    touched: set[PatientId] = field(default_factory=set)

    def count(self, kind: Kind, what: str) -> None:
        """Count one line; `what` is an outcome, or a remark such as "order_not_known"."""
        self.counts[kind.value, what] += 1

    def refuse(self, number: int, refusal: Refusal) -> None:
        """Count a line that is not taken in, and keep it until it is written down."""
        self.counts["lines", REJECTED] += 1
        self.refused.append((number, refusal))

    def total(self, what: str) -> int:
        """Return how often an outcome was counted, over all kinds."""
        return sum(count for (_, counted), count in self.counts.items() if counted == what)

    def by_kind(self) -> dict[str, dict[str, int]]:
        """Return the counts as {"fills": {"created": 3}}, sorted by name."""
        table: dict[str, dict[str, int]] = {}
        for (kind, what), count in sorted(self.counts.items()):
            table.setdefault(kind, {})[what] = count
        return table


@dataclass(slots=True, kw_only=True)
class Reception:
    """Whose files are taken in, by whom, and whom the addresses in them mean (about 200 bytes a patient).

    An address that two patients of one run claim means nobody: None.
    """

    organization: Organization
    by: Actor
    plans: Mapping[tuple[str, str], PlanId]
    patients: dict[str, PatientId | None] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)

    def welcome(self, patient_id: PatientId, addresses: Iterable[str]) -> None:
        """Remember that these addresses mean this patient.

        :raises Refusal: when one of them already means another; from then on it means nobody.
        """
        taken = [address for address in addresses if self.patients.setdefault(address, patient_id) != patient_id]
        self.patients.update(dict.fromkeys(taken, None))
        if taken:
            raise Refusal("id-twice", "Patient.id", "Two patients of this import have the same id; neither is used.")

    def numbered(self, refs: Iterable[PatientRef]) -> dict[str, PatientId]:
        """Return the patients whom the organization knows by the numbers among these references."""
        numbers = {ref.identifier for ref in refs if ref.identifier}
        known = PatientIdentifier.objects.filter(assigner=self.organization, value_index__in=numbers)
        return {value: PatientId(public_id) for value, public_id in known.values_list("value", "patient__public_id")}

    def find(self, ref: PatientRef, numbered: Mapping[str, PatientId], path: str) -> PatientId:
        """Return whom a line is about.

        :raises Refusal: when that is nobody, or could be two.
        """
        found = numbered.get(ref.identifier) if ref.identifier else self.patients.get(ref.address)
        if found is None:
            if ref.address in self.patients:
                raise Refusal("patient-ambiguous", path, "Two patients of this import have this id.")
            raise Refusal("patient-unknown", path, "No patient of this import or of that number is known.")
        return found
