import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import './fake-page.js';

/** As much of an element as the header and the panel of a room touch. */
class FakeElement {
  dataset = {};
  parts = {}; // selector → element
  isConnected = true;
  textContent = '';

  constructor(fields) { Object.assign(this, fields); }

  querySelector(selector) { return this.parts[selector] ?? null; }

  querySelectorAll(selector) { return [this.parts[selector] ?? []].flat(); }

  contains(other) { return this === other || Object.values(this.parts).flat().some((part) => part?.contains?.(other)); }

  closest(selector) { return selector === '[hidden]' && this.hidden ? this : null; }

  cloneNode() { return new FakeElement({ ...this }); }

  replaceWith(fresh) { this.replacement = fresh; }

  setAttribute() {}

  focus() { document.activeElement = this; }

  append() {}

  remove() { this.isConnected = false; }
}

const listeners = {}; // of the document, by the type of their event
const page = new FakeElement();
let asked; // [url, answer] of each request
Object.assign(globalThis.document, {
  addEventListener: (type, listener) => { listeners[type] = listener; },
  querySelector: (selector) => page.querySelector(selector), querySelectorAll: () => [], title: '',
});
globalThis.location = Object.assign(new URL('http://chat/rooms/7?info'), { assign() {} });
globalThis.DOMParser = class { parseFromString = (text) => text; };
globalThis.fetch = (url) => new Promise((resolve) => {
  asked.push([String(url), (answer) => resolve({ ok: true, status: 200, text: async () => answer })]);
});
// What is put off is done at once, so that nobody waits for it here.
const { setTimeout: later } = globalThis;
globalThis.setTimeout = (action, _delay, ...values) => later(action, 0, ...values);
const settled = async () => { for (let n = 0; n < 3; n += 1) await new Promise((resolve) => later(resolve, 5)); };

const { showRoomHeader } = await import('../../chat/static/js/room-header.js');

/** A `dataset`: what is put into it becomes a string. */
const attributes = (values) => new Proxy(values, { set: (target, name, value) => Reflect.set(target, name, String(value)) });
const tile = (icon) => new FakeElement({ dataset: { icon } });
let section;
let panel;
let link; // "Add a topic"
let about; // of the panel

beforeEach(() => {
  asked = [];
  document.title = 'before';
  [about, link] = [new FakeElement(), new FakeElement({ hidden: false })];
  document.activeElement = new FakeElement();
  const topic = new FakeElement();
  const parts = { '[data-part="tile"]': tile('star'), '[data-part="topic"]': topic, '[data-part="add-topic"]': link, h1: new FakeElement(), '#conversation-title bdi': new FakeElement() };
  section = new FakeElement({ dataset: attributes({ roomId: '7', role: 'owner', archived: 'false' }), parts: { ...parts, '#composer': {}, '#archived': {} } });
  const list = new FakeElement({ children: [] });
  panel = new FakeElement({ parts: { '.info-about': about, '#members': list, '[data-part="member-count"]': new FakeElement(), '.info-scroll': {}, button: new FakeElement() } });
  page.parts = { '#info-panel': panel, '#info-title': new FakeElement() };
});

/** What the server answers to `?part`. */
const partPage = () => new FakeElement({ parts: {
  '[data-part="tile"]': tile('coffee'), '.info-about': new FakeElement(), '[data-part="member-count"]': new FakeElement(), '#members': new FakeElement(),
} });

test('a new role fetches the panel once', async () => {
  showRoomHeader(section, { id: 7, role: 'member' });
  await settled();
  assert.deepEqual(asked.map(([url]) => url), ['http://chat/rooms/7?info']);
});

test('a new role while somebody writes in the panel fetches what changes beside that, once', async () => {
  panel.parts.input = [{ value: 'half a na', defaultValue: '' }];
  panel.addEventListener = () => {};
  showRoomHeader(section, { id: 7, role: 'member' });
  await settled();
  assert.deepEqual(asked.map(([url]) => url), ['/rooms/7?part=']);
});

test('the panel is not renewed while something in it is pressed', async () => {
  showRoomHeader(section, { id: 7, name: 'algebra' });
  await settled();
  listeners.pointerdown({ target: panel.parts.button, button: 0 });
  asked[0][1](partPage());
  await settled();
  assert.equal(about.replacement, undefined);
  listeners.pointerup({});
  listeners.click({});
  await settled();
  assert.ok(about.replacement);
});

test('a panel that was replaced meanwhile is left as it is', async () => {
  showRoomHeader(section, { id: 7, name: 'algebra' });
  await settled();
  listeners.pointerdown({ target: panel.parts.button, button: 0 });
  asked[0][1](partPage());
  await settled();
  panel.isConnected = false; // by the answer of the form whose button was pressed
  listeners.click({});
  await settled();
  assert.equal(about.replacement, undefined);
});

test('the page that others get changes nothing', async () => {
  const errors = [];
  const note = (error) => errors.push(error);
  process.once('unhandledRejection', note);
  showRoomHeader(section, { id: 7, name: 'algebra' });
  await settled();
  asked[0][1](new FakeElement({ parts: { '[data-part="tile"]': tile('coffee') } }));
  await settled();
  process.removeListener('unhandledRejection', note);
  assert.deepEqual([errors, about.replacement, section.parts['[data-part="tile"]'].replacement], [[], undefined, undefined]);
});

test('nothing is shown of a room that was left meanwhile', () => {
  section.isConnected = false;
  showRoomHeader(section, { id: 7, name: 'algebra' });
  assert.equal(document.title, 'before');
});

test('who may give the room a topic is invited to, and nobody else', () => {
  page.parts = {};
  const unwritten = section.parts['.unwritten'] = new FakeElement();
  const isInvited = (room) => {
    showRoomHeader(section, { id: 7, ...room });
    return !link.hidden;
  };
  assert.deepEqual([{ role: 'member' }, { role: 'owner' }, { archived: true }, { archived: false }, { topic: 'sets' }, { topic: '' }].map(isInvited),
    [false, true, false, true, false, true]);
  showRoomHeader(section, { id: 7, archived: true });
  assert.equal(unwritten.hidden, true);
  showRoomHeader(section, { id: 7, archived: false });
  assert.equal(unwritten.hidden, false);
  document.activeElement = link;
  section.parts.link = link;
  assert.equal(isInvited({ role: 'member' }), false);
  assert.equal(document.activeElement, section.parts.h1);
});
