"""What the processes complained about."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_EXCEPTION = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Timeout|Refused|Closed)\w*)(?::|$)")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_LOCKED = "database is locked"


def complaints(logs: Iterable[Path]) -> Counter[str]:
    """Lines of the level error or worse, counted by their text and exception."""
    found: Counter[str] = Counter()
    for log in logs:
        for line in log.read_text("utf-8", "replace").splitlines():
            if line.startswith("{"):
                found.update(_of_record(line))
            elif line.startswith(("ERROR", "CRITICAL", "Traceback")):
                found[line] += 1  # from the server below the service, which does not log JSON
    return found


def times_locked(logs: Iterable[Path]) -> int:
    """How often a process could not get its turn to write."""
    return sum(log.read_text("utf-8", "replace").count(_LOCKED) for log in logs)


def _of_record(line: str) -> list[str]:
    try:
        record: dict[str, Any] = json.loads(line)
    except ValueError:
        return [f"half a line: {line[:80]}"]
    if record.get("level") not in ("error", "critical"):
        return []
    names = [_EXCEPTION.match(each) for each in str(record.get("exception", "")).splitlines()]
    last = next((name[1] for name in reversed(names) if name), "")
    reason = last or str(record.get("error", ""))[:80]
    event = _ADDRESS.sub("", str(record.get("event")))[:160]
    return [event + (f" ({reason})" if reason else "")]
