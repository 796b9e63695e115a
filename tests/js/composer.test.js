import assert from 'node:assert/strict';
import { test } from 'node:test';

// As much of a page as the modules ask for when they are loaded.
globalThis.document = { documentElement: { lang: 'en' }, body: { dataset: {} } };
globalThis.navigator ??= {};
const { levelOf, roomIn, roomWords } = await import('../../chat/static/js/composer-counter.js');
const { EmojiNames } = await import('../../chat/static/js/emoji-names.js');
const { isInCode } = await import('../../chat/static/js/in-code.js');
const { showText } = await import('../../chat/static/js/field-text.js');

const MAX = 4_000; // code points
const FAMILY = '\u{1F468}\u200D\u{1F469}\u200D\u{1F467}\u200D\u{1F466}'; // one character, seven code points

test('it works: what is left is in code points, what is too much in characters as people see them', () => {
  assert.deepEqual(roomIn('x'.repeat(MAX - 10)), { left: 10, over: 0, hasLong: false });
  assert.deepEqual(roomIn('\u{1F600}'.repeat(MAX)), { left: 0, over: 0, hasLong: false });
  assert.deepEqual(roomIn('x'.repeat(MAX - 7) + FAMILY), { left: 0, over: 0, hasLong: true });
  assert.deepEqual(roomIn('x'.repeat(MAX - 6) + FAMILY), { left: 0, over: 1, hasLong: true });
  assert.deepEqual(roomIn('x'.repeat(MAX) + FAMILY.repeat(3)), { left: 0, over: 3, hasLong: true });
  assert.deepEqual(roomIn('e\u0301'.repeat(MAX)), { left: 0, over: MAX / 2, hasLong: true });
});

test('where so many characters are deleted at the end, the server takes the text, and where one less is, it does not', () => {
  const characters = ['x', '\u{1F600}', FAMILY, 'e\u0301', '\u{1F1EB}\u{1F1F7}', '한', '각'];
  let state = 1;
  const random = (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  const lengths = new Set();
  for (let n = 0; n < 25; n += 1) {
    const text = 'x'.repeat(MAX - 40) + Array.from({ length: 20 }, () => characters[random(characters.length)]).join('');
    const { over, left } = roomIn(text);
    const all = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
    const without = (count) => [...all.slice(0, all.length - count).join('')].length;
    assert.ok(without(over) <= MAX);
    if (over) assert.ok(without(over - 1) > MAX);
    else assert.equal([...text].length + left, MAX);
    lengths.add([...text].length);
  }
  assert.ok(lengths.size > 10 && Math.min(...lengths) <= MAX && Math.max(...lengths) > MAX);
});

test('a browser without Intl.Segmenter counts code points', async () => {
  const { Segmenter } = Intl;
  delete Intl.Segmenter;
  const other = await import('../../chat/static/js/composer-counter.js?again');
  Intl.Segmenter = Segmenter;
  assert.deepEqual(other.roomIn('x'.repeat(MAX - 1) + FAMILY), { left: 0, over: 6, hasLong: false });
});

test('words say that some characters take more than one of what is left', () => {
  assert.equal(roomWords({ left: 1, over: 0, hasLong: false }), '1 character left');
  assert.equal(roomWords({ left: 93, over: 0, hasLong: true }), '93 characters left · some emoji and letters take several');
  assert.equal(roomWords({ left: 0, over: 2, hasLong: true }), '2 characters over the limit');
});

test('a screen reader is told at 200, 50, 10 and 0, and when it is too much', () => {
  const levels = [201, 200, 51, 50, 10, 1, 0].map((left) => levelOf({ left, over: 0 }));
  assert.deepEqual(levels, [0, 1, 1, 2, 3, 3, 4]);
  assert.equal(levelOf({ left: 0, over: 1 }), 5);
});

test('code: an open block, or an open backtick in the line', () => {
  for (const text of ['```\n', '```py\nx = 1\n', '~~~\na\n```\n', 'see `', 'a ``b` ', '````\n```\n', '``` \n a']) assert.ok(isInCode(text), text);
  for (const text of ['', 'a', '`a` ', '```\na\n```\n', '`\nb', '``a`` ', '~~~\na\n~~~ \n', '```a``` ']) assert.ok(!isInCode(text), text);
});

test('a text that another tab has changed keeps the caret', () => {
  const after = (value, caret, text) => {
    const field = { value, selectionStart: caret, selectionEnd: caret, setSelectionRange(start) { this.caret = start; } };
    showText(field, text);
    return [field.value, field.caret];
  };
  assert.deepEqual(after('hello', 2, 'hello world'), ['hello world', 2]);
  assert.deepEqual(after('hello', 5, 'oh hello'), ['oh hello', 8]);
  assert.deepEqual(after('hello world', 8, 'world'), ['world', 2]);
  assert.deepEqual(after('hello', 5, ''), ['', 0]);
  assert.deepEqual(after('same', 2, 'same'), ['same', undefined]);
});

test('a name of an emoji is what follows a colon that begins it, at least two characters', () => {
  const query = (before) => new EmojiNames().find(before)?.query;
  const names = { ':smi': 'smi', 'well :tada': 'tada', '(:smile': 'smile', '😀:joy': 'joy', ':+1': '+1', ':raised_hand': 'raised_hand', ':fusée': 'fusée', ':e\u0301t': 'e\u0301t' };
  for (const [before, name] of Object.entries(names)) assert.equal(query(before), name, before);
  const others = ['', ':', ':s', ':D', ': smile', ':)', ':-)', 'at 10:30', 'http://smile', 'https:/smile', 'C::smile', 'x:smile', '4:smile', 'é:smile', ':smile:', ':smi le',
    '`:smile', '```\n:smile', ':/home'];
  for (const before of others) assert.equal(query(before), undefined, before);
});
