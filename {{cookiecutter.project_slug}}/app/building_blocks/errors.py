"""What can go wrong in the business and in the wiring, in the words of the caller."""

from typing import Any


class DomainError(Exception):
    """A business rule says no. Over HTTP: 409."""


class NotFoundError(Exception):
    """The aggregate does not exist. Over HTTP: 404."""

    def __init__(self, kind: str, id: Any) -> None:
        super().__init__(f"{kind} {id} does not exist")


class ConflictError(Exception):
    """Somebody else changed the aggregate first (optimistic concurrency). Over HTTP: 409."""


class EventRefusedError(ValueError):
    """An integration event cannot be published as it is: too large, or not what JSON can hold."""


class BusyError(Exception):
    """The database could not be written to in time: try again. Over HTTP: 503."""


class ConfigurationError(Exception):
    """The service cannot start like this. Each problem is one sentence for the operator."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class WiringError(ConfigurationError):
    """The features do not fit together. Found when the app starts, never later."""
