"""Opens the adapter for a BROKER_URL."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry

from app.building_blocks.brokers.adapter import BrokerAdapter
from app.building_blocks.errors import ConfigurationError

Adapters = Mapping[str, Callable[..., BrokerAdapter]]
"""By the scheme of a URL: what makes an adapter of the URL, the service's name and `registry`."""


def open_adapter(
    adapters: Adapters, url: str, service: str, registry: CollectorRegistry | None = None
) -> BrokerAdapter:
    """The one for the scheme of `url`, not connected yet. Raises ConfigurationError.

    FastStream's own metrics go into `registry`.
    """
    accepted = ", ".join(f"{scheme}://" for scheme in adapters)
    try:
        scheme = urlsplit(url).scheme
        if scheme in adapters:
            return adapters[scheme](url, service, registry=registry)
    except ValueError as error:
        raise ConfigurationError(
            f"BROKER_URL cannot be used ({error}); this service was generated for {accepted}."
        ) from None
    found = f"starts with {scheme}://" if scheme else "has no scheme"
    raise ConfigurationError(f"BROKER_URL {found}, but this service was generated for {accepted}.")
