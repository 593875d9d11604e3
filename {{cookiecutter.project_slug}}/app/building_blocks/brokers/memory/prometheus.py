"""FastStream's own Prometheus metrics for the in-memory broker."""

from faststream import StreamMessage
from faststream.prometheus import ConsumeAttrs, MetricsSettingsProvider
from faststream.prometheus.middleware import PrometheusMiddleware
from faststream.response import PublishCommand
from prometheus_client import CollectorRegistry

from app.building_blocks.brokers.memory.message import Envelope


class MemoryPrometheusMiddleware(PrometheusMiddleware[Envelope, PublishCommand]):
    """What FastStream has for each of its own brokers, too."""

    def __init__(self, *, registry: CollectorRegistry, app_name: str) -> None:
        super().__init__(
            settings_provider_factory=lambda _: _Labels(), registry=registry, app_name=app_name
        )


class _Labels(MetricsSettingsProvider[Envelope, PublishCommand]):
    """A received message is counted under its group, a published one under its topic."""

    def __init__(self) -> None:
        self.messaging_system = "memory"

    def get_consume_attrs_from_message(self, msg: StreamMessage[Envelope]) -> ConsumeAttrs:
        group, size = msg.raw_message.group, len(msg.body)
        return {"destination_name": group, "message_size": size, "messages_count": 1}

    def get_publish_destination_name_from_cmd(self, cmd: PublishCommand) -> str:
        return cmd.destination
