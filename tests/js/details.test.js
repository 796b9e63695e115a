import assert from 'node:assert/strict';
import { test } from 'node:test';

// As much of a page as the modules ask for when they are loaded.
globalThis.document = { documentElement: { lang: 'en' }, body: { dataset: {} } };
globalThis.navigator ??= {};
const { stepsOf } = await import('../../chat/static/js/details.js');
const { joined } = await import('../../chat/static/js/trails.js');

const stored = '2026-11-24T10:00:01.000Z';
const delivered = '2026-11-24T10:00:02.000Z';
const read = '2026-11-24T10:00:03.000Z';
const trail = { written: 1_000, sent: 2_000, tries: 1, acknowledged: 3_000 };
const mine = { isMine: true, isAsked: true, isRead: false };

const words = (way) => Object.fromEntries(Object.entries(stepsOf(way)).map(([name, step]) => [name, step.at || step.words]));
const reached = (way) => Object.entries(stepsOf(way)).filter(([, step]) => step.isReached).map(([name]) => name);

test('it works', () => {
  const way = { ...mine, ...trail, seq: 12, stored, delivered, read, isRead: true };
  assert.deepEqual(words(way), { written: 1_000, sent: 2_000, stored, delivered, read });
  assert.deepEqual(reached(way), ['written', 'sent', 'stored', 'delivered', 'read']);
});

test('a message that waits for the network', () => {
  const way = { ...mine, written: 1_000, isAsked: undefined };
  assert.deepEqual(words(way), { written: 1_000, sent: 'Not yet', stored: 'Not yet', delivered: 'Not yet', read: 'Not yet' });
  assert.deepEqual(reached(way), ['written']);
});

test('a message that was sent and not answered', () => {
  const way = { ...mine, written: 1_000, sent: 2_000, tries: 3 };
  assert.equal(stepsOf(way).sent.note, '3 tries');
  assert.equal(stepsOf(way).stored.words, 'Not yet');
  assert.deepEqual(reached(way), ['written', 'sent']);
});

test('a message that was refused', () => {
  assert.equal(stepsOf({ ...mine, ...trail, reason: 'Too long' }).stored.words, 'Not sent: Too long');
});

test('an own message of another device', () => {
  const way = { ...mine, seq: 12, stored, delivered, read: null };
  assert.deepEqual(words(way), {
    written: 'Written on another device', sent: 'Known there only', stored, delivered, read: 'Not yet',
  });
  assert.deepEqual(reached(way), ['written', 'sent', 'stored', 'delivered']);
});

test('a message of somebody else', () => {
  const { written, sent } = words({ isMine: false, isAsked: true, isRead: true, seq: 12, stored, delivered, read });
  assert.deepEqual([written, sent], Array(2).fill('Known to the sender’s browser only'));
});

test('what was read before the times were kept', () => {
  const way = { ...mine, isRead: true, seq: 12, stored, delivered: null, read: null };
  assert.deepEqual([words(way).delivered, words(way).read], Array(2).fill('At a time that is not known'));
  assert.deepEqual(reached(way).slice(-2), ['delivered', 'read']);
});

test('while the server is asked, and where it does not answer', () => {
  const way = { ...mine, seq: 12, stored };
  assert.equal(words({ ...way, isAsked: undefined }).read, '…');
  assert.equal(words({ ...way, isAsked: false }).read, 'Not known while offline');
});

test('a trail keeps what was first, and counts what was sent', () => {
  const steps = [{ clientId: 'a', written: 1 }, { clientId: 'a', written: 1, sent: 2 }, { clientId: 'a', written: 9, sent: 3 },
    { clientId: 'a', written: 9, acknowledged: 4 }];
  assert.deepEqual(steps.reduce(joined, undefined), { clientId: 'a', written: 1, sent: 2, acknowledged: 4, tries: 2 });
});
