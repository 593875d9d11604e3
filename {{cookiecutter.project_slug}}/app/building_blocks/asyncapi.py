"""The service's contract with other services, as an AsyncAPI 3 document.

The wire format is CloudEvents 1.0 in binary mode, so the headers are its attributes, named as
the broker's binding names them, and what travels with every request.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from app.building_blocks.brokers.adapter import Binding
from app.building_blocks.context import CARRIED, CORRELATION_ID
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.wiring import Wiring

_ATTRIBUTES = {
    "specversion": "CloudEvents version, 1.0",
    "id": "unique id of the message; duplicates carry the same",
    "type": "the topic",
    "source": "the service that published it",
    "time": "when it was written, RFC 3339",
}


class AsyncApi:
    """Writes the document for one broker: its URL, and how others speak of it."""

    def __init__(
        self, service: str, broker_url: str, binding: Binding, carried: Sequence[str] = CARRIED
    ) -> None:
        self._service, self._binding, self._carried = service, binding, carried
        self._hosts = _hosts_of(broker_url)

    def document(self, wiring: Wiring) -> dict[str, Any]:
        """Every published and consumed event, with topic, payload schema and headers."""
        consumed = {subscription.event for subscription in wiring.subscriptions}
        events = {event.topic: event for event in [*wiring.published, *consumed]}
        operations = {f"send.{e.topic}": _operation("send", e) for e in wiring.published}
        for subscription in wiring.subscriptions:
            name = f"receive.{subscription.event.topic}.{subscription.name}"
            operations[name] = _operation("receive", subscription.event)
            operations[name]["title"] = f"{self._service}.{subscription.name}"
        return {
            "asyncapi": "3.0.0",
            "info": {"title": self._service, "version": "1.0.0"},
            "defaultContentType": "application/json",
            **self._servers(),
            "channels": {topic: _channel(event) for topic, event in sorted(events.items())},
            "operations": operations,
            "components": {
                "messages": {topic: self._message(event) for topic, event in events.items()}
            },
        }

    def _servers(self) -> dict[str, Any]:
        """The broker's servers without a login; none when it is this process."""
        servers = {
            f"broker-{number}": {"host": host, "protocol": self._binding.protocol}
            for number, host in enumerate(self._hosts, 1)
        }
        return {"servers": servers} if servers else {}

    def _message(self, event: type[IntegrationEvent]) -> dict[str, Any]:
        attributes = dict(_ATTRIBUTES)
        if event.key:
            attributes["subject"] = f"the ordering key: {event.key}"
        prefix = self._binding.attribute_prefix
        headers = {f"{prefix}{name}": _text(told) for name, told in attributes.items()}
        travels = _text("travels with the request, when there is one")
        headers |= dict.fromkeys(self._carried, travels)
        required = [f"{prefix}{name}" for name in _ATTRIBUTES]
        return {
            "name": event.topic,
            "title": event.__name__,
            "summary": (event.__doc__ or "").strip().partition("\n")[0],
            "contentType": "application/json",
            "correlationId": {"location": f"$message.header#/{CORRELATION_ID}"},
            "headers": {"type": "object", "properties": headers, "required": required},
            "payload": event.model_json_schema(mode="serialization", ref_template=_ref_to(event)),
        }


def _hosts_of(broker_url: str) -> list[str]:
    """Host and port of each server, without what comes before the last @, a login with any sign.

    Some brokers take a list that repeats the scheme.
    """
    scheme = re.escape(f"{urlsplit(broker_url).scheme}://")
    urls = re.split(f",?{scheme}", broker_url)
    places = [url.rpartition("@")[2] for url in urls]
    hosts = [host for place in places for host in re.split("[/?#]", place)[0].split(",")]
    return [host for host in hosts if host]


def _channel(event: type[IntegrationEvent]) -> dict[str, Any]:
    message = {"$ref": f"#/components/messages/{event.topic}"}
    return {"address": event.topic, "messages": {event.__name__: message}}


def _operation(action: str, event: type[IntegrationEvent]) -> dict[str, Any]:
    channel = f"#/channels/{event.topic}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event.__name__}"}],
    }


def _text(description: str) -> dict[str, str]:
    return {"type": "string", "description": description}


def _ref_to(event: type[IntegrationEvent]) -> str:
    return f"#/components/messages/{event.topic}/payload/$defs/{{model}}"
