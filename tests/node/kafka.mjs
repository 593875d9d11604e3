// Kafka, with the names of the CloudEvents Kafka binding.
import { Kafka, Partitioners, logLevel } from 'kafkajs';
import { command, outgoing, ready, show, texts, topic, url } from './wire.mjs';

const kafka = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING });

if (command === 'listen') {
  const consumer = kafka.consumer({ groupId: 'another-language' });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise((received) => {
    consumer.on(consumer.events.GROUP_JOIN, ready);
    consumer.run({
      eachMessage: async ({ message: { headers, key, value } }) => {
        show(texts(headers), key?.toString(), value);
        received();
      },
    });
  });
  await consumer.disconnect();
} else {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const { headers, key, body } = outgoing();
  await producer.send({ topic, acks: -1, messages: [{ headers, key, value: body }] });
  await producer.disconnect();
}
