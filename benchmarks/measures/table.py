"""The table of how long each answer takes, and whether that is within the goal."""

import statistics
import time
from collections.abc import Callable
from typing import Any

GOAL_MS = 300.0
RUNS = 7


def timed(ask: Callable[[], Any], runs: int = RUNS) -> list[float]:
    """Milliseconds of each run, after a first one that is not measured."""
    times = []
    for run in range(runs + 1):
        begun = time.perf_counter()
        ask()
        if run:
            times.append((time.perf_counter() - begun) * 1000)
    return times


def told(name: str, times: list[float], goal: float = GOAL_MS) -> bool:
    """Write a line: the least, the p50 and the max. Whether the p50 is within the goal."""
    best, middle, worst = min(times), statistics.median(times), max(times)
    mark = "" if middle <= goal else "  <-- above the goal"
    print(f"{name:<72}{best:>8.1f}{middle:>8.1f}{worst:>8.1f}{mark}", flush=True)
    return middle <= goal
