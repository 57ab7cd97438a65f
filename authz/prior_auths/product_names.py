"""What a product of a decision is called to people."""

from authz.formulary import selectors as formularies
from authz.prior_auths.models import Determination


def product_name(determination: Determination, rxcui: str) -> str:
    """Return a product's name as it was asked for, or as the release has it that was decided by; its code otherwise."""
    asked = next((line.product_name for line in determination.prior_auth.lines.all() if line.rxcui == rxcui), "")
    product = None if asked else formularies.that_answered(determination.formulary_version).product(rxcui)
    return asked or (product.name if product else rxcui)
