"""Health: live means that the loop runs; ready means that the service can do its work."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, Response

Check = Callable[[], Awaitable[str | None]]
"""Answers None, or why the service is not ready, as a sentence."""

_LONGEST_CHECK_SECONDS = 2.0


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """`/health/live` and `/health/ready`, which answers 503 with the reasons."""
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/ready", responses={503: {"description": "Not ready, with the reasons"}})
    async def ready(response: Response) -> dict[str, object]:
        problems = {name: why for name, why in (await answers(checks)).items() if why}
        response.status_code = 503 if problems else 200
        return {
            "status": "not ready" if problems else "ok",
            "checks": {name: problems.get(name, "ok") for name in checks},
        }

    return router


async def answers(checks: Mapping[str, Check]) -> dict[str, str | None]:
    """What each check says now; one that takes too long or fails says that."""
    said = await asyncio.gather(*(_run(check) for check in checks.values()))
    return dict(zip(checks, said, strict=True))


async def _run(check: Check) -> str | None:
    try:
        async with asyncio.timeout(_LONGEST_CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return f"no answer within {_LONGEST_CHECK_SECONDS} s"
    except Exception as error:
        # SQLAlchemy adds the statement and an address of its documentation.
        told = str(getattr(error, "orig", None) or error).strip().splitlines()
        return ": ".join((type(error).__name__, *told[:1]))
