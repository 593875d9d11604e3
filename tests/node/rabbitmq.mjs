// AMQP 0-9-1, with the names of the CloudEvents AMQP binding.
import amqp from 'amqplib';
import { command, outgoing, ready, show, topic, url } from './wire.mjs';

const connection = await amqp.connect(url);
const channel = await connection.createConfirmChannel();

if (command === 'listen') {
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'integration-events', topic);
  await new Promise((received) => {
    channel.consume(queue, ({ properties, content }) => {
      show({ ...properties.headers, 'content-type': properties.contentType }, null, content);
      received();
    }, { noAck: true }).then(ready);
  });
} else {
  const { headers: { 'content-type': contentType, ...headers }, body } = outgoing();
  channel.publish('integration-events', topic, Buffer.from(body), { headers, contentType, persistent: true });
  await channel.waitForConfirms();
}
await connection.close();
