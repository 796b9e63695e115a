import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { beforeEach, test } from 'node:test';
import './fake-page.js';

/** As much of an element as the composer touches; what it finds in one is made when it is asked for. */
class FakeElement extends EventTarget {
  dataset = {};
  style = {};
  elements = {};
  files = [];
  value = '';
  hidden = true;
  textContent = '';
  parts = new Map();

  get parentElement() { return this; }

  querySelector(selector) {
    if (selector === '.composer-card') return null;
    if (!this.parts.has(selector)) this.parts.set(selector, new FakeElement());
    return this.parts.get(selector);
  }

  toggleAttribute() {}

  focus() {}
}

const page = new FakeElement();
const banner = page.querySelector('#connection');
globalThis.CSS = { supports: () => true };
globalThis.addEventListener = () => {};
globalThis.localStorage = {
  values: new Map(),
  getItem(key) { return this.values.get(key) ?? null; },
  setItem(key, text) { this.values.set(key, text); },
  removeItem(key) { this.values.delete(key); },
};
// It has no head, into which a style sheet could be put: so what attaches files never comes.
Object.assign(globalThis.document, { addEventListener() {}, querySelector: (selector) => page.querySelector(selector) });
const { Composer } = await import('../../chat/static/js/composer.js');

const FILE = { name: 'notes.txt', type: 'text/plain', size: 2, blob: {} };
/** Resolves when what was submitted has been sent, or has been given back. */
async function settled() {
  do await new Promise((resolve) => setTimeout(resolve));
  while (composer.storing);
}

const submit = () => composer.form.dispatchEvent(new Event('submit', { cancelable: true }));

let composer;
let sent; // [text, replyTo, names of the files] of what went to the outbox

beforeEach(() => {
  sent = [];
  banner.textContent = '';
  localStorage.values.clear();
  const outbox = { add: async (_key, text, replyTo, files) => { sent.push([text, replyTo, files.map(({ name }) => name)]); } };
  const on = { added() {}, editLast: () => false, typing() {}, say() {}, storageFailed() {} };
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  composer = new Composer(new FakeElement(), { key: 7, outbox, on, signal });
});

function type(text) {
  composer.field.value = text;
  composer.field.dispatchEvent(new Event('input'));
}

test('where files cannot be attached, the text goes without them at the second try, and they wait', async () => {
  composer.files.add([FILE]);
  type('with its file');
  submit();
  await settled();
  assert.deepEqual([sent, composer.field.value], [[], 'with its file']);
  assert.equal(banner.textContent, 'The files cannot be attached yet. Send again to send the text without them.');
  submit();
  await settled();
  assert.deepEqual([sent, composer.field.value, composer.files.count], [[['with its file', undefined, []]], '', 1]);
  assert.equal(banner.textContent, 'The text was sent without the files. They wait here for the next message.');
});

test('files that were chosen since then are not left out without a word', async () => {
  composer.files.add([FILE]);
  type('with its file');
  submit();
  await settled();
  composer.files.add([FILE]);
  submit();
  await settled();
  assert.deepEqual([sent, composer.field.value, composer.files.count], [[], 'with its file', 2]);
});

test('files alone wait', async () => {
  composer.files.add([FILE]);
  for (let n = 0; n < 2; n += 1) {
    submit();
    await settled();
  }
  assert.deepEqual([sent, composer.files.count], [[], 1]);
});

test('what is typed while files are awaited is for the next message, and the draft has both', async () => {
  composer.files.add([FILE]);
  type('what stood there');
  submit();
  type('and the next');
  assert.equal(composer.draft.text, 'what stood there\nand the next');
  submit();
  type('one');
  await settled();
  assert.deepEqual([sent, composer.field.value, composer.storing], [[], 'what stood there\nand the next\none', 0]);
  assert.equal(composer.draft.text, composer.field.value);
  submit();
  type('more');
  await settled();
  assert.deepEqual([sent, composer.field.value], [[['what stood there\nand the next\none', undefined, []]], 'more']);
  assert.equal(composer.draft.text, 'more');
});

test('an edit needs no files', () => {
  const edited = [];
  composer.files.add([FILE]);
  composer.task = { isEdit: true, setAside: 'a draft', message: {}, end: () => { composer.task = null; }, submit: (text) => edited.push(text) };
  type('another text');
  submit();
  assert.deepEqual(edited, ['another text']);
});
