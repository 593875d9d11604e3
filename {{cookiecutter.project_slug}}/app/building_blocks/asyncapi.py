"""The service's contract with other services, as an AsyncAPI 3 document."""

from typing import Any

from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.wiring import Wiring

_HEADERS = {
    "ce-specversion": "CloudEvents version, 1.0",
    "ce-id": "unique id of the message; duplicates carry the same",
    "ce-type": "the topic",
    "ce-source": "the service that published it",
    "ce-time": "when it was written, RFC 3339",
}


def asyncapi_document(wiring: Wiring, service: str) -> dict[str, Any]:
    """Every published and consumed event, with topic, payload schema and headers."""
    consumed = {subscription.event for subscription in wiring.subscriptions}
    events = {event.topic: event for event in [*wiring.published, *consumed]}
    operations = {f"send.{event.topic}": _operation("send", event) for event in wiring.published}
    for subscription in wiring.subscriptions:
        name = f"receive.{subscription.event.topic}.{subscription.name}"
        operations[name] = _operation("receive", subscription.event)
        operations[name]["title"] = f"{service}.{subscription.name}"
    return {
        "asyncapi": "3.0.0",
        "info": {"title": service, "version": "1.0.0"},
        "defaultContentType": "application/json",
        "channels": {topic: _channel(event) for topic, event in sorted(events.items())},
        "operations": operations,
        "components": {"messages": {e.__name__: _message(e) for e in events.values()}},
    }


def _channel(event: type[IntegrationEvent]) -> dict[str, Any]:
    message = {"$ref": f"#/components/messages/{event.__name__}"}
    return {"address": event.topic, "messages": {event.__name__: message}}


def _operation(action: str, event: type[IntegrationEvent]) -> dict[str, Any]:
    channel = f"#/channels/{event.topic}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event.__name__}"}],
    }


def _message(event: type[IntegrationEvent]) -> dict[str, Any]:
    headers = {name: {"type": "string", "description": text} for name, text in _HEADERS.items()}
    if event.key:
        headers["ce-subject"] = {"type": "string", "description": f"the ordering key: {event.key}"}
    payload = event.model_json_schema(mode="serialization", ref_template=_ref_to(event))
    return {
        "name": event.topic,
        "title": event.__name__,
        "summary": (event.__doc__ or "").strip().partition("\n")[0],
        "headers": {"type": "object", "properties": headers, "required": list(_HEADERS)},
        "payload": payload,
    }


def _ref_to(event: type[IntegrationEvent]) -> str:
    return f"#/components/messages/{event.__name__}/payload/$defs/{{model}}"
