"""Publishes on JetStream, which confirms that a stream has stored a message."""

import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from nats.aio.msg import Msg
from nats.errors import Error, NoRespondersError
from nats.js.errors import APIError

from app.building_blocks.brokers.adapter import (
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
)
from app.building_blocks.brokers.nats.jetstream import JetStream
from app.building_blocks.brokers.nats.wire import encode
from app.building_blocks.brokers.together import Outcomes, publish_each

# JetStream's numbers for a message, and for headers, above its limits.
TOO_LARGE = {10054, 10097}


async def publish(message: BrokerMessage, jetstream: JetStream) -> None:
    """Return once a stream has stored it. When none captures its topic, the own one will.

    Raises MessageRefusedError, nats.errors.Error and TimeoutError.
    """
    headers = encode(message, jetstream.client.max_payload)
    try:
        try:
            answer = await jetstream.request(message.topic, message.body, headers)
        except NoRespondersError:
            await jetstream.declare([message.topic])
            answer = await jetstream.request(message.topic, message.body, headers)
    except APIError as error:
        if error.err_code in TOO_LARGE:
            raise MessageRefusedError(f"JetStream refuses this message: {error}") from error
        raise
    if "stream" not in answer:
        raise Error(f"another program answers on {message.topic} as if it were JetStream")


async def publish_together(
    messages: Sequence[BrokerMessage],
    jetstream: JetStream,
    alone: Callable[[BrokerMessage], Awaitable[None]],
    seconds: float,
) -> Outcomes:
    """What is not stored within `seconds` goes `alone` once more, which finds out why.

    JetStream knows a message by its id, and stores it once. What got no answer at all would only
    wait as long again. Raises nats.errors.Error.
    """
    try:
        requests = [
            (message.topic, message.body, encode(message, jetstream.client.max_payload))
            for message in messages
        ]
    except MessageRefusedError:
        return await publish_each(alone, messages)
    stored = [
        answer and _is_stored(answer) for answer in await jetstream.ask_all(requests, seconds)
    ]
    rest = [each for each, is_stored in zip(messages, stored, strict=True) if is_stored is False]
    of_those = iter(await publish_each(alone, rest))
    return [
        next(of_those) if is_stored is False else None if is_stored else _silence()
        for is_stored in stored
    ]


def _silence() -> BrokerUnavailableError:
    return BrokerUnavailableError("JetStream did not answer in time: try again later")


def _is_stored(answer: Msg) -> bool:
    with suppress(ValueError):
        told = json.loads(answer.data)
        return isinstance(told, dict) and "stream" in told and "error" not in told
    return False
