"""Text that every database can keep, and that every terminal only shows."""

from typing import Annotated

from pydantic import Field

Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""A string without NUL, which some databases refuse."""


def storable(text: str) -> str:
    """What others wrote, so that every database can keep it."""
    no_surrogates = text.encode(errors="replace").decode()
    return no_surrogates.replace("\0", "\N{REPLACEMENT CHARACTER}")


def printable(text: str) -> str:
    """`text` with its control characters spelled out: a payload must not drive the terminal."""
    return "".join(
        sign if sign.isprintable() or sign == "\n" else sign.encode("unicode_escape").decode()
        for sign in text
    )
