import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { plain, plainOf, treeOf } from '../../chat/static/js/formatting.js';

const { cases } = JSON.parse(readFileSync(new URL('../formatting_cases.json', import.meta.url), 'utf8'));
const mentionsOf = ({ mentions = [] }) => mentions.map(([id, start, length]) => ({ id, start, length }));

test('it works', () => {
  assert.deepEqual(treeOf('**a** `b`'), [['bold', ['a']], ' ', ['code', ['b']]]);
  assert.ok(cases.length >= 150);
});

for (const one of cases) {
  test(`${one.about}: ${JSON.stringify(one.text)}`, () => {
    const tree = treeOf(one.text, mentionsOf(one));
    assert.deepEqual(tree, one.tree);
    assert.equal(plainOf(tree), one.plain);
  });
}

test('what no message may have in it is read as something else, and takes no mention away', () => {
  assert.deepEqual(treeOf('\0\ue000 @bob', [{ id: 2, start: 3, length: 4 }]), ['\ufffd\ue000 ', ['mention', 2, '@bob']]);
  assert.deepEqual(treeOf('**\ud83d**'), [['bold', ['\ud83d']]]);
});

test('after 500 marks the rest is text', () => {
  const tree = treeOf('*a* '.repeat(251));
  assert.equal(tree.filter((node) => node[0] === 'italic').length, 250);
  assert.equal(tree.at(-1), ' *a* ');
});

test('a preview is made of the beginning, and cuts no character', () => {
  assert.equal(plain(`**${'😀'.repeat(600)}`), `**${'😀'.repeat(498)}`);
  assert.equal(plain(`**a** ${'b '.repeat(600)}`, 1_300), `a ${'b '.repeat(600)}`);
});
