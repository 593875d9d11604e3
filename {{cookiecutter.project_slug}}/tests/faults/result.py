"""The result of a run, for people and for machines."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.console import Console

_SHOWN = 20


@dataclass(frozen=True)
class Result:
    """What happened (`counts`), what the logs say, and every broken promise as a sentence."""

    seed: int
    counts: dict[str, int]
    faults: dict[str, int]
    seconds: dict[str, float]
    broken: dict[str, list[str]]
    complaints: dict[str, int]
    logs: Path

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not any(self.broken.values())

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps({"good": self.good, **asdict(self), "logs": str(self.logs)}, indent=2)

    def show(self, console: Console) -> None:
        """The table, then what was broken and where to look."""
        rows: dict[str, str] = {name: str(count) for name, count in self.counts.items()}
        rows |= {name: f"{time:.1f} s" for name, time in self.seconds.items()}
        rows |= {f"fault: {name}": str(count) for name, count in self.faults.items()}
        rows["error lines in the logs"] = str(sum(self.complaints.values()))
        console.write()
        for name, text in rows.items():
            console.write(f"  {name:<28}{text:>9}")
        for name, sentences in self.broken.items():
            text = f"  {name:<28}{len(sentences):>9}"
            console.write(console.bad(text) if sentences else console.good(text))
        for complaint, count in list(self.complaints.items())[:_SHOWN]:
            console.write(f"  logged {count} times: {complaint}")
        for name, sentences in self.broken.items():
            for sentence in sentences[:_SHOWN]:
                console.write(console.bad(f"  {name}: {sentence}"))
            if len(sentences) > _SHOWN:
                console.write(f"  {name}: {len(sentences) - _SHOWN} more, see --json")
        console.write(f"  seed {self.seed}; logs and ledger in {self.logs}")
        good, bad = console.good("every promise was kept"), console.bad("a promise was broken")
        console.write(f"  {good if self.good else bad}")
