"""The subscriptions page says which handlers take many events at once."""

from httpx import ASGITransport, AsyncClient

from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.main import create_app
from app.settings import Settings


class StampedIntegrationEvent(IntegrationEvent):
    topic = "tests.stamped.v1"
    number: int


async def when_stamped(events: list[StampedIntegrationEvent], mediator: Mediator) -> None: ...


async def test_the_subscriptions_show_how_many_come_at_once(settings: Settings) -> None:
    feature = Feature("tests")
    feature.subscribe(StampedIntegrationEvent, when_stamped, batch=250)
    app = create_app(settings, [feature])
    assert settings.ops_token is not None
    headers = {"Authorization": f"Bearer {settings.ops_token.get_secret_value()}"}
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        page = (await client.get("/ops/subscriptions", headers=headers)).text
    assert "up to 250 at once" in page
