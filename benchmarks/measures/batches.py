"""Messages that a consumer handles in a second with `batch`, and one by one.

The handler writes an order for each message. Messages wait in the broker before the clock starts,
but for the one in memory, which keeps none.
"""

import argparse

from app.building_blocks.mediator import Mediator
from app.features.orders.create_order import CreateOrder
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.settings import load_settings
from child import run, tell
from handling import Handling, consumed
from rows import SERVICE


class HandlingMany(Handling):
    """A handler that writes an order for each event of a list."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        super().__init__()

    def subscribe(self) -> None:
        self.feature.subscribe(OrderCreatedIntegrationEvent, self.handle_many, batch=self.batch)

    async def handle_many(
        self, events: list[OrderCreatedIntegrationEvent], mediator: Mediator
    ) -> None:
        self.begun()
        for event in events:
            await mediator.send(CreateOrder(customer=event.customer, amount=event.amount))
        self.ended(len(events))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    chosen = parser.parse_args()
    settings = load_settings().model_copy(update={"service_name": SERVICE})
    one_by_one = await consumed(settings, chosen.rows // 5, Handling)
    # With another name it is another consumer, which gets messages of its own.
    settings = settings.model_copy(update={"service_name": f"{SERVICE}-batches"})
    batches = await consumed(settings, chosen.rows, lambda: HandlingMany(chosen.batch))
    tell(one_by_one=one_by_one, batches=batches)


run(main())
