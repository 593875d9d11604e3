"""What was measured: ours, beside what it is compared with."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line of the table. `ours[n]` and `theirs[n]` were measured one after the other.

    `theirs` is empty when there is nothing to compare with; `less` says that less is better.
    """

    measure: str
    where: str
    unit: str
    ours: Sequence[float]
    against: str = ""
    theirs: Sequence[float] = ()
    less: bool = False

    @property
    def ratios(self) -> list[float]:
        """Ours to theirs, for each pair of runs."""
        if not self.theirs:
            return []
        return [one / other for one, other in zip(self.ours, self.theirs, strict=True) if other]

    @property
    def ratio(self) -> float | None:
        """The median of the pairs: the machine may slow down between them, less so within."""
        return statistics.median(self.ratios) if self.ratios else None

    def as_json(self) -> dict[str, Any]:
        """All runs, and the ratio."""
        return asdict(self) | {"ratio": self.ratio}

    def cells(self) -> list[str]:
        """As the table shows it: medians, and the ratio with its least and its most."""
        theirs = f"{number(statistics.median(self.theirs))} {self.unit}" if self.theirs else ""
        return [
            self.measure,
            self.where,
            f"{number(statistics.median(self.ours))} {self.unit}",
            self.against,
            theirs,
            self._told_ratio(),
        ]

    def _told_ratio(self) -> str:
        if self.ratio is None:
            return ""
        spread = f" ({min(self.ratios):.2f}-{max(self.ratios):.2f})" if len(self.ratios) > 1 else ""
        return f"{self.ratio:.2f}{spread}"


def number(value: float) -> str:
    """Three digits that mean something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
