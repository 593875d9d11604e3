"""What can be measured, and where the short form measures it."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from benchmarks.bench import Bench, Options, Pair
from benchmarks.comparisons.batches import batches
from benchmarks.comparisons.consuming import consuming
from benchmarks.comparisons.drain import drain
from benchmarks.comparisons.latency import latency
from benchmarks.comparisons.operations import operations
from benchmarks.comparisons.scale import scale
from benchmarks.comparisons.start import start
from benchmarks.comparisons.write_side import write_side
from benchmarks.figures import Figure

RABBITMQ, MEMORY = ("postgresql", "rabbitmq"), ("sqlite", "memory")


@dataclass(frozen=True)
class Measure:
    """`run` yields figures, and a sentence for what it leaves out.

    `short` are the database and broker of the short form, `full` of the full one: None for all.
    Where no broker is used, it is the one in memory.
    """

    what: str
    run: Callable[[Bench, str, str], AsyncIterator[Figure | str]]
    short: Sequence[Pair]
    full: Sequence[Pair] | None = None
    uses_broker: bool = True

    def pairs(self, options: Options) -> list[Pair]:
        """Where it is to be measured."""
        pairs = options.pairs(self.short, self.full)
        if self.uses_broker:
            return pairs
        return [(database, "memory") for database in dict.fromkeys(pair[0] for pair in pairs)]


MEASURES = {
    "drain": Measure(
        "rows/s out of the outbox, to the broker's own library and to faststream-outbox",
        drain,
        [RABBITMQ, MEMORY, *(("postgresql", broker) for broker in ("redis", "nats", "kafka"))],
    ),
    "latency": Measure("commit to receipt, to a direct publish", latency, [RABBITMQ, MEMORY]),
    "consuming": Measure(
        "messages handled/s, to the business write alone", consuming, [RABBITMQ, MEMORY]
    ),
    "batches": Measure(
        "messages handled/s with `batch`, to one by one", batches, [RABBITMQ, MEMORY]
    ),
    "write": Measure(
        "POST /orders and the bare command, with the event and without",
        write_side,
        [("postgresql", "memory")],
        uses_broker=False,
    ),
    "start": Measure(
        "bake, import, first answer; with --full the service's tests", start, [MEMORY, RABBITMQ]
    ),
    "scale": Measure(
        "a million rows, an old snapshot, memory, processes; with --full or by name",
        scale,
        [RABBITMQ],
        [RABBITMQ, ("mysql", "rabbitmq"), MEMORY],  # hours are enough
    ),
    "operations": Measure(
        "what an operator waits for with a million rows; by name only",
        operations,
        [("postgresql", "memory")],
        uses_broker=False,
    ),
}
SHORT = ("drain", "latency", "consuming", "batches", "write", "start")
FULL = (*SHORT, "scale")
