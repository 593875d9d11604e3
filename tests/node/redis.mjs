// Redis Streams: an entry's fields are the headers, and `data` is the body.
import { createClient } from 'redis';
import { command, outgoing, ready, show, topic, url } from './wire.mjs';

const client = await createClient({ url }).connect();

if (command === 'listen') {
  await client.xGroupCreate(topic, 'another-language', '0', { MKSTREAM: true });
  ready();
  const [{ messages: [{ id, message }] }] = await client.xReadGroup(
    'another-language', 'node', { key: topic, id: '>' }, { COUNT: 1, BLOCK: 30_000 },
  );
  const { data, ...headers } = message;
  show(headers, null, data);
  await client.xAck(topic, 'another-language', id);
} else {
  const { headers, body } = outgoing();
  await client.xAdd(topic, '*', { ...headers, data: body });
}
await client.close();
