"""A scrape of /metrics, and something to count."""

from httpx import AsyncClient
from prometheus_client.parser import text_string_to_metric_families

CREATED, PAID = "orders.order-created.v1", "orders.order-paid.v1"

Samples = dict[tuple[str, frozenset[str]], float]


async def scrape(client: AsyncClient) -> Samples:
    """Every sample by its name and the values of its labels."""
    text = (await client.get("/metrics")).text
    families = text_string_to_metric_families(text)
    samples = (sample for family in families for sample in family.samples)
    return {(one.name, frozenset(one.labels.values())): one.value for one in samples}


def value(samples: Samples, name: str, *labels: str) -> float:
    return samples[name, frozenset(labels)]


async def order(client: AsyncClient) -> None:
    await client.post("/orders", json={"customer": "ada", "amount": "1.00"})
