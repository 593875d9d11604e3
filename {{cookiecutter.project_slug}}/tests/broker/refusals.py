"""What a broker refuses, in the midst of what it takes."""

from collections.abc import Sequence

from app.building_blocks.brokers.adapter import BrokerAdapter, BrokerMessage, MessageRefusedError
from tests.broker.bench import Bench, until


async def refusals_of(
    bench: Bench, adapter: BrokerAdapter, refused: Sequence[BrokerMessage], *fine: BrokerMessage
) -> list[MessageRefusedError]:
    """Publish them among a hundred that are fine; only they may be refused, all others arrive."""
    healthy = [*(bench.message(b"%03d" % number) for number in range(100)), *fine]
    messages = [*healthy[:50], *refused, *healthy[50:]]
    outcomes = list(await adapter.publish_all(messages))
    refusals = [outcome for outcome in outcomes if isinstance(outcome, MessageRefusedError)]
    assert refusals == outcomes[50 : 50 + len(refused)], outcomes
    assert outcomes.count(None) == len(healthy), outcomes
    await until(lambda: len(bench.received) >= len(healthy))
    assert bench.bodies() == sorted(message.body for message in healthy)
    return refusals
