"""The dashboard and the alerts of a baked service, judged by Prometheus' own promtool."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from bad_day import FIRING, SERIES
from conftest import Baked
from missing import missing
from programs import Done, finish
from service import Service, wait_until

DEADLINE = 60.0  # seconds
ALERTS = Path("deploy/monitoring/alerts.yaml")
DASHBOARD = Path("deploy/monitoring/grafana.json")


@pytest.fixture(scope="module")
def promtool() -> str:
    """The program; without it the test is skipped, and fails in CI."""
    program = shutil.which("promtool")
    if program is None:
        missing("promtool is missing: install the Debian package prometheus, which has it.")
    return program


def run(*command: str, given: str = "") -> Done:
    """What it wrote to both streams is in `stdout`."""
    return finish(command, typed=given, deadline=DEADLINE)


@pytest.fixture(scope="module")
def rules(baked: Baked) -> list[dict[str, Any]]:
    """Every alert of the service."""
    file = yaml.safe_load((baked("sqlite", "memory") / ALERTS).read_text("utf-8"))
    return [rule for group in file["groups"] for rule in group["rules"]]


def test_prometheus_takes_the_rules(promtool: str, baked: Baked) -> None:
    done = run(promtool, "check", "rules", str(baked("sqlite", "memory") / ALERTS))
    assert done.returncode == 0, done.stdout
    assert "SUCCESS" in done.stdout


def test_each_alert_says_how_bad_it_is_and_what_to_do(
    rules: list[dict[str, Any]], baked: Baked
) -> None:
    readme = (baked("sqlite", "memory") / "README.md").read_text("utf-8")
    assert "### When something waits" in readme
    for rule in rules:
        assert rule["for"], rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]
        assert "README.md, When something waits" in rule["annotations"]["description"]
        assert f"`{rule['alert']}`" in readme, f"the README says nothing of {rule['alert']}"


def test_an_alert_fires_for_the_service_that_is_in_trouble_and_no_other(
    promtool: str, rules: list[dict[str, Any]], tmp_path: Path
) -> None:
    severity = {rule["alert"]: rule["labels"]["severity"] for rule in rules}
    assert set(severity) == {*FIRING, "ServiceNotScraped"}

    def expected(at: str, firing: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
        return [
            {
                "eval_time": at,
                "alertname": name,
                "exp_alerts": [{"exp_labels": {"severity": severity[name], **firing[name]}}]
                if name in firing
                else [],
            }
            for name in severity
        ]

    test = {
        "rule_files": [str(tmp_path / "alerts.yaml")],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": name, "values": values} for name, values in SERIES.items()
                ],
                "alert_rule_test": [
                    *expected("0m", {}),
                    *expected("19m", FIRING),
                    *expected("30m", {"ServiceNotScraped": {"job": "wrong"}}),
                ],
            }
        ],
    }
    # Without their texts, which the other test reads: promtool compares these too.
    bare = [{**rule, "annotations": {}} for rule in rules]
    (tmp_path / "alerts.yaml").write_text(
        yaml.safe_dump({"groups": [{"name": "bare", "rules": bare}]}), "utf-8"
    )
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(test), "utf-8")
    done = run(promtool, "test", "rules", str(tmp_path / "test.yaml"))
    assert done.returncode == 0, done.stdout


def test_prometheus_takes_every_line_of_metrics_and_every_query_has_its_metric(
    promtool: str, rules: list[dict[str, Any]], running_service: Service, tmp_path: Path
) -> None:
    order = running_service.post("/orders", {"customer": "ada", "amount": "12.50"}).json()["id"]
    wait_until(lambda: running_service.order_status(order) == "paid", "the order is paid")
    text = running_service.get("/metrics").text
    # The first complains of what it cannot read, and of names that break the conventions.
    done = run(promtool, "check", "metrics", given=text)
    complaints = [line for line in done.stdout.splitlines() if not line.startswith("faststream_")]
    assert complaints == []

    known: set[str] = {"up"}
    for family in re.findall(r"^# TYPE (\S+)", text, re.MULTILINE):
        known |= {family, f"{family}_bucket"}
    dashboard = json.loads((running_service.folder / DASHBOARD).read_text("utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [rule["expr"] for rule in rules]
    asked = {name for query in queries for name in re.findall(r"\b[a-z]+_[a-z_]+\b", query)}
    functions = {"histogram_quantile", "last_over_time", "rate_interval"}
    assert asked - functions <= known
    # Prometheus itself reads each query, as a rule: Grafana fills in its variables.
    filled = [
        {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, query in enumerate(queries)
    ]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": filled}]}), "utf-8")
    done = run(promtool, "check", "rules", str(file))
    assert done.returncode == 0, done.stdout
