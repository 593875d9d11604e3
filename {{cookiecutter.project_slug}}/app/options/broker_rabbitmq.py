"""The brokers that this service can use, by the scheme of BROKER_URL."""

from collections.abc import Callable, Mapping

from app.building_blocks.brokers.adapter import BrokerAdapter
from app.building_blocks.brokers.choice import adapter_for
from app.building_blocks.brokers.memory import MemoryAdapter
from app.building_blocks.brokers.rabbitmq import RabbitAdapter

BROKERS: Mapping[str, Callable[[str, str], BrokerAdapter]] = {
    "memory": MemoryAdapter,
    "amqp": RabbitAdapter,
    "amqps": RabbitAdapter,
}


def check_broker_url(url: str) -> None:
    """Raises ConfigurationError when this service cannot use `url`."""
    adapter_for(BROKERS, url)


def open_broker(url: str, service: str) -> BrokerAdapter:
    """Prepare, without connecting yet. Raises ConfigurationError."""
    return adapter_for(BROKERS, url)(url, service)
