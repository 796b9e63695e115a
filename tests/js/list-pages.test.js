import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import './fake-page.js';

/** As much of an element as a list needs; `moves` counts how often it was put somewhere. */
class FakeElement {
  dataset = {};
  children = [];
  moves = 0;
  parent = null;

  constructor(name) { this.name = name; }

  insertBefore(child, next) {
    child.remove();
    this.children.splice(next ? this.children.indexOf(next) : this.children.length, 0, child);
    child.parent = this;
    child.moves += 1;
  }

  append(...children) { for (const child of children) this.insertBefore(child, null); }

  remove() {
    if (!this.parent) return;
    this.parent.children.splice(this.parent.children.indexOf(this), 1);
    this.parent = null;
    if (document.activeElement === this) document.activeElement = document.body;
  }

  replaceWith() {}

  contains(other) { return this === other || this.children.includes(other); }

  querySelector() { return this; }

  focus() { document.activeElement = this; }

  getAttribute() { return this.href; }

  setAttribute(_name, value) { this.href = value; }
}

let pages; // what the server answers, one after another: {cards, more}, or null where it does not answer
let asked; // the `after` of each request
const onPage = {}; // selector → element

globalThis.document.querySelector = (selector) => onPage[selector] ?? null;
globalThis.location.href = 'http://chat/';
globalThis.DOMParser = class { parseFromString = (page) => page; };
globalThis.fetch = async (url) => {
  const { searchParams } = new URL(url, 'http://chat');
  asked.push(searchParams.get('after') ?? 'top');
  const page = pages.shift();
  if (!page) throw new Error('no network');
  return { ok: true, status: 200, text: async () => page };
};
globalThis.location = new URL('http://chat/');
const { arrangeCards, mergeCard, putLink } = await import('../../chat/static/js/list-pages.js');
const { PeoplePages } = await import('../../chat/static/js/people-pages.js');

const elements = (names) => [...names].map((name) => new FakeElement(name));
const linkTo = (after) => Object.assign(new FakeElement('link'), { href: `/?after=${after}` });
const namesOf = (list) => list.children.map(({ name }) => name).join('');

beforeEach(() => {
  asked = [];
  document.activeElement = document.body;
});

test('cards that are in order already are not moved, and the focus stays', () => {
  const list = new FakeElement('list');
  const [a, b, c, d] = elements('abcd');
  list.append(a, b, c);
  b.focus();
  arrangeCards(list, [c, a, b, d]);
  assert.deepEqual([namesOf(list), a.moves, b.moves, c.moves], ['cabd', 1, 1, 2]);
  assert.equal(document.activeElement, b);
  arrangeCards(list, [b, c]);
  assert.deepEqual([namesOf(list), document.activeElement], ['bc', b]);
});

test('a card keeps a message that has come since the server answered', () => {
  const card = (lastSeq) => ({ dataset: { lastSeq } });
  const calls = [];
  const list = { refreshSoon: () => calls.push('again') };
  const update = (known, fresh) => calls.push([known, fresh]);
  const [known, fresh] = [card(7), card(8)];
  assert.equal(mergeCard(list, null, fresh, update), fresh);
  assert.equal(mergeCard(list, known, fresh, update), known);
  assert.equal(mergeCard(list, known, card(6), update), known);
  assert.deepEqual(calls, [[known, fresh], 'again']);
});

test('the link to what follows stays while something follows, then the focus goes on', () => {
  const place = new FakeElement('place');
  const first = new FakeElement('first');
  assert.equal(putLink(null, null, place, first), null);
  const link = putLink(null, linkTo(20), place, first);
  link.focus();
  assert.equal(putLink(link, linkTo(40), place, first), link);
  assert.deepEqual([link.href, document.activeElement], ['/?after=40', link]);
  putLink(link, null, place, first);
  assert.deepEqual([place.children.length, document.activeElement], [0, first]);
});

test('a refresh of the whole list that did not come to its end is made up for by the next', async () => {
  const list = Object.assign(new FakeElement('list'), { dataset: { unreadTotal: 0 } });
  const people = {
    list, box: new FakeElement('box'), search: { query: '' }, counts: { countElsewhere() {} }, loading: null, wantsWhole: false, hydrate() {},
    get cards() { return list.children; },
    card: (id) => list.children.find(({ dataset }) => dataset.userId === id),
    refreshSoon() {},
  };
  const card = (userId) => Object.assign(new FakeElement(userId), { dataset: { userId, lastSeq: 2 } });
  const page = (ids, more) => ({
    querySelector: (selector) => (selector === '#people-more' ? more ?? null : new FakeElement(selector)), querySelectorAll: () => [...ids].map(card),
  });
  list.append(...[...'abcd'].map((id) => Object.assign(card(id), { dataset: { userId: id, lastSeq: 3 } }))); // newer than any answer
  onPage['#people-more'] = null;
  onPage['#people-empty'] = new FakeElement('empty');
  const refresh = async (isWhole) => {
    asked.length = 0;
    await new PeoplePages(people).refresh(isWhole);
    return asked.join(' ');
  };
  pages = [page('ba', linkTo('a')), null];
  assert.equal(await refresh(true), 'top a');
  pages = [page('ba', linkTo('a')), page('dc')];
  assert.equal(await refresh(), 'top a', 'the top alone was asked for');
  assert.equal(namesOf(list), 'badc');
  pages = [page('ab', linkTo('b'))];
  assert.equal(await refresh(), 'top');
});
