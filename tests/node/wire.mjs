// What the clients share: `node CLIENT.mjs listen URL TOPIC` prints "ready", then the first message
// as JSON; `node CLIENT.mjs publish URL TOPIC` sends the JSON message {headers, key, body} of
// standard input.
import { readFileSync } from 'node:fs';

export const [, , command, url, topic] = process.argv;

export const outgoing = () => JSON.parse(readFileSync(0, 'utf8'));

export const ready = () => console.log('ready');

export const show = (headers, key, body) => {
  console.log(JSON.stringify({ headers, key, body: body.toString() }));
};

export const texts = (headers) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.toString()]));
