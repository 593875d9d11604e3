"""Lets requests to other services carry what the request or message at hand carries.

client = httpx.AsyncClient(event_hooks={"request": [add_context]})
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.building_blocks.carriers import Carriers
from app.building_blocks.context import current_carriers, current_context

if TYPE_CHECKING:
    import httpx


def outgoing_headers() -> dict[str, str]:
    """`X-Request-ID`, `traceparent` and the carriers of now, for a client of any kind."""
    return (current_carriers() or Carriers()).http_headers(current_context())


async def add_context(request: httpx.Request) -> None:
    """An event hook of httpx; a header that the request has already stays as it is.

    Only for clients of services that may know the tenant.
    """
    for name, value in outgoing_headers().items():
        request.headers.setdefault(name, value)
