import assert from 'node:assert/strict';
import { test } from 'node:test';

// As much of a page as the module asks for when it is loaded.
globalThis.document = { documentElement: {}, body: { dataset: {} } };
globalThis.navigator ??= {};
globalThis.document.documentElement.lang = 'en';
const { completenessWords, shortened, completenessSummary } = await import('../../chat/static/js/page.js');

const details = {
  '1 – 1,482, complete': { state: 'complete', first: 1, last: 1482, head: 1482, missing: 0 },
  '1, complete': { state: 'complete', first: 1, last: 1, head: 1, missing: 0 },
  '1 – 1,470, fetching 12 messages': { state: 'fetching', first: 1, last: 1470, head: 1482, missing: 12 },
  '1 – 1,481, fetching 1 message': { state: 'fetching', first: 1, last: 1481, head: 1482, missing: 1 },
  '300 – 620 of 1,482': { state: 'part', first: 300, last: 620, head: 1482, missing: 0 },
  '1 – 1,470, not checked: offline': { state: 'unchecked', first: 1, last: 1470, head: 1482, missing: 12 },
  '1 – 20, 2 messages missing': { state: 'broken', first: 1, last: 20, head: 20, missing: 2 },
};

for (const [words, found] of Object.entries(details)) {
  test(`the details say "${words}"`, () => assert.equal(completenessWords(found), words));
}

const LONGEST = 120;
const characters = ['👨‍👩‍👧‍👦', '👍🏽', '🇫🇷', 'e\u0301', '❤️', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '😀', '각'];

for (const character of characters) {
  test(`a preview holds all of ${character}, or nothing of it`, () => {
    for (let before = LONGEST - 20; before <= LONGEST; before++) {
      const start = 'x'.repeat(before);
      const shown = shortened(start + character + 'y'.repeat(LONGEST));
      assert.ok(shown === start || shown.startsWith(start + character), shown);
      assert.ok(shown.length <= LONGEST);
    }
  });
}

test('a preview of a character without end is short all the same', () => {
  assert.equal(shortened('e' + '\u0301'.repeat(4_000)).length, LONGEST);
  assert.equal(shortened('short'), 'short');
});
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
