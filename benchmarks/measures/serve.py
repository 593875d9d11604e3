"""The service behind uvicorn, with or without the event of POST /orders."""

import argparse
import asyncio

import uvicorn
from app.main import create_app
from bench_features import all_features
from child import run, tell


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--without-event", action="store_true")
    chosen = parser.parse_args()
    app = create_app(features=all_features(with_event=not chosen.without_event))
    server = uvicorn.Server(
        uvicorn.Config(app, port=chosen.port, access_log=False, log_level="warning")
    )
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event
        await asyncio.sleep(0.01)
    if server.started:
        tell(ready=True)
    await serving


run(main())
