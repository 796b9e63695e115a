import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import './fake-page.js';

/** As much of an element as a card of a file touches; what it finds in one is made when it is asked for. */
class FakeElement extends EventTarget {
  dataset = {};
  parts = new Map();
  attributes = new Set();
  isConnected = true;
  textContent = '';

  querySelector(selector) {
    if (!this.parts.has(selector)) this.parts.set(selector, new FakeElement());
    return this.parts.get(selector);
  }

  contains(other) { return this === other || [...this.parts.values()].includes(other); }

  cloneNode() { return new FakeElement(); }

  toggleAttribute(name, isSet) { this.attributes[isSet ? 'add' : 'delete'](name); }

  hasAttribute(name) { return this.attributes.has(name); }

  remove() {
    if (this.contains(document.activeElement)) document.activeElement = document.body;
  }

  append(child) { this.last = child; }

  before() {}

  closest() { return this.card; }
}

const page = new FakeElement();
globalThis.addEventListener = () => {};
globalThis.matchMedia = () => ({ matches: false });
globalThis.Image = class { decode = () => new Promise(() => {}); }; // of a picture that is too large to be measured soon
URL.createObjectURL = () => 'blob:1';
URL.revokeObjectURL = () => {};
Object.assign(globalThis.document, {
  addEventListener() {}, querySelector: (selector) => page.querySelector(selector), getElementById: () => ({ content: { firstElementChild: new FakeElement() } }),
});
const { Attachments } = await import('../../chat/static/js/attachments.js');
const { showStill } = await import('../../chat/static/js/still.js');

const file = (fields) => ({ name: 'notes.pdf', type: 'application/pdf', size: 20, blob: { type: '' }, ...fields });
const field = new FakeElement();
let answer; // gives the answer about the quota
let attachments;

beforeEach(() => {
  globalThis.fetch = () => new Promise((resolve) => { answer = (quota) => resolve({ ok: true, json: async () => quota }); });
  document.activeElement = document.body;
  const composer = { focus: () => { document.activeElement = field; }, filesChanged() {}, on: { say() {} }, form: new FakeElement() };
  attachments = new Attachments(composer, new FakeElement(), new AbortController().signal);
});

test('a picture that takes long to measure holds nothing up', { timeout: 2_000 }, async () => {
  await attachments.add([file({ name: 'huge.png', type: 'image/png' })]);
  assert.deepEqual(attachments.take().map(({ name }) => name), ['huge.png']);
});

test('a file that is left out once the quota is known gives its focus to the field', async () => {
  await attachments.add([file()]);
  document.activeElement = attachments.list.last.querySelector('[data-action="remove"]');
  answer({ maxFileBytes: 10, left: 10, dayBytes: 10, usedToday: 0, allBytes: 10, usedInAll: 0 });
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([attachments.count, document.activeElement], [0, field]);
});

test('that a description is too long is said until it fits, whatever the words', async () => {
  await attachments.add([file()]);
  const input = Object.assign(new FakeElement(), { card: attachments.list.last, matches: () => true });
  const describe = (value) => {
    input.value = value;
    attachments.list.dispatchEvent(Object.defineProperty(new Event('input'), 'target', { value: input }));
  };
  describe('long '.repeat(2_000));
  assert.equal(attachments.words.textContent, 'The description cannot be longer.');
  attachments.words.textContent = 'Die Beschreibung ist zu lang.'; // as a program that translates pages leaves it
  describe('short');
  assert.equal(attachments.words.textContent, '');
});

test('an answer that is no picture is not shown as one', async () => {
  const image = { src: 'before' };
  globalThis.fetch = async () => ({ ok: false, status: 404, blob: async () => ({ type: 'text/html' }) });
  await showStill(image, '/files/1', new AbortController().signal);
  assert.equal(image.src, 'before');
});
