"""Carriers: named values that travel with all that a request causes."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from app.building_blocks.context import (
    CARRIED,
    CORRELATION_ID,
    ENVIRONMENT,
    TRACEPARENT,
    TRACESTATE,
    USABLE,
    is_usable,
)
from app.building_blocks.errors import ConfigurationError

_NAME = re.compile(r"[a-z][a-z0-9-]{0,49}")
_HTTP_NAMES = {
    CORRELATION_ID: "X-Request-ID",
    TRACEPARENT: "traceparent",
    TRACESTATE: "tracestate",
    ENVIRONMENT: "X-Environment",
}

FromRequest = Callable[[Request], str | None]


@dataclass(frozen=True, slots=True)
class Carrier:
    """A value under `name`, asked of the request by `from_request` whenever it is needed.

    So it may come of what authentication leaves behind, in a middleware or a dependency. None
    says that there is nothing (yet). It goes to other services as the header `http_header`,
    `X-` and the name unless told otherwise.
    """

    name: str
    from_request: FromRequest | None = None
    http_header: str = ""


class Carriers:
    """The carriers of a service, next to the ids and the trace context, which always travel.

    `trusted` names, for a carrier, the request header that is believed when the request says
    nothing else. `environment` is where this process belongs. Raises ConfigurationError.
    """

    def __init__(
        self,
        own: Sequence[Carrier] = (),
        trusted: Mapping[str, str] | None = None,
        environment: str = "",
    ) -> None:
        self.own, self.trusted, self.environment = own, trusted or {}, environment
        names = [carrier.name for carrier in own]
        problems = [
            f"Carrier {name!r}: use a-z, 0-9 and hyphens, at most 50."
            for name in names
            if not _NAME.fullmatch(name)
        ]
        reserved = {"content-type", "message-id", *CARRIED}
        problems += [
            f"Carrier {name!r}: the name is taken."
            for at, name in enumerate(names)
            if name in reserved or name.startswith("ce-") or name in names[:at]
        ]
        problems += [
            f"The header {header} is to be trusted for {name!r}, and there is no such carrier."
            for name, header in self.trusted.items()
            if header and name not in (*names, ENVIRONMENT)
        ]
        if problems:
            raise ConfigurationError(*problems)

    @property
    def names(self) -> tuple[str, ...]:
        """The headers that cross the broker, both ways."""
        return (*CARRIED, *(carrier.name for carrier in self.own))

    @property
    def stamp(self) -> dict[str, str]:
        """What this process puts on that which says nothing of it."""
        return {ENVIRONMENT: self.environment} if self.environment else {}

    def of_request(self, request: Request) -> dict[str, str]:
        """What the request holds by now. Raises what a `from_request` raises, and ValueError."""
        found: dict[str, str] = {}
        for carrier in self.own:
            value = carrier.from_request(request) if carrier.from_request else None
            if value is None:
                value = self._trusted(request, carrier.name) or None
            if value is None:
                continue
            if not is_usable(value):
                # Left out in silence, an event would seem to belong to nobody.
                raise ValueError(f"carrier {carrier.name}: {value!r} is not {USABLE}")
            found[carrier.name] = value
        return found

    def environment_of(self, request: Request) -> str:
        """Where the request belongs: where it came to, unless a trusted header says more."""
        return self._trusted(request, ENVIRONMENT) or self.environment

    def http_headers(self, context: Mapping[str, str]) -> dict[str, str]:
        """`context` as headers of a request to another service."""
        names = dict(_HTTP_NAMES)
        for carrier in self.own:
            names[carrier.name] = carrier.http_header or f"X-{carrier.name.title()}"
        return {names[name]: value for name, value in context.items() if name in names}

    def _trusted(self, request: Request, name: str) -> str:
        header = self.trusted.get(name)
        return request.headers.get(header, "") if header else ""


def from_state(name: str) -> FromRequest:
    """Reads `request.state.<name>`, where an authentication may have put it."""

    def read(request: Request) -> str | None:
        value = getattr(request.state, name, None)
        return None if value is None else str(value)

    return read
