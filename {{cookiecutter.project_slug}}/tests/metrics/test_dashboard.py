"""The dashboard for Grafana asks for nothing but what there is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.building_blocks.databases.database import Database
from app.main import create_app
from app.settings import Settings
from tests.clients import serving
from tests.metrics.scraping import order

DASHBOARD = Path(__file__).parents[2] / "deploy" / "monitoring" / "grafana.json"


def expressions(node: Any) -> Iterator[str]:
    """Every query below a panel."""
    if isinstance(node, dict):
        if isinstance(node.get("expr"), str):
            yield node["expr"]
        for child in node.values():
            yield from expressions(child)
    elif isinstance(node, list):
        for child in node:
            yield from expressions(child)


async def test_the_dashboard_asks_for_nothing_but_what_there_is(
    settings: Settings, database: Database
) -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    async with serving(create_app(settings)) as client:
        await order(client)
        text = (await client.get("/metrics")).text
    # A histogram without a sample yet shows in its family only.
    known: set[str] = set()
    for family in re.findall("^# TYPE (\\S+)", text, re.MULTILINE):
        known |= {family, f"{family}_bucket", f"{family}_count", f"{family}_sum"}
    assert dashboard["panels"]
    for panel in dashboard["panels"]:
        asked = list(expressions(panel))
        assert asked, panel["title"]
        for expression in asked:
            names = set(re.findall(r"([a-z_]+)\{", expression))
            assert names, expression
            assert names <= known, (panel["title"], names - known)


def test_the_dashboard_has_what_grafana_needs() -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    assert dashboard["title"]
    assert dashboard["schemaVersion"] >= 39
    variables = {one["name"]: one for one in dashboard["templating"]["list"]}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == (
        "datasource", "prometheus",
    )  # fmt: skip
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        assert {"type", "title", "description", "gridPos", "targets"} <= set(panel)
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        columns = range(place["x"], place["x"] + place["w"])
        cells = {(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
