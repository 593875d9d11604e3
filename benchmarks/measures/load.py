"""Sends POST /orders as fast as the answers come, over so many connections that stay open."""

import argparse
import asyncio
import time

from child import quantile, run, tell

BODY = b'{"customer": "ada", "amount": "12.50"}'
REQUEST = (
    b"POST /orders HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(BODY), BODY)
)
WARM_UP = 0.3


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    chosen = parser.parse_args()
    begun = time.perf_counter() + WARM_UP
    ended = begun + chosen.seconds
    clients = (_client(chosen.port, begun, ended) for _ in range(chosen.concurrency))
    times = [seconds for client in await asyncio.gather(*clients) for seconds in client]
    if not times:
        raise RuntimeError(f"no answer within {chosen.seconds} s")
    tell(
        rate=len(times) / chosen.seconds,
        p50=1000 * quantile(times, 0.5),
        p99=1000 * quantile(times, 0.99),
    )


async def _client(port: int, begun: float, ended: float) -> list[float]:
    """Seconds of each answer that came between the two moments."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times: list[float] = []
    while (sent := time.perf_counter()) < ended:
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 201"):
            raise RuntimeError(f"the service answers {head.splitlines()[0]!r}")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
        await reader.readexactly(int(length))
        answered = time.perf_counter()
        if begun <= answered <= ended:
            times.append(answered - sent)
    writer.close()
    return times


run(main())
