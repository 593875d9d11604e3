"""Which rows of a filled box are in which state."""

from collections.abc import Iterator

# By state, in percent of all rows of its box.
CASES = {
    "mixed": {
        "outbox": {"waiting": 20, "dead": 10, "published": 70},
        "inbox": {"retrying": 10, "dead": 15, "handled": 70, "discarded": 5},
    },
    "waiting": {"outbox": {"waiting": 100}, "inbox": {"retrying": 100}},
    "dead": {"outbox": {"dead": 100}, "inbox": {"dead": 100}},
    "over": {"outbox": {"published": 100}, "inbox": {"handled": 50, "discarded": 50}},
}


def spans(case: str, rows: int) -> Iterator[tuple[str, str, int, int]]:
    """The box, the state, and the first and last number of its rows, for each state with some."""
    for box, shares in CASES[case].items():
        first = 1
        for state, percent in shares.items():
            last = first + rows * percent // 100 - 1
            yield box, state, first, last
            first = last + 1
