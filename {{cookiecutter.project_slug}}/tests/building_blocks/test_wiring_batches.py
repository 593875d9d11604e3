"""Rule 11: a batch that cannot work is found at start-up."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.building_blocks.errors import WiringError
from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.building_blocks.wiring import Wiring


class SeenIntegrationEvent(IntegrationEvent):
    topic = "tests.seen.v1"
    number: int


async def when_many_seen(events: list[SeenIntegrationEvent], mediator: Mediator) -> None: ...


async def when_one_seen(event: SeenIntegrationEvent, mediator: Mediator) -> None: ...


def problems(handler: Callable[..., Awaitable[None]], **options: Any) -> str:
    feature = Feature("tests")
    feature.subscribe(SeenIntegrationEvent, handler, **options)
    with pytest.raises(WiringError) as refused:
        Wiring([feature])
    return str(refused.value)


def test_a_batch_that_keeps_the_order_is_refused() -> None:
    assert (
        "tests.when_many_seen cannot keep the order of keys in batches: "
        "leave out ordered=True, or batch and the list."
    ) in problems(when_many_seen, batch=10, ordered=True)


@pytest.mark.parametrize("batch", [0, -1, 1001])
def test_a_batch_has_from_1_to_1000_messages(batch: int) -> None:
    assert f"batch={batch}" in problems(when_many_seen, batch=batch)


def test_a_handler_in_batches_takes_a_list() -> None:
    wanted = "its first parameter has to be list[SeenIntegrationEvent]"
    assert wanted in problems(when_one_seen, batch=10)


def test_a_handler_of_a_list_needs_a_batch() -> None:
    assert "takes a list of events: add batch=100" in problems(when_many_seen)


def test_one_without_annotations_is_believed() -> None:
    async def when_anything(events, mediator):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        pass

    feature = Feature("tests")
    feature.subscribe(SeenIntegrationEvent, when_anything, batch=10)
    Wiring([feature])
