"""`/asyncapi`: the AsyncAPI document, as JSON for programs and as a page for people."""

from collections.abc import Callable
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from app.building_blocks.http.asyncapi_page import page_of


def asyncapi_router(make_document: Callable[[], dict[str, Any]]) -> APIRouter:
    """Answers a browser with the page and everything else with the document.

    They are made when somebody asks for them: the start need not wait for that.
    """
    router = APIRouter(tags=["operations"])
    document = cache(make_document)

    @cache
    def page() -> str:
        return page_of(document())

    @router.get("/asyncapi")
    async def asyncapi(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(page())
        return JSONResponse(document())

    @router.get("/asyncapi.json")
    async def asyncapi_json() -> JSONResponse:
        return JSONResponse(document())

    return router
