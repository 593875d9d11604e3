"""Which fault comes next: drawn from the seed alone, so that a seed repeats a run's faults."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What can go wrong. The first three happen to a process, the others to a server's network."""

    KILL = "kill"
    STOP = "stop"
    TERMINATE = "terminate"
    CUT = "cut"
    REFUSE = "refuse"
    DELAY = "delay"
    STALL = "stall"
    MUTE = "mute"


LASTING = (Kind.STOP, Kind.REFUSE, Kind.DELAY, Kind.STALL, Kind.MUTE)
_OF_PROCESSES = {Kind.KILL: 10, Kind.STOP: 3, Kind.TERMINATE: 3}
_OF_SERVERS = {Kind.CUT: 2, Kind.REFUSE: 1, Kind.DELAY: 1, Kind.STALL: 1, Kind.MUTE: 1}
_LONGEST_TROUBLE = 6.0  # seconds: longer than the service waits for an answer
_LONGEST_PAUSE = 1.0


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, `pause` seconds after the one before, for `seconds`."""

    pause: float
    kind: Kind
    target: str
    seconds: float

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.kind in LASTING else ""
        return f"{self.kind} {self.target}{lasting}"


def faults(
    seed: int, processes: Sequence[str], servers: Sequence[str], max_stop: float
) -> Iterator[Fault]:
    """Faults without end. `max_stop` is the longest stop of a process, in seconds."""
    draw = random.Random(seed)
    kinds = {**_OF_PROCESSES, **(_OF_SERVERS if servers else {})}
    while True:
        [kind] = draw.choices(list(kinds), list(kinds.values()))
        target = draw.choice(processes if kind in _OF_PROCESSES else servers)
        longest = max_stop if kind is Kind.STOP else _LONGEST_TROUBLE
        yield Fault(draw.uniform(0, _LONGEST_PAUSE), kind, target, draw.uniform(0.1, 1) * longest)
