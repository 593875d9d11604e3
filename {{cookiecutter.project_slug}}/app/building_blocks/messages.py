"""The messages inside a service: commands and queries ask, domain events tell."""

from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

R = TypeVar("R")


class Message(BaseModel):
    """Immutable, and strict about its fields."""

    # An error must not bring what is in a message into the log.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Command(Message, Generic[R]):
    """Asks for a change; exactly one handler carries it out and answers an `R`.

    `conflict_retries`: how often the mediator starts over, in a new transaction, when
    somebody else changed an aggregate first. 0 reports the conflict to the caller.
    """

    conflict_retries: ClassVar[int] = 0


class Query(Message, Generic[R]):
    """Asks for an `R` and changes nothing."""


class DomainEvent(Message):
    """Something that happened inside one feature. Named in the past tense."""


def result_type(message: type[Command[Any]] | type[Query[Any]]) -> Any:
    """The `R` of a concrete command or query, or `Any` where it was left out."""
    for base in message.__mro__:
        arguments = getattr(base, "__pydantic_generic_metadata__", {}).get("args", ())
        if arguments:
            return arguments[0]
    return Any
