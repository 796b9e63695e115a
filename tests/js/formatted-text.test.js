import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import './fake-page.js';

const { isLarge } = await import('../../chat/static/js/formatted-text.js');
const { emoji } = JSON.parse(readFileSync(new URL('../formatting_cases.json', import.meta.url), 'utf8'));

test('it works', () => assert.ok(emoji.length > 10 && isLarge('👍')));

for (const [text, large] of emoji) {
  test(`${JSON.stringify(text)} is ${large ? '' : 'not '}shown large`, () => assert.equal(isLarge(text), large));
}
