"""`/asyncapi`: the AsyncAPI document, as JSON for programs and as a page for people."""

import json
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from app.building_blocks.asyncapi import asyncapi_document
from app.building_blocks.wiring import Wiring

_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } th { text-align: left }
td, th { border-bottom: 1px solid #8884; padding: .4rem .6rem; vertical-align: top }
pre { background: #8882; padding: 1rem; overflow: auto } code { overflow-wrap: anywhere }
"""


def asyncapi_router(wiring: Wiring, service: str) -> APIRouter:
    """Answers a browser with the page and everything else with the document."""
    router = APIRouter(tags=["operations"])
    document = asyncapi_document(wiring, service)
    page = _page(document)

    @router.get("/asyncapi")
    async def asyncapi(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(page)
        return JSONResponse(document)

    return router


def _page(document: dict[str, Any]) -> str:
    title = escape(document["info"]["title"])
    rows = "".join(_row(name, one) for name, one in document["operations"].items())
    messages = "".join(_message(one) for one in document["components"]["messages"].values())
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title} events</title>"
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>"
        f"<h1>{title}: events</h1><table><tr><th>Action<th>Topic<th>Consumer</tr>{rows}</table>"
        f"{messages}</html>"
    )


def _row(name: str, operation: dict[str, Any]) -> str:
    topic = operation["channel"]["$ref"].removeprefix("#/channels/")
    cells = (operation["action"], topic, operation.get("title", ""))
    return f"<tr>{''.join(f'<td><code>{escape(cell)}</code>' for cell in cells)}</tr>"


def _message(message: dict[str, Any]) -> str:
    schema = escape(json.dumps(message["payload"], indent=2, ensure_ascii=False))
    return (
        f"<h2>{escape(message['title'])}</h2><p><code>{escape(message['name'])}</code> "
        f"{escape(message['summary'])}</p><pre>{schema}</pre>"
    )
