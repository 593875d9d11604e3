"""Columns that SQLModel would map differently on each database."""

from enum import StrEnum
from typing import Any

from sqlalchemy import Enum
from sqlmodel import Field


def text_enum(kind: type[StrEnum], *, default: StrEnum) -> Any:
    """A column that holds the enum's value as text and reads back as its member.

    A native enum type would need a migration for each new member.
    """
    values = Enum(
        kind, native_enum=False, create_constraint=False, length=30, values_callable=_values
    )
    return Field(default=default, sa_type=values)


def _values(kind: type[StrEnum]) -> list[str]:
    return [member.value for member in kind]
