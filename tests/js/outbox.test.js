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
  assert.deepEqual(names(outbox.take(0)), ['b'], 'which need not wait for another try');
});

const change = (clientId, target, verb, fields) => ({ clientId, kind: 'change', receiverId: BOB, target, verb, ...fields });
const storedAs = (seq) => ({ ok: true, message: { seq, conversationId: 9 } });
const changedAs = (number, seq = 1) => ({ ok: true, change: number, message: { seq, conversationId: 9 } });
const conflict = { ok: false, error: { code: 'conflict', message: 'Edited elsewhere', retry: false }, message: {} };

test('a change leaves after the message that it is about, with what the server calls it', () => {
  const outbox = outboxWith(['a', BOB]);
  outbox.add(change('x', { clientId: 'a' }, { react: '+', on: true }), 1000);
  const [entry] = outbox.take(1000);
  assert.deepEqual(names([entry]), ['a']);
  assert.deepEqual(names(outbox.naming('a')), ['x']);
  outbox.settle(entry, storedAs(5), 1010);
  assert.deepEqual(outbox.take(1010)[0].target, { seq: 5, conversationId: 9 });
});

test('what another tab has added to a message that was sent meanwhile gets its seq too', () => {
  const outbox = outboxWith(['a', BOB]);
  outbox.settle(outbox.take(0)[0], storedAs(5), 0);
  outbox.put({ ...change('x', { clientId: 'a' }, { pin: true }), createdAt: 1, attempts: 0, state: 'waiting' });
  outbox.add({ clientId: 'r', receiverId: BOB, message: 'r', replyTo: { clientId: 'a' } }, 2);
  assert.equal(outbox.get('x').target.seq, 5);
  assert.equal(outbox.get('r').replyTo.seq, 5);
});

test('a message that another tab has sent is named by its seq here too', () => {
  const outbox = outboxWith(['a', BOB]);
  outbox.add(change('x', { clientId: 'a' }, { pin: true }), 1000);
  outbox.acknowledged('a', storedAs(5));
  assert.equal(outbox.get('a'), undefined);
  assert.equal(outbox.get('x').target.seq, 5);
});

test('what was done to a message that was refused waits for it, and holds up nothing', () => {
  const outbox = outboxWith(['a', BOB]);
  outbox.add(change('x', { clientId: 'a' }, { pin: true }), 1000);
  outbox.add({ clientId: 'b', receiverId: BOB, message: 'b' }, 1000);
  outbox.settle(outbox.take(0)[0], tooLong, 0);
  const [entry] = outbox.take(0);
  assert.equal(entry.clientId, 'b');
  outbox.settle(entry, storedAs(1), 0);
  assert.deepEqual(outbox.take(0), []);
  outbox.retry('a', 0);
  outbox.settle(outbox.take(0)[0], storedAs(2), 0);
  assert.deepEqual(names(outbox.take(0)), ['x']);
});

test('what was done to a message is gone with it, and an answer goes without its quote', () => {
  const outbox = outboxWith(['a', BOB]);
  outbox.add(change('x', { clientId: 'a' }, { pin: true }), 1000);
  outbox.add({ clientId: 'r', receiverId: BOB, message: 'r', replyTo: { clientId: 'a' } }, 1000);
  outbox.remove('a');
  assert.deepEqual(names(outbox.to(BOB)), ['r']);
  assert.deepEqual(names(outbox.take(0)), ['r']);
});

test('an edit of an own edit that was not acknowledged has seen it', () => {
  const outbox = new Outbox();
  const target = { seq: 1, conversationId: 9 };
  outbox.add(change('x', target, { edit: 'one', seen: 0 }), 1000);
  assert.equal(outbox.waitingEdit(BOB, target), 'x');
  outbox.add(change('y', target, { edit: 'two', seen: 0 }, { basedOn: 'x' }), 1000);
  outbox.settle(outbox.take(0)[0], changedAs(3), 0);
  assert.deepEqual(outbox.take(0)[0].verb, { edit: 'two', seen: 3 });
});

test('an edit of an edit that was refused has seen no more than that one', () => {
  const outbox = new Outbox();
  const target = { seq: 1, conversationId: 9 };
  outbox.add(change('x', target, { edit: 'one', seen: 2 }), 1000);
  outbox.add(change('y', target, { edit: 'two', seen: 0 }, { basedOn: 'x' }), 1000);
  assert.equal(outbox.settle(outbox.take(0)[0], conflict, 0), 'failed');
  assert.equal(outbox.get('x').code, 'conflict');
  assert.equal(outbox.waitingEdit(BOB, target), 'y');
  assert.equal(outbox.take(0)[0].verb.seen, 2);
  outbox.settle(outbox.get('y'), conflict, 0);
  assert.equal(outbox.waitingEdit(BOB, target), null);
});

test('an edit that is tried again has seen what its writer has seen by then', () => {
  const outbox = new Outbox();
  outbox.add(change('x', { seq: 1, conversationId: 9 }, { edit: 'one', seen: 2 }), 1000);
  outbox.settle(outbox.take(0)[0], conflict, 0);
  outbox.acknowledged('y', changedAs(3));
  outbox.retry('x', 0, { verb: { edit: 'one', seen: 6 }, basedOn: 'y' });
  assert.deepEqual(outbox.take(0)[0].verb, { edit: 'one', seen: 6 });
});

test('two edits that name each other, after one was tried again, are no circle', () => {
  const outbox = new Outbox();
  const target = { seq: 1, conversationId: 9 };
  outbox.add(change('x', target, { edit: 'one', seen: 0 }), 1000);
  outbox.add(change('y', target, { edit: 'two', seen: 0 }, { basedOn: 'x' }), 1000);
  outbox.settle(outbox.take(0)[0], conflict, 0);
  outbox.retry('x', 0, { basedOn: 'y' });
  assert.deepEqual(names(outbox.naming('y')), ['x']);
});

test('the changes of a message are found, by its seq or its clientId', () => {
  const outbox = outboxWith(['a', BOB]);
  outbox.add(change('x', { clientId: 'a' }, { pin: true }), 1000);
  outbox.add(change('y', { seq: 4, conversationId: 9 }, { pin: true }), 1000);
  assert.deepEqual(names(outbox.changesOf(BOB, { clientId: 'a' })), ['x']);
  assert.deepEqual(names(outbox.changesOf(BOB, { seq: 4, clientId: 'of another' })), ['y']);
  assert.deepEqual(names(outbox.changesOf(CAROL, { seq: 4 })), []);
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

test('a message of the store is changed in one step, if it is there and wants to be', async () => {
  const store = openMemoryStore();
  await store.put({ clientId: 'a', message: 'one', isUntried: true });
  const edit = (stored) => (stored.isUntried ? { ...stored, message: 'two' } : undefined);
  assert.equal((await store.amend('a', edit)).message, 'two');
  await store.amend('a', (stored) => ({ ...stored, isUntried: false }));
  assert.equal(await store.amend('a', edit), undefined);
  assert.equal(await store.amend('b', edit), undefined);
  assert.deepEqual(await store.all(), [{ clientId: 'a', message: 'two', isUntried: false }]);
  assert.equal(await store.amend('a', () => null), null);
  assert.deepEqual(await store.all(), []);
});

test('what waited for a message takes its place in the store', async () => {
  const store = openMemoryStore();
  await store.put({ clientId: 'a' });
  await store.put({ clientId: 'x', target: { clientId: 'a' } });
  await store.replace('a', [{ clientId: 'x', target: { seq: 5 } }]);
  assert.deepEqual(await store.all(), [{ clientId: 'x', target: { seq: 5 } }]);
});
