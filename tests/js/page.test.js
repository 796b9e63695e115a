import assert from 'node:assert/strict';
import { test } from 'node:test';

// As much of a page as the module asks for when it is loaded.
globalThis.document = { documentElement: {}, body: { dataset: {} } };
globalThis.navigator ??= {};
const { splitLinks } = await import('../../chat/static/js/page.js');

test('it works', () => {
  assert.deepEqual(splitLinks('see https://example.org'), [
    { text: 'see ' }, { text: 'https://example.org', href: 'https://example.org' },
  ]);
});

const links = {
  'see https://example.org now': ['https://example.org'],
  'https://example.org/a_(b).': ['https://example.org/a_(b)'],
  '(https://example.org/a)': ['https://example.org/a'],
  'http://a.example, and HTTPS://B.example!': ['http://a.example', 'HTTPS://B.example'],
  'javascript:alert(1) ftp://example.org data:text/html,x': [],
  'https://': [],
  'xhttps://example.org': [],
  'https://example.org/?q=1&r=%20#top…': ['https://example.org/?q=1&r=%20#top'],
};

for (const [text, expected] of Object.entries(links)) {
  test(`the addresses in "${text}"`, () => {
    const parts = splitLinks(text);
    assert.equal(parts.map((part) => part.text).join(''), text, 'no character is lost');
    assert.deepEqual(parts.filter((part) => part.href).map((part) => part.href), expected);
  });
}
