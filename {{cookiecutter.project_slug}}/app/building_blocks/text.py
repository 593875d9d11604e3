"""Text that every database can keep."""

from typing import Annotated

from pydantic import Field

Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""A string without NUL, which some databases refuse."""
