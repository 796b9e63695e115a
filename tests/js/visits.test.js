import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { left } from './fake-page.js';

/** As much of an element as a visit touches: `parts` are what it finds, by selector. */
const element = (parts = {}) => ({
  dataset: {}, textContent: '', style: {}, childNodes: [], parts, querySelectorAll: () => [],
  querySelector(selector) {
    assert.doesNotMatch(selector, /[{}]/, 'it is none');
    return parts[selector] ?? null;
  },
  replaceWith(fresh) { page['#main'] = fresh; }, replaceChildren() {}, remove() {}, focus() { focused.push(this); }, closest: () => null,
});

const page = {}; // selector → element
const asked = []; // [url, answer] of the requests under way; `answer(page, fields)` answers one
const focused = [];
const banner = element();

globalThis.document = {
  ...element(page), title: '', documentElement: { lang: 'en' }, body: { dataset: { userId: '1' } }, activeElement: null,
};
Object.assign(page, { '#connection': banner, '#history-skeleton': { content: { cloneNode: () => element() } } });
globalThis.location = Object.assign(new URL('http://chat/rooms/new'), { assign: (url) => left.push(url) });
globalThis.history = { pushState: (_state, _title, url) => left.push(`push ${url}`) };
globalThis.addEventListener = () => {};
globalThis.FormData = class {};
globalThis.CSS = { escape: String };
globalThis.DOMParser = class { parseFromString = (text) => text; };
globalThis.fetch = (url) => new Promise((resolve, reject) => {
  const answer = (text, fields) => resolve({ ok: true, status: 200, redirected: false, url: String(url), text: async () => text, ...fields });
  asked.push({ url: String(url), answer, fail: () => reject(new Error('no network')) });
});
const { Visits } = await import('../../chat/static/js/visits.js');

const shown = (name) => Object.assign(element({ '#main': element(), '#shell': element() }), { title: name });
const settled = () => new Promise((resolve) => setTimeout(resolve));

let visits;
let refreshed; // how often the list of rooms was asked for

beforeEach(() => {
  for (const list of [asked, focused, left]) list.length = 0;
  Object.assign(page, { '#main': element(), '#shell': element(), '#info-panel': null });
  Object.assign(banner, { textContent: '' });
  refreshed = 0;
  visits = new Visits({
    conversation: null, shownPath: '/rooms/new', lists: { rooms: { refresh: () => { refreshed += 1; } } },
    loadConversation: async () => {}, leave() {}, enter: async () => {},
  });
});

const form = () => ({ action: 'http://chat/rooms', elements: [], getAttribute: () => '/rooms', ariaBusy: null, closest: () => null });

test('it works: a form leads to the page of its answer', async () => {
  visits.send(form());
  asked[0].answer(shown('maths'), { redirected: true, url: 'http://chat/rooms/7' });
  await settled();
  assert.deepEqual([left, document.title, refreshed], [['push http://chat/rooms/7'], 'maths', 1]);
});

test('a form that is on its way is not sent again, and one that has failed is', async () => {
  const room = form();
  visits.send(room);
  visits.send(room);
  assert.equal(asked.length, 1);
  asked[0].fail();
  await settled();
  assert.match(banner.textContent, /did not answer/);
  visits.send(room);
  assert.equal(asked.length, 2);
});

test('an answer that comes late leads nobody back', async () => {
  for (const answered of [() => shown('maths'), () => element()]) { // a page, or one of an error
    const room = form();
    visits.send(room);
    visits.visit(new URL('http://chat/rooms/8'));
    const [sent, visited] = asked.splice(0);
    sent.answer(answered(), { redirected: true, url: 'http://chat/rooms/7' }); // while the other page is on its way
    await settled();
    assert.deepEqual([left, refreshed], [[], 1]);
    visited.answer(shown('physics'), { url: 'http://chat/rooms/8' });
    await settled();
    assert.deepEqual([left.splice(0), document.title], [['push http://chat/rooms/8'], 'physics']);
    visits.navigation.shownPath = '/rooms/new';
    refreshed = 0;
  }
  const room = form();
  visits.send(room);
  page['#main'] = element(); // the other page is there
  asked[0].fail();
  await settled();
  assert.deepEqual([left, banner.textContent], [[], '']);
});

test('the answer of a form of the panel does not open the panel again', async () => {
  page['#info-panel'] = element();
  visits.send({ ...form(), closest: (selector) => (selector === '#info-panel' ? page[selector] : null) });
  page['#info-panel'] = null;
  asked[0].answer(shown('maths'), { redirected: true, url: 'http://chat/rooms/7?info' });
  await settled();
  assert.deepEqual([left, refreshed], [[], 1]);
});

test('when the session has ended, the login page leads back here, and nothing else is said', async () => {
  const login = '/login?next=%2Frooms%2Fnew';
  for (const fields of [{ redirected: true, url: 'http://chat/login' }, { ok: false, status: 401 }]) {
    for (const ask of [() => visits.send(form()), () => visits.visit(new URL('http://chat/rooms/8'))]) {
      ask();
      asked.pop().answer(element(), fields);
      await settled();
      assert.deepEqual([left.splice(0), banner.textContent], [[login], '']);
    }
  }
});

test('a link that asks the open panel for another field fetches nothing', () => {
  const field = Object.assign(element(), { closest: () => ({}) });
  Object.assign(page, { '#info-panel': element({ '#info-title': element() }), '#info-panel .room-settings [name="topic"]': field });
  visits.navigation.shownPath = '/rooms/7?info';
  visits.follow(new URL('http://chat/rooms/7?info=topic'));
  assert.deepEqual([asked.length, focused], [0, [field]]);
  visits.follow(new URL('http://chat/rooms/7?info=toString')); // no field of the panel
  assert.deepEqual([asked.length, focused.at(-1)], [0, page['#info-panel'].parts['#info-title']]);
  visits.follow(new URL('http://chat/rooms/7?info&after=50'));
  visits.follow(new URL('http://chat/rooms/8?info'));
  assert.equal(asked.length, 2);
});
