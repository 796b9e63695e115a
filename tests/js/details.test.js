import assert from 'node:assert/strict';
import { test } from 'node:test';

// As much of a page as the modules ask for when they are loaded.
globalThis.document = { documentElement: { lang: 'en' }, body: { dataset: {} } };
globalThis.navigator ??= {};
const { durationWords, stepsOf } = await import('../../chat/static/js/message-steps.js');
const { mergeStep } = await import('../../chat/static/js/send-log.js');

const stored = '2026-11-24T10:00:01.000Z';
const delivered = '2026-11-24T10:00:02.000Z';
const read = '2026-11-24T10:00:03.000Z';
const record = { written: 1_000, sent: 2_000, tries: 1, acknowledged: 3_000 };
const mine = { isMine: true, isAsked: true, isRead: false };

const words = (known) => Object.fromEntries(Object.entries(stepsOf(known)).map(([name, step]) => [name, step.at || step.words]));
const reached = (known) => Object.entries(stepsOf(known)).filter(([, step]) => step.isReached).map(([name]) => name);

test('it works', () => {
  const known = { ...mine, ...record, seq: 12, stored, delivered, read, isRead: true };
  assert.deepEqual(words(known), { written: 1_000, sent: 2_000, stored, delivered, read });
  assert.deepEqual(reached(known), ['written', 'sent', 'stored', 'delivered', 'read']);
});

test('a message that waits for the network', () => {
  const known = { ...mine, written: 1_000, isAsked: undefined };
  assert.deepEqual(words(known), { written: 1_000, sent: 'Not yet', stored: 'Not yet', delivered: 'Not yet', read: 'Not yet' });
  assert.deepEqual(reached(known), ['written']);
});

test('a message that was sent and not answered', () => {
  const known = { ...mine, written: 1_000, sent: 2_000, tries: 3 };
  assert.equal(stepsOf(known).sent.note, 'after 1 second · 3 attempts');
  assert.equal(stepsOf(known).stored.words, 'Not yet');
  assert.deepEqual(reached(known), ['written', 'sent']);
});

test('a message that was refused', () => {
  assert.equal(stepsOf({ ...mine, ...record, reason: 'Too long' }).stored.words, 'Not sent: Too long');
});

test('an own message of another device', () => {
  const known = { ...mine, seq: 12, stored, delivered, read: null };
  assert.deepEqual(words(known), {
    written: 'Written on another device', sent: '', stored, delivered, read: 'Not yet',
  });
  assert.deepEqual(reached(known), ['written', 'sent', 'stored', 'delivered']);
});

test('what nobody here knows is left out', () => {
  const unknown = (known) => Object.entries(stepsOf(known)).filter(([, step]) => step.isUnknown).map(([name]) => name);
  const others = { isMine: false, isAsked: true, isRead: true, seq: 12, stored, delivered, read };
  assert.deepEqual(unknown(others), ['written', 'sent']);
  assert.deepEqual(unknown({ ...mine, seq: 12, stored, delivered, read: null }), ['sent']);
  assert.deepEqual(unknown({ ...mine, ...record, seq: 12, stored, isAsked: false }), ['delivered', 'read']);
  assert.deepEqual(unknown({ ...mine, ...record, seq: 12, stored, isAsked: undefined }), []);
  assert.deepEqual(unknown({ ...mine, ...record, seq: 12, stored }), []);
});

test('what was read before the times were kept has no time', () => {
  const known = { ...mine, isRead: true, seq: 12, stored, delivered: null, read: null };
  assert.deepEqual([words(known).delivered, words(known).read], ['', '']);
  assert.deepEqual(reached(known).slice(-2), ['delivered', 'read']);
});

test('a step tells how long it took, by one clock', () => {
  const steps = stepsOf({ ...mine, ...record, sent: 1_240, seq: 12, stored, delivered, read });
  assert.equal(steps.sent.note, 'after 0.24 seconds');
  assert.match(steps.stored.note, /^confirmation received at .* · after 1.76 seconds$/);
  assert.deepEqual([steps.delivered.note, steps.read.note], ['after 1 second', 'after 1 second']);
  assert.equal(stepsOf({ ...mine, seq: 12, stored: delivered, delivered: stored }).delivered.note, '', 'no time runs backwards');
});

const durations = {
  '0 seconds': 0, '0.09 seconds': 90, '9.99 seconds': 9_990, '10 seconds': 10_400, '59 seconds': 59_999, '1 minute': 60_000,
  '59 minutes': 3_599_999, '1 hour': 3_600_000, '23 hours': 86_399_999, '1 day': 86_400_000, '400 days': 400 * 86_400_000,
};

for (const [shown, ms] of Object.entries(durations)) {
  test(`${ms} ms are ${shown}`, () => assert.equal(durationWords(ms), shown));
}

test('while the server is asked', () => {
  assert.equal(words({ ...mine, seq: 12, stored, isAsked: undefined }).read, '…');
});

test('a record keeps the first time of each step, and counts the tries', () => {
  const steps = [{ clientId: 'a', written: 1 }, { clientId: 'a', written: 1, sent: 2 }, { clientId: 'a', written: 9, sent: 3 },
    { clientId: 'a', written: 9, acknowledged: 4 }];
  assert.deepEqual(steps.reduce(mergeStep, undefined), { clientId: 'a', written: 1, sent: 2, acknowledged: 4, tries: 2 });
});
