"""Which types an integration event may hold: those that any language reads from plain JSON."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic.functional_serializers import PlainSerializer

_SIMPLE = (
    str, int, float, bool, NoneType, bytes,
    Decimal, UUID, datetime, date, time, timedelta,
)  # fmt: skip
_CONTAINERS = (list, tuple, set, frozenset, dict)


def not_plain(model: type[BaseModel]) -> list[str]:
    """One sentence for each field of `model` that is more than plain JSON."""
    return [
        f"{model.__name__}.{name} is {_name(field.annotation)}: an integration event holds only "
        "simple types and frozen models of them. Copy the values it needs into fields of its own."
        for name, field in model.model_fields.items()
        if not _is_plain(_declared(field), (model,))
    ]


def _declared(field: FieldInfo) -> Any:
    """Its annotation with what pydantic has taken out of it."""
    kind = field.annotation
    return Annotated[kind, *field.metadata] if field.metadata else kind


def _is_plain(annotation: Any, within: tuple[type, ...]) -> bool:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return all(isinstance(value, str | int | bool | NoneType) for value in arguments)
    if origin is Annotated and arguments[0] is SecretStr:
        # Pydantic would write asterisks; with a serialiser, as `Secret` has one, the value travels.
        return any(isinstance(extra, PlainSerializer) for extra in arguments[1:])
    if origin is Annotated:
        return _is_plain(arguments[0], within)
    if origin in (Union, UnionType) or origin in _CONTAINERS:
        return all(argument is Ellipsis or _is_plain(argument, within) for argument in arguments)
    if not isinstance(annotation, type):
        return False
    if issubclass(annotation, Enum):
        return all(isinstance(member.value, str | int) for member in annotation)
    if issubclass(annotation, BaseModel):
        return annotation in within or _is_plain_model(annotation, (*within, annotation))
    return annotation in _SIMPLE


def _is_plain_model(model: type[BaseModel], within: tuple[type, ...]) -> bool:
    # An ORM entity is a pydantic model too (SQLModel): a table gives it away.
    is_entity = hasattr(model, "__table__") or hasattr(model, "metadata")
    fields = model.model_fields.values()
    is_frozen = bool(model.model_config.get("frozen"))
    return not is_entity and is_frozen and all(_is_plain(_declared(f), within) for f in fields)


def _name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
