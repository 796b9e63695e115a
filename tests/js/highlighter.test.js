import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Tokens, tokensOf } from '../../chat/static/js/highlighter.js';

const DEPTH = 1_300; // of scopes in one another, in a message of 4,000 characters

test('it works', async () => {
  assert.deepEqual(await tokensOf('let a = `b${1}`; // c', 'javascript'), [
    { text: 'let', kind: 'key' }, { text: ' a = ', kind: '' }, { text: '`b${', kind: 'str' }, { text: '1', kind: 'num' }, { text: '}`', kind: 'str' },
    { text: '; ', kind: '' }, { text: '// c', kind: 'rem' }]);
});

test('a scope that says nothing has the colour of the one around it', () => {
  const tokens = new Tokens();
  for (const scope of ['string', 'subst', 'title.function']) tokens.openNode(scope);
  tokens.addText('a');
  tokens.closeNode();
  tokens.addText('b');
  for (let n = 0; n < 2; n++) tokens.closeNode();
  tokens.addText('c');
  assert.deepEqual(tokens.list, [{ text: 'a', kind: 'fn' }, { text: 'b', kind: 'str' }, { text: 'c', kind: '' }]);
});

test('each open scope is looked at once, however many tokens stand in it', () => {
  let count = 0;
  const scope = { split: (...how) => (count += 1, 'subst'.split(...how)) };
  const tokens = new Tokens();
  for (let n = 0; n < DEPTH; n++) {
    tokens.openNode(scope);
    tokens.addText('a');
  }
  assert.equal(count, DEPTH);
});

test('code in code without end is coloured soon', async () => {
  const code = '`${'.repeat(DEPTH);
  const tokens = await tokensOf(code, 'javascript');
  assert.equal(tokens.map(({ text }) => text).join(''), code);
});
