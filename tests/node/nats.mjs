// NATS JetStream, with the names of the CloudEvents NATS binding.
import { AckPolicy, connect, headers as natsHeaders } from 'nats';
import { command, outgoing, ready, show, topic, url } from './wire.mjs';

const connection = await connect({ servers: new URL(url).host });
const jetstream = connection.jetstream();

if (command === 'listen') {
  const manager = await connection.jetstreamManager();
  const stream = await manager.streams.find(topic);
  const consumer = await manager.consumers.add(stream, {
    durable_name: 'another-language', ack_policy: AckPolicy.Explicit, filter_subject: topic,
  });
  ready();
  const message = await (await jetstream.consumers.get(stream, consumer.name)).next({ expires: 30_000 });
  const headers = Object.fromEntries(message.headers.keys().map((name) => [name, message.headers.get(name)]));
  show(headers, null, message.data === undefined ? '' : new TextDecoder().decode(message.data));
  await message.ackAck();
} else {
  const { headers, body } = outgoing();
  const sent = natsHeaders();
  for (const [name, value] of Object.entries(headers)) sent.set(name, value);
  await jetstream.publish(topic, body, { headers: sent });
}
await connection.drain();
