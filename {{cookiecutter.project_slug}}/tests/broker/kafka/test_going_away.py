"""How an adapter goes on when its start fails or the server is lost."""

from contextlib import suppress

import pytest

from app.building_blocks.brokers.adapter import BrokerUnavailableError
from tests.broker.bench import Bench, until
from tests.broker.kafka.protocol import FORBIDDEN_GROUP, JOIN_GROUP
from tests.broker.proxy import Proxy
from tests.own_broker import MockCluster


async def test_a_start_that_fails_half_way_leaves_no_connection(
    victim: Bench, cluster: MockCluster
) -> None:
    proxy = Proxy(cluster.url)
    await proxy.open()
    adapter = victim.listener(url=proxy.url)
    cluster.refuse_next(JOIN_GROUP, FORBIDDEN_GROUP)
    with pytest.raises(BrokerUnavailableError, match="GroupAuthorization"):
        await adapter.start()
    await until(lambda: proxy.connections == 0)
    await adapter.start()
    await adapter.publish(victim.message(b"1"))
    await until(lambda: victim.bodies() == [b"1"])
    await victim.stop()
    await proxy.close()


async def test_publishing_and_consuming_go_on_after_a_restart_of_the_server(
    victim: Bench, cluster: MockCluster
) -> None:
    adapter = victim.listener(timeout=1.0)
    await adapter.start()
    confirmed = {b"before"}
    await adapter.publish(victim.message(b"before"))
    for number in range(3):
        cluster.go_down()
        try:
            with pytest.raises(BrokerUnavailableError):
                await adapter.publish(victim.message(b"lost"))
            assert not await adapter.is_connected()
        finally:
            cluster.come_up()
        await until(adapter.is_connected)
        await adapter.publish(victim.message(b"%d" % number))
        confirmed.add(b"%d" % number)
    await until(lambda: confirmed <= set(victim.bodies()))


async def test_publishing_and_consuming_go_on_with_a_server_that_forgot_everything(
    victim: Bench, cluster: MockCluster
) -> None:
    proxy = Proxy(cluster.url)
    await proxy.open()
    adapter = victim.listener(url=proxy.url, timeout=1.0)
    await adapter.start()
    await adapter.publish(victim.message(b"1"))
    await until(lambda: victim.bodies() == [b"1"])
    proxy.cut()
    proxy._server_url = MockCluster().url
    await proxy.open()
    await until(adapter.is_connected)

    async def arrives() -> bool:
        with suppress(BrokerUnavailableError):
            await adapter.publish(victim.message(b"2"))
        return b"2" in victim.bodies()

    await until(arrives)
    await victim.stop()
    await proxy.close()
