import assert from 'node:assert/strict';
import { test } from 'node:test';

// As much of a page as the modules ask for when they are loaded.
globalThis.document = { documentElement: { lang: 'en' }, body: { dataset: {} } };
globalThis.navigator ??= {};
const { completeness, completenessSummary, completenessWords } = await import('../../chat/static/js/completeness.js');

const run = (first, last) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
const at = (head, followsEnd = true) => ({ head, followsEnd });

test('it works: a page that holds the newest is complete, wherever it begins', () => {
  assert.deepEqual(completeness(run(1, 7), at(7)), { state: 'complete', first: 1, last: 7, head: 7, missing: 0 });
  assert.equal(completeness(run(1433, 1482), at(1482)).state, 'complete');
  assert.equal(completeness([1], at(1)).state, 'complete');
});

test('nothing is said of a conversation without messages', () => {
  assert.equal(completeness([], at(0)), null);
  assert.equal(completeness([], at(0), false), null);
});

test('what the server has and the page has not is being fetched', () => {
  assert.deepEqual(completeness(run(1, 1470), at(1482)), { state: 'fetching', first: 1, last: 1470, head: 1482, missing: 12 });
  assert.deepEqual(completeness([], at(3)), { state: 'fetching', first: 0, last: 0, head: 3, missing: 3 });
});

test('far up in the history the newest are not wanted', () => {
  assert.deepEqual(completeness(run(300, 620), at(1482, false)), { state: 'part', first: 300, last: 620, head: 1482, missing: 0 });
});

test('without the server nobody knows', () => {
  assert.equal(completeness(run(1, 1470), at(1470), false).state, 'unchecked');
  assert.equal(completeness(run(1, 1470), at(1482), false).state, 'unchecked');
});

test('a hole shows, whatever the list believes', () => {
  const holed = [...run(1, 10), ...run(13, 20)];
  assert.deepEqual(completeness(holed, at(20)), { state: 'broken', first: 1, last: 20, head: 20, missing: 2 });
  assert.equal(completeness(holed, at(22)).missing, 4);
  assert.equal(completeness(holed, at(20), false).state, 'broken');
});

test('a row beyond what the list knows is counted', () => {
  assert.deepEqual(completeness(run(1, 9), at(7)), { state: 'complete', first: 1, last: 9, head: 9, missing: 0 });
});

const details = {
  'Messages shown: 1 – 1,482. Up to date.': { state: 'complete', first: 1, last: 1482, head: 1482, missing: 0 },
  'Messages shown: 1. Up to date.': { state: 'complete', first: 1, last: 1, head: 1, missing: 0 },
  'Messages shown: 1 – 1,470. Fetching 12 messages…': { state: 'fetching', first: 1, last: 1470, head: 1482, missing: 12 },
  'Messages shown: 1 – 1,481. Fetching 1 message…': { state: 'fetching', first: 1, last: 1481, head: 1482, missing: 1 },
  'Messages shown: 300 – 620 of 1,482.': { state: 'part', first: 300, last: 620, head: 1482, missing: 0 },
  'Messages shown: 1 – 1,470. Offline.': { state: 'unchecked', first: 1, last: 1470, head: 1482, missing: 12 },
  'Messages shown: 1 – 20. 2 messages missing.': { state: 'broken', first: 1, last: 20, head: 20, missing: 2 },
};

for (const [words, found] of Object.entries(details)) {
  test(`the details say "${words}"`, () => assert.equal(completenessWords(found), words));
}

const summaries = {
  'Up to date': { state: 'complete', missing: 0 },
  'Fetching 1 message…': { state: 'fetching', missing: 1 },
  'Fetching 1,200 messages…': { state: 'fetching', missing: 1200 },
  '2 messages missing': { state: 'broken', missing: 2 },
  '1 not sent': { state: 'unsent', missing: 1 },
  Offline: { state: 'unchecked', missing: 12 },
};

for (const [words, found] of Object.entries(summaries)) {
  test(`the summary says "${words}"`, () => assert.equal(completenessSummary(found), words));
}
