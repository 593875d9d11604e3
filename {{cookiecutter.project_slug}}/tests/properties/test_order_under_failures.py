"""Order per key, for any pattern of failures of the broker."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from app.building_blocks.brokers.adapter import (
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
)
from app.building_blocks.brokers.together import Outcomes, publish_each
from app.building_blocks.metrics import Metrics
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.lane import Lane, lanes_of, publish_lanes
from app.building_blocks.outbox.sender import Sender
from tests.guarantees.scripted_broker import ScriptedBroker

outcomes = st.sampled_from(["confirmed", "refused", "away", "unheard of"])
keys = st.none() | st.sampled_from(["a", "b", "c"])


class ProgrammedBroker(ScriptedBroker):
    """Meets each message with the outcome that was drawn for its position."""

    def __init__(self, program: list[str]) -> None:
        super().__init__()
        self._program = program

    async def publish_all(self, messages: Sequence[BrokerMessage]) -> Outcomes:
        if any(self._program[int(message.body)] == "unheard of" for message in messages):
            raise TypeError("nobody thought of it")
        return await publish_each(self.publish, messages)

    async def publish(self, message: BrokerMessage) -> None:
        match self._program[int(message.body)]:
            case "refused":
                raise MessageRefusedError("refused")
            case "away":
                raise BrokerUnavailableError("away")
        await super().publish(message)


@settings(max_examples=200)
@given(st.lists(st.tuples(keys, outcomes), max_size=30), st.integers(1, 10))
def test_nothing_overtakes_a_row_of_its_key_that_did_not_go_out(
    rows: list[tuple[str | None, str]], at_once: int
) -> None:
    claimed = [
        ClaimedRow("token", f"m{n}", "tests.t.v1", key, {}, f"{n}", 0, 0.0, math.inf)
        for n, (key, _) in enumerate(rows)
    ]
    broker = ProgrammedBroker([outcome for _, outcome in rows])
    lanes: list[Lane] = []

    async def run() -> None:
        groups = list(lanes_of(claimed, at_once, lanes.append))
        sender = Sender(broker, Metrics())
        await asyncio.gather(*(publish_lanes(group, sender) for group in groups))
        assert len(lanes) == sum(map(len, groups)), "each lane has told of its end"

    asyncio.run(run())

    sent = defaultdict(list)
    for message in broker.sent:
        sent[message.key].append(int(message.body))
    for key in {key for key, _ in rows if key is not None}:
        positions = [n for n, (one, _) in enumerate(rows) if one == key]
        failures = [n for n in positions if rows[n][1] != "confirmed"]
        may_go = [n for n in positions if not failures or n < failures[0]]
        assert sent[key] == may_go
    free = [n for n, (key, outcome) in enumerate(rows) if key is None and outcome == "confirmed"]
    assert sorted(sent[None]) == free
    # Every row is accounted for: with the broker, refused, or still waiting.
    told = sum(len(lane.confirmed) + len(lane.waiting) + bool(lane.refused) for lane in lanes)
    assert told == len(rows)
