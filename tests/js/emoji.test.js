import assert from 'node:assert/strict';
import { test } from 'node:test';

// As much of a page as the modules ask for when they are loaded.
globalThis.document = { documentElement: { lang: 'fr' }, body: { dataset: {} } };
globalThis.navigator ??= {};
const { inTone, searchEmoji } = await import('../../chat/static/js/emoji.js');
const { targetOf } = await import('../../chat/static/js/arrow-keys.js');

const cat = { emoji: '🐱', codes: ['cat'], words: 'tete de chat cat animal' };
const hand = { emoji: '✋', codes: ['hand', 'raised_hand'], words: 'main levee hand raised hand stop', tones: 1 };
const kitten = { emoji: '🐈', codes: ['cat2'], words: 'chat cat2 animal' };
const groups = [{ name: 'a', emoji: [cat, hand] }, { name: 'b', emoji: [kitten] }];

test('it works: a search wants the beginnings of words, and puts first whose name begins so', () => {
  assert.deepEqual(searchEmoji(groups, 'chat'), [kitten, cat]);
  assert.deepEqual(searchEmoji(groups, 'Tête ani'), [cat]);
  assert.deepEqual(searchEmoji(groups, 'hat'), []);
  assert.deepEqual(searchEmoji(groups, 'chat stop'), []);
});

test('what other chats call so is the first', () => {
  assert.deepEqual(searchEmoji(groups, 'cat'), [cat, kitten]);
  assert.deepEqual(searchEmoji(groups, 'raised_hand'), [hand]);
  assert.deepEqual(searchEmoji(groups, 'cat2'), [kitten]);
  const [arrow, heart] = [{ codes: ['cupid'], words: 'heart with arrow cupid' }, { codes: ['heart'], words: 'red heart heart' }];
  assert.deepEqual(searchEmoji([{ emoji: [arrow, heart] }], 'heart'), [heart, arrow]);
});

test('a skin tone goes after the first character, takes the place of U+FE0F, or is listed', () => {
  assert.equal(inTone(hand, 3), '✋🏽');
  assert.equal(inTone({ emoji: '☝️', tones: 1 }, 1), '☝🏻');
  assert.equal(inTone({ emoji: '🕵️‍♀️', tones: 1 }, 5), '🕵🏿‍♀️');
  assert.equal(inTone({ emoji: '👩‍❤️‍👨', tones: ['a', 'b', 'c', 'd', 'e'] }, 2), 'b');
  assert.equal(inTone(hand, 0), '✋');
  assert.equal(inTone(cat, 4), '🐱');
});

test('arrow keys go round, the way that one reads', () => {
  const key = (name, at, options) => targetOf(name, at, 4, { isVertical: false, isRtl: false, ...options });
  assert.deepEqual([key('ArrowRight', 3), key('ArrowLeft', 0), key('Home', 2), key('End', 1)], [0, 3, 0, 3]);
  assert.deepEqual([key('ArrowRight', 1, { isRtl: true }), key('ArrowLeft', 1, { isRtl: true })], [0, 2]);
  assert.deepEqual([key('ArrowDown', 1), key('ArrowDown', 1, { isVertical: true }), key('ArrowUp', 0, { isVertical: true })], [undefined, 2, 3]);
});
