"""Orders over HTTP, and the ledger: what the service has promised by answering 201."""

import asyncio
import json
import random
from collections.abc import Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from app.features.payments.domain import LIMIT
from tests.faults.errors import CannotRunError
from tests.faults.replica import Replica

_AMOUNTS = ("0.01", "12.50", "999.99", "1000.00", "1000.01", "2500.00")
_PATIENCE = 15.0  # seconds for an answer: longer than a stop or a trouble lasts
_PAGE = 100


def expected_status(amount: str) -> str:
    """How an order of this amount has to end."""
    return "paid" if Decimal(amount) <= LIMIT else "cancelled"


class Orders:
    """Posts released orders to processes at random, once each, and keeps the ledger.

    `answered` holds the amounts by the ids that were answered with 201. Of an order without an
    answer nothing is known: it may exist or not.
    """

    def __init__(self, replicas: Sequence[Replica], total: int, ledger: Path) -> None:
        self.answered: dict[str, str] = {}
        self.unanswered = 0
        self._replicas = replicas
        self._ledger = ledger
        self._numbers = iter(range(total))
        self._total = total
        self._released: asyncio.Queue[int] = asyncio.Queue()

    @property
    def all_posted(self) -> bool:
        return len(self.answered) + self.unanswered == self._total

    def release(self, count: int) -> None:
        """Let up to `count` more orders be posted."""
        for number in islice(self._numbers, count):
            self._released.put_nowait(number)

    async def post(self, concurrency: int) -> None:
        """Post what is released, `concurrency` at a time, until cancelled."""
        async with httpx.AsyncClient(timeout=_PATIENCE) as client, asyncio.TaskGroup() as workers:
            for _ in range(concurrency):
                workers.create_task(self._work(client))

    async def _work(self, client: httpx.AsyncClient) -> None:
        while True:
            number = await self._released.get()
            amount = random.choice(_AMOUNTS)
            body = {"customer": f"customer-{number}", "amount": amount}
            url = (await self._somebody()).url
            try:
                answer = await client.post(f"{url}/orders", json=body)
            except httpx.TransportError:
                self.unanswered += 1
                continue
            if answer.is_server_error:
                self.unanswered += 1
            elif answer.status_code == httpx.codes.CREATED:
                self._write_down(answer.json()["id"], amount)
            else:
                raise CannotRunError(
                    f"POST /orders {body} was answered with {answer.status_code}, which is neither "
                    f"a promise nor a failure: {answer.text[:300]}"
                )

    async def _somebody(self) -> Replica:
        while True:
            if serving := [one for one in self._replicas if one.serving.is_set()]:
                return random.choice(serving)
            await asyncio.sleep(0.05)

    def _write_down(self, order: str, amount: str) -> None:
        self.answered[order] = amount
        line = {"order": order, "amount": amount, "expected": expected_status(amount)}
        with self._ledger.open("a", encoding="utf-8") as ledger:
            ledger.write(json.dumps(line) + "\n")


async def all_orders(url: str) -> dict[str, dict[str, Any]]:
    """Every order of the service by its id, page by page."""
    found: dict[str, dict[str, Any]] = {}
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        after: dict[str, str] = {}
        while True:
            answer = await client.get("/orders", params={"limit": _PAGE, **after})
            page = answer.raise_for_status().json()
            found |= {order["id"]: order for order in page["items"]}
            if page["next"] is None:
                return found
            after = {"after": page["next"]}
