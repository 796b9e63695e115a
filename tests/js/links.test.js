import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addressesIn } from '../../chat/static/js/links.js';

const hrefsIn = (text) => addressesIn(text).map(({ href }) => href);

test('it works', () => {
  assert.deepEqual(addressesIn('see https://example.org'), [{ start: 4, href: 'https://example.org' }]);
});

const links = {
  'see https://example.org now': ['https://example.org'],
  'https://example.org/a_(b).': ['https://example.org/a_(b)'],
  '(https://example.org/a)': ['https://example.org/a'],
  '(see https://example.org/a_(b)_(c)), then': ['https://example.org/a_(b)_(c)'],
  'https://example.org/a(see below': ['https://example.org/a'],
  '[https://example.org/a](https://example.org/b)': ['https://example.org/a', 'https://example.org/b'],
  'https://example.org/?x=[1]&y={2}': ['https://example.org/?x=[1]&y={2}'],
  'http://[::1]:5000/a': ['http://[::1]:5000/a'],
  'https://example.org/([)]': ['https://example.org/'],
  '`https://example.org/a`': ['https://example.org/a'],
  'http://a.example, and HTTPS://B.example!': ['http://a.example', 'HTTPS://B.example'],
  'https://web.example/2026/https://example.org/': ['https://web.example/2026/https://example.org/'],
  'javascript:alert(1) ftp://example.org data:text/html,x': [],
  'https://': [],
  'http://( http://%': [],
  'xhttps://example.org': [],
  'https://example.org/?q=1&r=%20#top…': ['https://example.org/?q=1&r=%20#top'],
  'https://ja.example/レオナルド・ダ・ヴィンチ': ['https://ja.example/レオナルド・ダ・ヴィンチ'],
  'https://ca.example/Col·legi': ['https://ca.example/Col·legi'],
  'https://example.org/Bose–Einstein —': ['https://example.org/Bose–Einstein'],
  'https://fa.example/کتاب\u200cها': ['https://fa.example/کتاب\u200cها'],
  'https://ja.example/らき☆すた ☆': ['https://ja.example/らき☆すた'],
  'https://i❤.example/ and https://👍.example/a': ['https://i❤.example/', 'https://👍.example/a'],
};

for (const [text, expected] of Object.entries(links)) {
  test(`the addresses in "${text}"`, () => {
    for (const { start, href } of addressesIn(text)) assert.equal(text.slice(start, start + href.length), href);
    assert.deepEqual(hrefsIn(text), expected);
  });
}

const quoted = ['「」', '『』', '“”', '„“', '‘’', '«»', '»«', '‹›', '（）', '【】', '《》', '〈〉', '［］', '﴾﴿', '〝〟', '⟨⟩', '＜＞', '﹤﹥', '≪≫', '｜｜', '()', '[]', '""', '<>'];

for (const [opening, closing] of quoted) {
  test(`an address between ${opening} and ${closing}, with text right after it`, () => {
    assert.deepEqual(hrefsIn(`${opening}https://example.org/a${closing}を見て`), ['https://example.org/a']);
  });
}

for (const mark of '。、，．！？：；،؛؟۔।॥።។༎․‥…‼⁈・·') {
  test(`a sentence that ends with ${mark}`, () => {
    assert.deepEqual(hrefsIn(`https://example.org/a${mark}`), ['https://example.org/a']);
    assert.deepEqual(hrefsIn(`https://example.org/a${mark} https://example.org/b`).length, 2);
  });
}

for (const emoji of ['👍', '👍🏽', '❤️', '👩‍💻', '🇫🇷', '1️⃣', '☆', '→', '😀!', '👍👍']) {
  test(`an address with ${emoji} after it`, () => {
    const address = `https://example.org/a${emoji.startsWith('1') ? '1' : ''}`;
    assert.deepEqual(hrefsIn(`https://example.org/a${emoji} https://example.org/b${emoji}`)[0], address);
    assert.deepEqual(hrefsIn(`https://example.org/a${emoji}`), [address]);
  });
}

test('what turns the direction of a text is part of no address, nor is what nobody sees', () => {
  const marks = '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u2060\ufeff\u00ad\u0000\u0085\u3164\u2800\ufe0f\u034f';
  for (const mark of marks) {
    assert.deepEqual(hrefsIn(`${mark}https://example.org/a${mark}gpj.b`), ['https://example.org/a']);
  }
});
