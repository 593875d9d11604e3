"""The exchange of all events, and a consumer's queue on it."""

from faststream import AckPolicy, rabbit
from faststream.rabbit.schemas.queue import QuorumQueueArgs

from app.building_blocks.brokers.adapter import Subscription
from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.rabbitmq.frames import EXCHANGE_NAME
from app.building_blocks.brokers.rabbitmq.wire import decode

EXCHANGE = rabbit.RabbitExchange(EXCHANGE_NAME, type=rabbit.ExchangeType.TOPIC, durable=True)
# RabbitMQ 4 deletes a message after 20 deliveries unless told otherwise; 3.x knows no -1.
UNLIMITED_DELIVERIES = 1_000_000_000
PREFETCH = 20


def consume(
    broker: rabbit.RabbitBroker, subscription: Subscription, deliveries: Deliveries
) -> None:
    """Declare the consumer's durable quorum queue and deliver from it, once `broker` starts."""
    # MANUAL, because every other policy settles each delivery: one that a stop or a lost
    # connection interrupts must stay unsettled, so that the server delivers it again.
    subscriber = broker.subscriber(
        _queue(subscription),
        EXCHANGE,
        channel=rabbit.Channel(prefetch_count=subscription.at_once or PREFETCH),
        ack_policy=AckPolicy.MANUAL,
        decoder=_undecoded,
        no_reply=True,
    )
    # Otherwise a delivery that overtakes the end of FastStream's start is dropped, unsettled.
    subscriber.running = True

    @subscriber
    async def deliver(message: rabbit.RabbitMessage) -> None:
        received = decode(subscription.topic, message)
        if await deliveries.run(subscription.consumer, subscription.receive, received):
            await message.ack()
        elif not deliveries.stopping:
            await message.nack(requeue=True)


def _queue(subscription: Subscription) -> rabbit.RabbitQueue:
    arguments: QuorumQueueArgs = {"x-delivery-limit": UNLIMITED_DELIVERIES}
    if subscription.ordered:
        arguments["x-single-active-consumer"] = True
    return rabbit.RabbitQueue(
        subscription.consumer,
        queue_type=rabbit.QueueType.QUORUM,
        arguments=arguments,
        routing_key=subscription.topic,
    )


async def _undecoded(message: rabbit.RabbitMessage) -> rabbit.RabbitMessage:
    return message
