"""What can be chosen on the command line."""

import argparse
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_ABOUT = """\
Start several processes of this service, post orders to them, and meanwhile kill, stop and
terminate the processes and disturb the connections to the database and the broker. Then heal
everything, wait until all is done, and compare: every order that was answered with 201 must
have ended as it should, with one payment, its events published once and in order.
"""
_MORE = """\
before the first run
  DATABASE_URL and BROKER_URL are read as the service reads them: from the environment, .env or
  pyproject.toml. Name a database and a broker that nobody else uses, both empty, and migrate:
      export DATABASE_URL=...  BROKER_URL=...
      alembic upgrade head
      python -m tests.faults
examples
  python -m tests.faults --orders 60 --kills 4          a short run
  python -m tests.faults --orders 20000 --kills 500     an evening
  python -m tests.faults --seed 7                       the faults of an earlier run once more
exit code
  0: nothing lost, doubled, wrong, out of order or unfinished; 1: something was, see the ids and
  logs named at the end; 2: could not run; 130: interrupted, and all processes are ended
"""


@dataclass(frozen=True)
class Options:
    """The size of a run. Times are in seconds."""

    processes: int
    orders: int
    concurrency: int
    kills: int
    seed: int
    max_stop: float
    deadline: float
    logs: Path | None
    allow_data: bool
    json: bool


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line. Ends the program, as argparse does, when it makes no sense."""
    parser = argparse.ArgumentParser(
        "python -m tests.faults",
        description=_ABOUT,
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    number = parser.add_argument
    number("--processes", type=_at_least(1), default=3, help="of the service (default: 3)")
    number("--orders", type=_at_least(1), default=500, help="to post (default: 500)")
    number("--concurrency", type=_at_least(1), default=16, help="orders at once (default: 16)")
    number("--kills", type=_at_least(0), default=25, help="SIGKILLs to make (default: 25)")
    number("--seed", type=int, help="repeat the faults of an earlier run (default: a new one)")
    number("--max-stop", type=float, default=4.0, metavar="S", help="longest SIGSTOP (default: 4)")
    number(
        "--deadline", type=float, default=120.0, metavar="S",
        help="time to finish once everything is healed (default: 120; a claim of a killed "
        "process takes 30 to run out)",
    )  # fmt: skip
    parser.add_argument("--logs", type=Path, metavar="DIR", help="where logs and ledger go")
    parser.add_argument(
        "--allow-data", action="store_true", help="run although there are orders; they are ignored"
    )
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")
    chosen = parser.parse_args(arguments)
    if chosen.seed is None:
        chosen.seed = random.SystemRandom().randrange(10**6)
    return Options(**vars(chosen))


def _at_least(smallest: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        number = int(text)
        if number < smallest:
            raise argparse.ArgumentTypeError(f"must be {smallest} or more")
        return number

    return whole_number
