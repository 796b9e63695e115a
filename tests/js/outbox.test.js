import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Outbox, newClientId } from '../../chat/static/js/outbox.js';
import { openMemoryStore } from '../../chat/static/js/outbox-store.js';

const BOB = 2;
const CAROL = 3;
const stored = { ok: true, message: {} };
const unavailable = { ok: false, error: { code: 'unavailable', message: 'Not now', retry: true } };
const tooLong = { ok: false, error: { code: 'too_long', message: 'Too long', retry: false } };

function outboxWith(...entries) {
  const outbox = new Outbox();
  for (const [clientId, receiverId] of entries) outbox.add({ clientId, receiverId, message: clientId }, 1000);
  return outbox;
}

const names = (entries) => entries.map((entry) => entry.clientId);

test('it works', () => {
  const outbox = outboxWith(['a', BOB]);
  const [entry] = outbox.take(1000);
  assert.equal(entry.message, 'a');
  assert.equal(outbox.settle(entry, stored, 1010), 'sent');
  assert.deepEqual(outbox.to(BOB), []);
});

test('one message of a conversation is in flight at a time, in order', () => {
  const outbox = outboxWith(['a', BOB], ['b', BOB], ['c', CAROL]);
  const first = outbox.take(1000);
  assert.deepEqual(names(first), ['a', 'c']);
  assert.deepEqual(outbox.take(1000), []);
  outbox.settle(first[0], stored, 1010);
  assert.deepEqual(names(outbox.take(1010)), ['b']);
});

test('the order is that of writing, even if the clock steps back', () => {
  const outbox = outboxWith(['a', BOB]);
  outbox.add({ clientId: 'b', receiverId: BOB, message: 'b' }, -3_600_000);
  const reloaded = new Outbox(outbox.to(BOB).reverse());
  assert.deepEqual(names(reloaded.to(BOB)), ['a', 'b']);
});

test('without an answer the pause grows up to 10 s', () => {
  const outbox = outboxWith(['a', BOB]);
  const pauses = [];
  for (let now = 1000; pauses.length < 7; now = outbox.nextAt()) {
    const [entry] = outbox.take(now);
    assert.equal(outbox.settle(entry, null, now), 'waiting');
    pauses.push(outbox.nextAt() - now);
  }
  assert.deepEqual(pauses, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test('the server may ask for a longer pause', () => {
  const outbox = outboxWith(['a', BOB]);
  const [entry] = outbox.take(0);
  const limited = { ok: false, error: { code: 'rate_limited', retry: true, retryAfter: 7 } };
  assert.equal(outbox.settle(entry, limited, 0), 'waiting');
  assert.equal(outbox.nextAt(), 7000);
});

test('a conversation that waits does not hold up another', () => {
  const outbox = outboxWith(['a', BOB]);
  outbox.settle(outbox.take(0)[0], unavailable, 0);
  outbox.add({ clientId: 'c', receiverId: CAROL, message: 'c' }, 1);
  assert.deepEqual(names(outbox.take(1)), ['c']);
});

test('nothing waits once the network is back', () => {
  const outbox = outboxWith(['a', BOB]);
  outbox.settle(outbox.take(0)[0], null, 0);
  assert.deepEqual(outbox.take(0), []);
  outbox.networkReturned();
  assert.deepEqual(names(outbox.take(0)), ['a']);
});

test('a final refusal is kept as failed, with its reason, and lets the next one pass', () => {
  const outbox = outboxWith(['a', BOB], ['b', BOB]);
  assert.equal(outbox.settle(outbox.take(0)[0], tooLong, 0), 'failed');
  assert.equal(outbox.get('a').state, 'failed');
  assert.equal(outbox.get('a').reason, 'Too long');
  assert.deepEqual(names(outbox.take(0)), ['b']);
});

test('a retry is sent last and keeps its clientId', () => {
  const outbox = outboxWith(['a', BOB], ['b', BOB]);
  outbox.settle(outbox.take(0)[0], tooLong, 0);
  outbox.retry('a', 0);
  assert.deepEqual(names(outbox.to(BOB)), ['b', 'a']);
  assert.equal(outbox.get('a').state, 'waiting');
  assert.equal(outbox.get('a').reason, undefined);
});

test('an ended session refuses nothing for ever', () => {
  const outbox = outboxWith(['a', BOB]);
  const ended = { ok: false, error: { code: 'unauthorized', retry: false } };
  assert.equal(outbox.settle(outbox.take(0)[0], ended, 0), 'waiting');
});

test('what another tab says of an entry replaces what was known', () => {
  const outbox = outboxWith(['a', BOB]);
  outbox.put({ ...outbox.get('a'), state: 'failed' });
  assert.equal(outbox.to(BOB).length, 1);
  assert.deepEqual(outbox.take(5000), []);
});

test('an entry that another tab has sent is not sent again', () => {
  const outbox = outboxWith(['a', BOB], ['b', BOB]);
  const [entry] = outbox.take(0);
  outbox.remove('a');
  assert.deepEqual(outbox.take(0), [], 'its answer is still to come');
  outbox.settle(entry, null, 0);
  outbox.networkReturned();
  assert.deepEqual(names(outbox.take(0)), ['b']);
});

test('a client id is a fresh UUID', () => {
  assert.match(newClientId(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(newClientId(), newClientId());
});

test('the store of memory keeps, replaces and forgets', async () => {
  const store = openMemoryStore();
  await store.put({ clientId: 'a', state: 'waiting' });
  await store.put({ clientId: 'a', state: 'failed' });
  await store.put({ clientId: 'b', state: 'waiting' });
  await store.remove('b');
  assert.deepEqual(await store.all(), [{ clientId: 'a', state: 'failed' }]);
});
