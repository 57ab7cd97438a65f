"""What is decided of a request, of an appeal, or by the independent reviewer, as forms: grants, and reasons."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from django import forms

from authz.errors import InvalidInput
from authz.formulary import selectors as formularies
from authz.policies.selectors import reasons_of
from authz.prior_auths.appeal_lifecycle import AppealOutcome
from authz.prior_auths.determination import Grant, Ground
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.review_criteria import meets_criteria
from authz.prior_auths.services.determinations import APPROVED
from authz.web import words
from authz.web.forms import PlainForm, long_text
from authz.web.grant_fields import NEEDED, PARTS, GrantedLine, grant_fields, granted_lines, name_of
from authz.web.reason_fields import reason_fields, reason_said, words_on


class StepForm(PlainForm):
    """The form of one step. Without fields, the button says everything."""

    def __init__(self, prior_auth: PriorAuth, step: StrEnum, posted: Mapping[str, Any] | None = None) -> None:
        super().__init__(posted, auto_id=f"{step.value}-%s", label_suffix="")
        self.prior_auth = prior_auth
        self.add_fields()

    def add_fields(self) -> None:
        """Add the fields that depend on the request."""

    def arguments(self) -> dict[str, Any]:
        """Return what the step's service takes besides the request and the actor."""
        return {}


class ApproveForm(StepForm):
    """Why everything is approved. The reviewer says it where not all of the criteria are met."""

    def add_fields(self) -> None:
        self.fields["ground"] = forms.ChoiceField(
            label="Why is it approved?",
            choices=[(ground.value, reason.text) for ground, reason in APPROVED.items()],
            initial=Ground.CRITERIA_MET.value if meets_criteria(self.prior_auth) else None,
            widget=forms.RadioSelect,
            error_messages={"required": "Choose one."},
        )

    def arguments(self) -> dict[str, Any]:
        return {"ground": Ground(self.cleaned_data["ground"])}


class ReasonForm(StepForm):
    """Why it was decided so, by the insurer's library of reasons."""

    def add_fields(self) -> None:
        self.library = reasons_of(self.prior_auth.insurer_id) if self.prior_auth.insurer_id else {}
        self.fields |= reason_fields("reason", self.library)

    def arguments(self) -> dict[str, Any]:
        return {"reason": reason_said("reason", self.cleaned_data, self.library)}


class DenyForm(ReasonForm):
    """Why it was decided so, and why of a line that has another reason, where there are several lines."""

    def add_fields(self) -> None:
        super().add_fields()
        lines = list(self.prior_auth.lines.all())
        several = lines if len(lines) > 1 else []
        self._places = {line.line: f"reasons.{line.line}" for line in several}
        for line in several:
            of = f"Line {line.line}, {line.product_name}"
            self.fields |= reason_fields(self._places[line.line], self.library, of=of)

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        for place in self._places.values():
            if not said.get(f"{place}.code") and words_on(place, said):
                self.add_error(f"{place}.code", "Choose a reason.")
        return said

    def refuse(self, fields: Mapping[str, Any]) -> None:
        """Put what is said of a line's reason as a whole to its first field."""
        places = set(self._places.values())
        super().refuse({f"{name}.code" if name in places else name: said for name, said in fields.items()})

    def arguments(self) -> dict[str, Any]:
        said = self.cleaned_data
        own = {line: place for line, place in self._places.items() if said[f"{place}.code"]}
        reasons = {line: reason_said(place, said, self.library) for line, place in own.items()}
        return {**super().arguments(), "reasons": reasons}


class GrantsForm(StepForm):
    """What is granted of each line, prefilled with what was asked for; then whatever else is said."""

    def add_fields(self) -> None:
        formulary = formularies.current()
        for line in self.prior_auth.lines.all():
            self.fields |= grant_fields(line, formulary)
        super().add_fields()

    def clean(self) -> dict[str, Any]:
        self.grants: dict[int, Grant] = {}
        for line in self.prior_auth.lines.all():
            if self.cleaned_data.get(f"grants.{line.line}.is_granted"):
                self._grant(line.line)
        super().clean()
        return self.cleaned_data

    def _grant(self, line: int) -> None:
        names = {part: name_of(line, part) for part in PARTS}
        missing = [name for part, name in names.items() if part in NEEDED and self.cleaned_data.get(name) is None]
        for name in missing:
            if name not in self.errors:
                self.add_error(name, "Needed for a line that is granted.")
        if missing or any(name in self.errors for name in names.values()):
            return
        try:
            said: dict[str, Any] = {part: self.cleaned_data[name] for part, name in names.items()}
            self.grants[line] = Grant(**said | {"rxcui": said["rxcui"] or None})
        except InvalidInput as refusal:
            self.refuse({names[part]: said for part, said in refusal.fields.items()})

    def refuse(self, fields: Mapping[str, Any]) -> None:
        """Put what is said of a line as a whole to its first field."""
        lines = {f"grants.{line.line}" for line in self.prior_auth.lines.all()}
        super().refuse({f"{name}.days" if name in lines else name: said for name, said in fields.items()})

    def lines(self) -> Iterator[GrantedLine]:
        """Yield the lines, each part beside what was asked for."""
        yield from granted_lines(self, list(self.prior_auth.lines.all()))

    def reason_fields(self) -> list[forms.BoundField]:
        """Return the fields that say everything else."""
        return [self[name] for name in self.fields if not name.startswith("grants.")]

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "grants": self.grants}


class ApproveInPartForm(GrantsForm, DenyForm):
    """What is granted of each line; then why not all of it."""


class IndependentReviewForm(GrantsForm):
    """What the independent reviewer decided; what is granted of each line counts where that is partly."""

    def add_fields(self) -> None:
        super().add_fields()
        self.fields |= {
            "outcome": forms.ChoiceField(
                label="What did the independent reviewer decide?",
                choices=[(outcome.value, said.words) for outcome, said in words.APPEAL_OUTCOME.items()],
                widget=forms.RadioSelect,
                error_messages={"required": "Choose one."},
                help_text="What is granted above counts only where the decision was overturned in part.",
            ),
            "decided_on": forms.DateField(
                label="On which day?",
                widget=forms.DateInput({"type": "date"}),
                input_formats=["%Y-%m-%d"],
                error_messages={"required": "Give a day.", "invalid": "Give a day as YYYY-MM-DD."},
            ),
            "reference": forms.CharField(
                label="Their reference", max_length=200, error_messages={"required": "Give their reference."}
            ),
            "reason": long_text("What did they say, in a sentence?"),
        }

    def arguments(self) -> dict[str, Any]:
        said = {name: self.cleaned_data[name] for name in ("decided_on", "reference", "reason")}
        outcome = AppealOutcome(self.cleaned_data["outcome"])
        return {**said, "outcome": outcome, "grants": self.grants if outcome is AppealOutcome.PARTLY_OVERTURNED else {}}
