"""What the wiring says, which does not change while the service runs: subscriptions and flow."""

from typing import NamedTuple

from starlette.responses import Response

from app.building_blocks.operations.flow import KINDS, Node, flow_of
from app.building_blocks.ops.flow_map import colours_of, flow_map
from app.building_blocks.ops.views import Views, link
from app.building_blocks.ops.visit import Visit
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wiring import Wiring


class SubscriptionRow(NamedTuple):
    event: str
    topic: str
    consumer: str
    is_ordered: bool
    batch: int | None
    policy: RetryPolicy
    has_own_policy: bool
    do_not_retry: str


class WiringPages:
    """Put together once. `retry_policy` is that of subscriptions which have none of their own."""

    def __init__(
        self, views: Views, service: str, wiring: Wiring, retry_policy: RetryPolicy
    ) -> None:
        self._views = views
        self._subscriptions = [
            SubscriptionRow(
                one.event.__name__,
                one.event.topic,
                f"{service}.{one.name}",
                one.ordered,
                one.batch,
                policy := one.policy(retry_policy),
                one.retry is not None,
                ", ".join(error.__name__ for error in policy.do_not_retry),
            )
            for one in wiring.subscriptions
        ]
        self._flow = flow_of(wiring)
        self._drawing = flow_map(self._flow, lambda node: _messages_of(node, service))

    async def subscriptions(self, visit: Visit) -> Response:
        return self._views.page(visit, "subscriptions.html", rows=self._subscriptions)

    async def flow(self, visit: Visit) -> Response:
        return self._views.page(
            visit,
            "flow.html",
            flow=self._flow,
            kinds=KINDS,
            drawing=self._drawing,
            colours=colours_of(self._flow),
        )


def _messages_of(node: Node, service: str) -> str:
    if node.kind == "topic":
        return link("/outbox/published", topic=node.name)
    if node.kind == "consumer":
        return link("/inbox/handled", consumer=f"{service}.{node.name}")
    return ""
