"""Text that every database can keep."""

from typing import Annotated

from pydantic import Field

Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""A string without NUL, which some databases refuse."""


def storable(text: str) -> str:
    """What others wrote, so that every database can keep it."""
    no_surrogates = text.encode(errors="replace").decode()
    return no_surrogates.replace("\0", "\N{REPLACEMENT CHARACTER}")
