"""The package faststream-outbox relays the same rows from PostgreSQL to RabbitMQ.

It runs in an environment of its own, without the packages of the service. Its settings are those
that its pages on performance and on subscribers name for a high rate: many workers, large fetches,
deletes in batches, a short poll. Among the numbers tried, these were the fastest here.
"""

import argparse
import asyncio
import json
import logging
import os
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from child import ready, run, tell, until
from faststream.rabbit import ExchangeType, RabbitBroker, RabbitExchange
from faststream_outbox import OutboxBroker, make_outbox_table
from sqlalchemy import MetaData, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

WORKERS, FETCHED, DELETED = 32, 500, 100
TOPIC = "orders.order-created.v1"
metadata = MetaData()
table = make_outbox_table(metadata, table_name="faststream_outbox")


def _row() -> tuple[dict[str, str], dict[str, str]]:
    """The body and the headers of what the service publishes, under the same names."""
    order, message_id = str(uuid4()), str(uuid4())
    headers = {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": message_id,
        "cloudEvents:type": TOPIC,
        "cloudEvents:source": "/bench",
        "cloudEvents:time": datetime.now(UTC).isoformat(),
        "cloudEvents:subject": order,
        "correlation-id": message_id,
    }
    return {"order_id": order, "customer": "ada", "amount": "12.50"}, headers


async def _fill(engine: AsyncEngine, rows: int) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
    for start in range(0, rows, 1000):
        batch = []
        for _ in range(min(1000, rows - start)):
            body, headers = _row()
            batch.append({"queue": "orders", "payload": json.dumps(body).encode()})
            batch[-1]["headers"] = headers | {"content-type": "application/json"}
        async with engine.begin() as connection:
            await connection.execute(table.insert(), batch)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    rows: int = parser.parse_args().rows
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url, pool_size=WORKERS + 8)
    quiet = logging.getLogger("quiet")
    quiet.setLevel(logging.ERROR)
    boxes = OutboxBroker(engine, outbox_table=table, logger=quiet)
    rabbit = RabbitBroker(os.environ["BROKER_URL"], logger=quiet)
    exchange = RabbitExchange("integration-events", type=ExchangeType.TOPIC, durable=True)

    @rabbit.publisher(routing_key=TOPIC, exchange=exchange, persist=True)
    @boxes.subscriber(
        "orders",
        max_workers=WORKERS,
        fetch_batch_size=FETCHED,
        terminal_flush_batch_size=DELETED,
        min_fetch_interval=0.01,
        max_fetch_interval=0.1,
        propagate_inbound_headers=True,
    )
    async def relay(body: dict[str, Any]) -> dict[str, Any]:
        return body

    await _fill(engine, rows)
    await rabbit.start()

    async def drained() -> bool:
        await asyncio.sleep(0.04)
        async with engine.connect() as connection:
            return await connection.scalar(select(func.count()).select_from(table)) == 0

    await ready()
    begun, cpu = time.monotonic(), time.process_time()
    await boxes.start()
    await until(drained, 300, "all rows are relayed")
    ended, cpu = time.monotonic(), time.process_time() - cpu
    tell(rows=rows, begun=begun, ended=ended, cpu=cpu)
    await boxes.stop()
    await rabbit.stop()
    await engine.dispose()


run(main())
