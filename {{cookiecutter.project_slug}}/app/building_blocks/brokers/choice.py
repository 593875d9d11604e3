"""Finds the adapter for a BROKER_URL."""

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import urlsplit

from app.building_blocks.errors import ConfigurationError

T = TypeVar("T")


def adapter_for(adapters: Mapping[str, T], url: str) -> T:
    """The one registered for the scheme of `url`. Raises ConfigurationError."""
    accepted = ", ".join(f"{scheme}://" for scheme in adapters)
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        raise ConfigurationError(
            f"BROKER_URL is not a URL; this service was generated for {accepted}."
        ) from None
    if not scheme:
        raise ConfigurationError(
            f"BROKER_URL has no scheme; this service was generated for {accepted}."
        )
    if scheme not in adapters:
        raise ConfigurationError(
            f"BROKER_URL starts with {scheme}://, but this service was generated for {accepted}."
        )
    return adapters[scheme]
