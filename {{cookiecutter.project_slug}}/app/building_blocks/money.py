"""Money: an exact decimal with two places, a string in JSON."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

_CENT = Decimal("0.01")


def _with_two_places(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT)


Money = Annotated[Decimal, Field(max_digits=12, decimal_places=2), AfterValidator(_with_two_places)]
