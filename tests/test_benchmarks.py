"""The benchmarks still find in a service what they measure. How fast it is, is not tested."""

import json
import os
import sys
from pathlib import Path

from bakery import TEMPLATE
from programs import Done, finish
from service import environment


def bench(tmp_path: Path, *arguments: str) -> Done:
    """Run them in a folder of their own, where their results land."""
    paths = os.pathsep.join([str(TEMPLATE), str(TEMPLATE / "tests")])
    (tmp_path / "scratch").mkdir()
    return finish(
        [sys.executable, "-m", "benchmarks", *arguments],
        folder=tmp_path,
        env=environment(PYTHONPATH=paths, TMPDIR=str(tmp_path / "scratch")),
        deadline=300,
    )


def test_each_figure_stands_beside_what_it_is_compared_with(tmp_path: Path) -> None:
    measures = ("drain", "latency", "consuming", "batches")
    where = ("--database", "sqlite", "--broker", "memory", "--rows", "100", "--runs", "1")
    done = bench(tmp_path, *measures, *where)
    assert done.returncode == 0, done.stdout
    results = json.loads((tmp_path / "build/benchmarks/results.json").read_text("utf-8"))
    measured = {figure["measure"].split()[0] for figure in results["figures"]}
    assert measured == {"drain", "commit", "handled"}
    assert all(figure["ratio"] > 0 for figure in results["figures"]), results
    table = (tmp_path / "build/benchmarks/results.md").read_text("utf-8")
    assert all(figure["against"] in table for figure in results["figures"])
    assert not list((tmp_path / "scratch").glob("bench-*")), "something is left behind"


def test_a_wrong_measure_is_answered_with_the_right_ones(tmp_path: Path) -> None:
    done = bench(tmp_path, "drian")
    assert done.returncode == 2
    assert "drian is no measure: take of drain, latency" in done.stdout
