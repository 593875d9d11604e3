"""The brokers that this service can use, by the scheme of BROKER_URL."""

from prometheus_client import CollectorRegistry

from app.building_blocks.brokers.adapter import BrokerAdapter
from app.building_blocks.brokers.choice import Adapters, open_adapter
from app.building_blocks.brokers.memory.adapter import MemoryAdapter

BROKERS: Adapters = {"memory": MemoryAdapter}


def check_broker_url(url: str) -> None:
    """Raises ConfigurationError when this service cannot use `url`."""
    open_adapter(BROKERS, url, "check")


def open_broker(url: str, service: str, registry: CollectorRegistry | None = None) -> BrokerAdapter:
    """Prepare, without connecting yet. Raises ConfigurationError.

    FastStream's own metrics go into `registry`.
    """
    return open_adapter(BROKERS, url, service, registry)
