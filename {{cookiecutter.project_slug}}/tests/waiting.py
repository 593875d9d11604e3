"""Waiting for what happens in the background."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    look: Callable[[], Awaitable[T]], *, deadline: float = 10.0, what: str = "the condition"
) -> T:
    """Look again and again until the answer is truthy; fail after `deadline` seconds."""
    until = time.monotonic() + deadline
    while True:
        answer = await look()
        if answer:
            return answer
        if time.monotonic() > until:
            raise AssertionError(f"{what} did not come true within {deadline} s: {answer!r}")
        await asyncio.sleep(0.01)
