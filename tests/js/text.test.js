import assert from 'node:assert/strict';
import { test } from 'node:test';

// As much of a page as the module asks for when it is loaded.
globalThis.document = { documentElement: { lang: 'en' }, body: { dataset: {} } };
globalThis.navigator ??= {};
const { shortened } = await import('../../chat/static/js/text.js');

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
