"""What a decision's notice would say, word by word, before anybody stands by it."""

import json
from collections.abc import Callable
from typing import Any, Final

from django.db import transaction

from authz.documentation.paper_kinds import PaperKind
from authz.documentation.paper_text import PaperText
from authz.documentation.selectors import paper_text
from authz.prior_auths.models import Appeal, Determination, PriorAuth

LATER: Final = "given when decided"
"""Stands for the number of an authorization, which is only given with the decision itself."""


@transaction.atomic
def notice_of(take: Callable[..., PriorAuth | Appeal], **arguments: Any) -> PaperText:
    """Return the letter that a deciding service would write with these arguments: it decides, and all is taken back.

    An appeal that is upheld has a letter of its own; any other decision on one is told by its determination's.

    Whatever the service raises is raised here as well, so what can be read here can also be decided.
    """
    decided = take(**arguments)
    prior_auth = decided.prior_auth if isinstance(decided, Appeal) else decided
    determination = Determination.objects.filter(prior_auth=prior_auth).latest("pk")
    if isinstance(decided, Appeal) and decided.decision.determination_id is None:
        text, numbers = paper_text(PaperKind.APPEAL_LETTER, decided.public_id), []
    else:
        text = paper_text(PaperKind.DETERMINATION_LETTER, determination.public_id)
        numbers = list(determination.authorizations.values_list("number", flat=True))
    transaction.set_rollback(True)
    return _without(numbers, text)


def _without(numbers: list[str], text: PaperText) -> PaperText:
    kept = json.dumps(text.to_json())
    for number in numbers:
        kept = kept.replace(number, LATER)
    return PaperText.from_json(json.loads(kept))
