"""Many publishes at the same time, and what became of each."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from app.building_blocks.brokers.adapter import BrokerMessage

Outcomes = Sequence[Exception | None]


async def publish_each(
    publish: Callable[[BrokerMessage], Awaitable[None]], messages: Sequence[BrokerMessage]
) -> Outcomes:
    """`publish_all` for a broker that has nothing quicker than a `publish` for each."""

    async def outcome(message: BrokerMessage) -> Exception | None:
        try:
            await publish(message)
        except Exception as error:
            return error
        return None

    if len(messages) == 1:
        return [await outcome(messages[0])]
    return await asyncio.gather(*map(outcome, messages))


async def publish_one(
    publish_all: Callable[[Sequence[BrokerMessage]], Awaitable[Outcomes]], message: BrokerMessage
) -> None:
    """`publish` for a broker whose own way is to publish many."""
    [error] = await publish_all([message])
    if error is not None:
        raise error


async def cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancel them and wait for their end, whatever it is."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def settled(answers: Sequence[asyncio.Future[Any]], seconds: float | None = None) -> None:
    """Return when each has its answer. Those that have none after `seconds` are cancelled."""
    try:
        if answers:
            await asyncio.wait(answers, timeout=seconds)
    finally:
        for answer in answers:
            if not answer.cancel() and not answer.cancelled():
                # Or asyncio would complain when nobody comes to ask for it.
                answer.exception()
