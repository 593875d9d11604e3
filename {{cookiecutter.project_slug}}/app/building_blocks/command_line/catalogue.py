"""`events`: what this service publishes and handles, from the wiring."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer

from app.building_blocks.command_line import options
from app.building_blocks.command_line.answers import say_json
from app.building_blocks.command_line.tables import block, table, terminal_width
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.operations.secret import has_secret
from app.building_blocks.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event, as its JSON has it."""

    name: str
    type: str
    is_required: bool
    is_secret: bool


@dataclass(frozen=True, slots=True)
class Event:
    """`published_by` are features, `handled_by` are consumers without the service's name."""

    topic: str
    event: str
    about: str
    key: str | None
    published_by: tuple[str, ...]
    handled_by: tuple[str, ...]
    fields: tuple[Field, ...]


def add_events(app: typer.Typer, wiring: Callable[[], Wiring]) -> None:
    text = """Every integration event that this service publishes or handles, with its fields.

    For example:

    \b
    python -m app events
    python -m app events --json
    """

    @app.command(help=text)
    def events(json: options.AsJson = False) -> None:
        found = catalogue_of(wiring())
        if json:
            say_json({"events": found})
        else:
            typer.echo("\n\n".join(_text(event) for event in found) or "No event.")


def catalogue_of(wiring: Wiring) -> list[Event]:
    """In the order of their topics."""
    handled = [subscription.event for subscription in wiring.subscriptions]
    events = {event.topic: event for event in [*wiring.published, *handled]}
    return [_event(wiring, event) for _, event in sorted(events.items())]


def _event(wiring: Wiring, event: type[IntegrationEvent]) -> Event:
    publishers = [
        feature.name
        for feature in wiring.features
        for _, converter in feature.converters
        if get_type_hints(converter)["return"] is event
    ]
    consumers = [one.name for one in wiring.subscriptions if one.event is event]
    fields = [
        Field(name, _name(field.annotation), field.is_required(), has_secret(field.annotation))
        for name, field in event.model_fields.items()
    ]
    about = inspect.cleandoc(event.__doc__ or "").partition("\n")[0]
    return Event(
        event.topic, event.__name__, about, event.key,
        tuple(dict.fromkeys(publishers)), tuple(consumers), tuple(fields),
    )  # fmt: skip


def _name(annotation: Any) -> str:
    """As one would write it, without modules and what pydantic adds."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _name(parts[0])
    if origin in (Union, UnionType):
        return " | ".join(map(_name, parts))
    if annotation is NoneType:
        return "None"
    name = getattr(annotation, "__name__", str(annotation))
    if origin is None:
        return "..." if annotation is Ellipsis else name
    return f"{name}[{', '.join(repr(p) if origin is Literal else _name(p) for p in parts)}]"


def _text(event: Event) -> str:
    head = {
        "event": event.event,
        "about": event.about,
        "key": event.key or "none: order does not matter",
        "published by": ", ".join(event.published_by) or "another service",
        "handled by": ", ".join(event.handled_by) or "nobody here",
    }
    return f"{event.topic}\n{_indented(block(head))}\n{_indented(_fields(event.fields))}"


def _fields(fields: Sequence[Field]) -> str:
    if not fields:
        return "no fields"
    rows = [
        {
            "field": field.name,
            "type": field.type,
            "marks": ", ".join(
                mark
                for mark, is_there in (
                    ("optional", not field.is_required),
                    ("secret", field.is_secret),
                )
                if is_there
            ),
        }
        for field in fields
    ]
    return table(rows, width=terminal_width(), shrinks=("type",))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
