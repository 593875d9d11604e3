"""Integration events: what a feature tells the rest of the world, its public contract."""

import re
from typing import Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, SecretStr

from app.building_blocks.plain_json import not_plain

_TOPIC = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.v[1-9][0-9]*")


class IntegrationEvent(BaseModel):
    """A fact in plain JSON, published on an explicit, versioned topic.

    `topic` names the stream, as in `orders.order-created.v1`. `key` names the field whose
    value orders the events: those of one key are delivered in the order they were written.
    `None` means that order does not matter.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        # An error must not bring a payload into the log.
        hide_input_in_errors=True,
        ser_json_inf_nan="strings",
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )

    topic: ClassVar[str]
    key: ClassVar[str | None] = None

    @property
    def ordering_key(self) -> str | None:
        """The value of the key field, or None when the event has no key."""
        value = None if self.key is None else getattr(self, self.key)
        return None if value is None else str(value)


def problems_of(event: type[IntegrationEvent]) -> list[str]:
    """One sentence for each thing that is wrong with the declaration of `event`."""
    problems = not_plain(event)
    topic: Any = getattr(event, "topic", None)
    if not event.__name__.endswith("IntegrationEvent"):
        problems.append(f"{event.__name__}: the name of an integration event ends that way.")
    if not isinstance(topic, str) or not _TOPIC.fullmatch(topic) or len(topic) > 200:
        problems.append(
            f"{event.__name__}.topic is {topic!r}: write lower-case words and a version, "
            "such as 'orders.order-created.v1', 200 characters at most."
        )
    if event.key is not None and event.key not in event.model_fields:
        problems.append(f"{event.__name__}.key names {event.key!r}, which is not a field of it.")
    elif event.key is not None and _is_secret(event.model_fields[event.key].annotation):
        problems.append(f"{event.__name__}.key names {event.key!r}, a secret: keys are shown.")
    return problems


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))
