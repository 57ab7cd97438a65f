"""What a request says in the words of other systems, on the wire."""

from collections.abc import Iterator
from typing import Any

from rest_framework import serializers

from authz.api.fields import Word
from authz.prior_auths.code_maps import (
    CODES,
    OF_OUTCOME,
    OF_STATE,
    WHEN,
    Answer,
    EpaStatus,
    Item,
    PasStatus,
    ReviewAction,
    Told,
)
from authz.prior_auths.determination import Outcome
from authz.prior_auths.lifecycle import State


class PasItemOut(serializers.Serializer[Item]):
    line = serializers.IntegerField()
    review_action = Word(ReviewAction)
    has_add_item = serializers.BooleanField(help_text="What is granted in its place comes as an `addItem`.")
    reason_list = serializers.CharField(help_text="The X12 list of which a reason goes with it; empty for none.")


class PasOut(serializers.Serializer[Told]):
    """What Da Vinci PAS says of the whole, and of each item."""

    response = Word(PasStatus, source="codes.pas", help_text="The status of the ClaimResponse.")
    items = PasItemOut(many=True)


class CodesOut(serializers.Serializer[Told]):
    """What is said in the words of other systems: X12 278, Da Vinci PAS and NCPDP SCRIPT."""

    answer = Word(Answer)
    x12_278 = Word(ReviewAction, source="codes.x12_278", help_text="HCR01.")
    pas = PasOut(source="*")
    ncpdp_epa = Word(EpaStatus, source="codes.ncpdp_epa")


class CodeMapOut(serializers.Serializer[Any]):
    """One answer and its codes. `states` say so where no decision is in force; `outcomes` are decisions that do."""

    answer = Word(Answer)
    when = serializers.CharField()
    states = serializers.ListField(child=Word(State))
    outcomes = serializers.ListField(child=Word(Outcome))
    x12_278 = Word(ReviewAction, help_text="HCR01.")
    pas = Word(PasStatus, help_text="The status of the ClaimResponse; `no-auth` where there is none.")
    pas_items = serializers.ListField(child=Word(ReviewAction), help_text="What can be said of an item.")
    ncpdp_epa = Word(EpaStatus)


def code_maps() -> Iterator[dict[str, Any]]:
    """Yield every answer with its codes, and what gives it."""
    for answer, codes in CODES.items():
        yield {
            "answer": answer,
            "when": WHEN[answer],
            "states": [state for state in State if OF_STATE.get(state) is answer],
            "outcomes": [outcome for outcome in Outcome if answer in OF_OUTCOME[outcome]],
            "x12_278": codes.x12_278,
            "pas": codes.pas,
            "pas_items": codes.pas_items,
            "ncpdp_epa": codes.ncpdp_epa,
        }
