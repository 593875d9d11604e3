"""The AsyncAPI document as a page that a person can read: no script, nothing from outside."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% } th { text-align: left }
td, th { border-bottom: 1px solid #8884; padding: .4rem .6rem; vertical-align: top }
pre { background: #8882; padding: 1rem; overflow: auto } code { overflow-wrap: anywhere }
h2 { margin-top: 3rem; overflow-wrap: anywhere } summary { cursor: pointer; margin: .6rem 0 }
"""


def page_of(document: Mapping[str, Any]) -> str:
    """The whole page; every word of the document is escaped."""
    title = escape(document["info"]["title"])
    servers = document.get("servers", {}).values()
    where = ", ".join(f"{one['protocol']}://{one['host']}" for one in servers) or "this process"
    messages = document["components"]["messages"].values()
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}: events</title>"
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>"
        f"<h1>{title}: events</h1>"
        f"<p>Over <code>{escape(where)}</code>, as CloudEvents 1.0 in binary mode. "
        "<a href='/asyncapi.json'>The AsyncAPI 3 document</a></p>"
        + _table(("", "Topic", "Consumer"), map(_operation, document["operations"].values()))
        + "".join(map(_message, messages))
        + "</html>"
    )


def _operation(operation: Mapping[str, Any]) -> tuple[str, str, str]:
    topic = escape(operation["channel"]["$ref"].removeprefix("#/channels/"))
    is_sent = operation["action"] == "send"
    consumer = escape(operation.get("title", ""))
    link = f"<a href='#{topic}'><code>{topic}</code></a>"
    return "published" if is_sent else "handled", link, f"<code>{consumer}</code>"


def _message(message: Mapping[str, Any]) -> str:
    topic, payload = escape(message["name"]), message["payload"]
    required = set(payload.get("required", ()))
    fields = (
        (f"<code>{escape(name)}</code>", _type_of(schema), "always" if name in required else "")
        for name, schema in payload.get("properties", {}).items()
    )
    headers = (
        (f"<code>{escape(name)}</code>", escape(schema["description"]))
        for name, schema in message["headers"]["properties"].items()
    )
    schema = escape(json.dumps(payload, indent=2, ensure_ascii=False))
    return (
        f"<h2 id='{topic}'>{escape(message['title'])}</h2>"
        f"<p><code>{topic}</code> {escape(message['summary'])}</p>"
        + _table(("Field", "Type", "Present"), fields)
        + f"<details><summary>Headers</summary>{_table(('Header', 'Value'), headers)}</details>"
        + f"<details><summary>JSON schema</summary><pre>{schema}</pre></details>"
    )


def _type_of(schema: Mapping[str, Any]) -> str:
    if variants := schema.get("anyOf"):
        return " or ".join(map(_type_of, variants))
    if reference := schema.get("$ref"):
        return escape(reference.rpartition("/")[2])
    kind, form = str(schema.get("type", "any")), schema.get("format")
    return escape(f"{kind} ({form})" if form else kind)


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{title}" for title in titles)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<div class=wide><table><tr>{head}</tr>{body}</table></div>"
