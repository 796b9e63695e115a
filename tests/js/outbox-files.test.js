import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';

import { FakeLocks, aborted, answerRequests, left } from './fake-page.js';
import { databaseOf } from './fake-indexeddb.js';
import { FileServer } from './file-server.js';

const { Dispatcher } = await import('../../chat/static/js/dispatcher.js');

const BOB = 2;
const TEXT = 'the content of a photograph';
const PATIENCE_MS = 10_000;
const settled = () => new Promise((resolve) => setTimeout(resolve, 60)); // for what is not to happen

/** Resolves when the condition is true; what a test asserts next says what is wrong where it never is. */
async function until(condition) {
  for (let waited = 0; !condition() && waited < PATIENCE_MS; waited += 5) await new Promise((resolve) => setTimeout(resolve, 5));
}

const isEmpty = (tab) => () => tab.outbox.length === 0;
const photo = (clientId = 'photo', text = TEXT) => ({ clientId, name: `${clientId}.jpg`, type: 'image/jpeg', size: text.length, blob: new Blob([text]) });

let owner = 100;
let server;
let messages; // what the server has stored: {clientId, message, files}
let requests;
const opened = [];
after(() => opened.forEach((tab) => tab.outbox.tabs.close()));

beforeEach(() => {
  owner += 1;
  server = new FileServer();
  messages = [];
  requests = [];
  aborted.length = 0;
  navigator.locks = undefined;
  answerRequests(server, (method) => void requests.push(method));
});

/** A tab of the person. It `dies` at a request: nothing that was begun in it goes on. */
class Tab {
  told = [];
  isDead = false;

  constructor() {
    const on = Object.fromEntries(['sent', 'changeSent', 'changeRefused', 'changed', 'uploading', 'storageFailed', 'closed']
      .map((name) => [name, (...values) => void this.told.push([name, ...values])]));
    this.outbox = new Dispatcher(owner, (entry, ids) => this.#send(entry, ids), on);
    opened.push(this);
  }

  async #send({ clientId, kind, message, target, verb }, files) {
    if (this.isDead) return new Promise(() => {});
    const known = messages.find((one) => one.clientId === clientId);
    if (kind === 'change') return { ok: true, change: 1, message: { seq: target.seq, conversationId: 9, verb } };
    const seq = known ? messages.indexOf(known) + 1 : messages.push({ clientId, message, files });
    return { ok: true, message: { seq, conversationId: 9, clientId } };
  }

  static async open(isConnected = true) {
    const tab = new Tab();
    await tab.outbox.open();
    tab.outbox.setConnected(isConnected);
    return tab;
  }

  die() {
    this.isDead = true;
    this.outbox.setConnected(false);
    this.outbox.close = null;
    this.outbox.tabs.onmessage = null;
  }

  toldOf(name) {
    return this.told.filter(([what]) => what === name);
  }
}

const stored = (name) => [...databaseOf(`outbox:${owner}`).stores.get(name).records.keys()];

test('it works', async () => {
  const tab = await Tab.open();
  await tab.outbox.add(BOB, 'look', null, [photo('one'), photo('two')]);
  await until(isEmpty(tab));
  await settled();
  assert.deepEqual(messages.map(({ message, files }) => [message, files]), [['look', [1, 2]]]);
  assert.equal(tab.outbox.length, 0);
  assert.deepEqual([stored('entries'), stored('blobs')], [[], []]);
  assert.deepEqual(tab.toldOf('uploading').at(-1).slice(2), [2 * TEXT.length]);
});

test('what was written after a large file leaves after it', async () => {
  let release;
  answerRequests(server, (method) => (method === 'PUT' ? new Promise((resolve) => { release = resolve; }) : null));
  const tab = await Tab.open();
  await tab.outbox.add(BOB, 'photo', null, [photo()]);
  await tab.outbox.add(BOB, 'after it');
  await until(() => release);
  assert.deepEqual(messages, []);
  release();
  await until(isEmpty(tab));
  assert.deepEqual(messages.map(({ message }) => message), ['photo', 'after it']);
});

test('what was queued without a network survives a reload, and leaves in order', async () => {
  const before = await Tab.open(false);
  await before.outbox.add(BOB, 'first');
  await before.outbox.add(BOB, 'photo', null, [photo()]);
  await before.outbox.add(BOB, 'last');
  assert.deepEqual(stored('blobs'), ['photo']);
  before.die();
  await Tab.open();
  await until(() => messages.length === 3);
  assert.deepEqual(messages.map(({ message }) => message), ['first', 'photo', 'last']);
  assert.equal(server.text, TEXT);
});

test('reloaded between any two of its steps, it arrives once', async () => {
  for (let step = 1; step <= 4; step += 1) {
    for (const isProcessed of [true, false]) {
      owner += 1;
      server = new FileServer();
      messages = [];
      let tab = null;
      let count = 0;
      answerRequests(server, (method, url) => {
        count += 1;
        if (count !== step) return null;
        const dying = tab;
        if (isProcessed) server.answer(method, url, new Blob([TEXT.slice(0, 7)])).then(() => server.files.clear());
        server.parts.set('photo', new TextEncoder().encode(TEXT.slice(0, 7)));
        dying.die();
        return new Promise(() => {});
      });
      tab = await Tab.open(false);
      await tab.outbox.add(BOB, 'photo', null, [photo()]);
      tab.outbox.setConnected(true);
      await until(() => tab.isDead || messages.length);
      if (tab.isDead) await Tab.open();
      await until(() => messages.length);
      assert.equal(messages.length, 1, `step ${step}`);
      assert.equal(server.text, TEXT);
      assert.equal(server.files.size, 1);
    }
  }
});

test('of two tabs one uploads; where it is closed the other goes on', async () => {
  navigator.locks = new FakeLocks();
  let isHeld = true;
  answerRequests(server, (method) => {
    requests.push(method);
    return method === 'PUT' && isHeld ? new Promise(() => {}) : null;
  });
  navigator.locks.tab = 1;
  const first = await Tab.open();
  first.outbox.leader.isLeading = true;
  await first.outbox.add(BOB, 'photo', null, [photo()]);
  await until(() => requests.includes('PUT'));
  navigator.locks.tab = 2;
  const second = await Tab.open();
  await second.outbox.leader.onLeading();
  second.outbox.leader.isLeading = true;
  second.outbox.setConnected(true);
  await settled();
  assert.equal(requests.filter((method) => method === 'PUT').length, 1, 'the second one waits');
  isHeld = false;
  first.die();
  navigator.locks.die(1);
  await until(() => messages.length);
  assert.equal(messages.length, 1);
  assert.equal(server.text, TEXT);
});

test('taken back while it is uploaded, it is gone here, there and in the other tab', async () => {
  answerRequests(server, (method) => {
    requests.push(method);
    return method === 'PUT' ? new Promise(() => {}) : null;
  });
  const [first, second] = [await Tab.open(), await Tab.open(false)];
  await first.outbox.add(BOB, 'photo', null, [photo()]);
  await until(() => requests.includes('PUT') && second.outbox.length);
  assert.equal(second.outbox.length, 1);
  server.parts.set('photo', new Uint8Array(3));
  const [{ clientId }] = second.outbox.to(BOB);
  await second.outbox.amend(clientId, () => null);
  await until(() => !first.outbox.length && !server.parts.size && !stored('blobs').length);
  assert.deepEqual([first.outbox.length, second.outbox.length, stored('entries').length, stored('blobs').length], [0, 0, 0, 0]);
  assert.equal(server.parts.size, 0);
  assert.deepEqual(aborted, requests.filter((method) => method === 'PUT')); // a slow machine may have begun it twice
  assert.ok(requests.includes('DELETE'));
  assert.deepEqual(messages, []);
});

test('the text is edited while the photo is on its way', async () => {
  let release;
  answerRequests(server, (method) => (method === 'PUT' ? new Promise((resolve) => { release = resolve; }) : null));
  const tab = await Tab.open();
  await tab.outbox.add(BOB, 'helo', null, [photo()]);
  await until(() => release);
  const [{ clientId }] = tab.outbox.to(BOB);
  await tab.outbox.amend(clientId, (stored) => ({ ...stored, message: 'hello' }));
  release();
  await until(isEmpty(tab));
  assert.deepEqual(messages.map(({ message }) => message), ['hello']);
});

test('refused for good it stays with its reason and its file, and is sent again on demand', async () => {
  server.refusal = { status: 507, data: { error: { code: 'unavailable', message: 'The disk is full', retry: true } } };
  const tab = await Tab.open();
  await tab.outbox.add(BOB, 'photo', null, [photo()]);
  await until(() => tab.outbox.to(BOB)[0]?.state === 'failed');
  const [entry] = tab.outbox.to(BOB);
  assert.deepEqual([entry.state, entry.reason, entry.isHopeless], ['failed', 'The disk is full', false]);
  assert.deepEqual(stored('blobs'), ['photo']);
  tab.outbox.retry(entry.clientId);
  await until(() => messages.length);
  assert.equal(messages.length, 1);
});

test('what is too large is hopeless, and holds up nothing', async () => {
  const tab = await Tab.open();
  await tab.outbox.add(BOB, 'photo', null, [photo('large', 'x'.repeat(2_000))]);
  await tab.outbox.add(BOB, 'after it');
  await until(() => messages.length);
  assert.deepEqual(tab.outbox.to(BOB).map(({ state, isHopeless }) => [state, isHopeless]), [['failed', true]]);
  assert.deepEqual(messages.map(({ message }) => message), ['after it']);
});

test('where the session has ended nothing is sent: the person logs in again, and it goes on', async () => {
  server.isLoggedIn = false;
  const tab = await Tab.open();
  await tab.outbox.add(BOB, 'photo', null, [photo()]);
  await until(() => left.length);
  await settled();
  assert.deepEqual([requests, left.at(-1)], [['GET'], '/login?next=%2F']);
  assert.deepEqual(stored('blobs'), ['photo']);
  server.isLoggedIn = true;
  await Tab.open();
  await until(() => messages.length);
  assert.equal(messages.length, 1);
});

test('what does not fit into the browser is said, and sent from the tab that has it', async () => {
  const first = await Tab.open(false);
  databaseOf(`outbox:${owner}`).maxBlobBytes = 3;
  await first.outbox.add(BOB, 'photo', null, [photo()]);
  assert.equal(first.toldOf('storageFailed').length, 1);
  assert.deepEqual([stored('entries'), stored('blobs')], [[], []]);
  await settled();
  await Tab.open(false);
  const second = opened.at(-1);
  second.outbox.setConnected(true);
  await settled();
  assert.deepEqual(messages, [], 'a new tab knows nothing of it');
  first.outbox.setConnected(true);
  await until(() => messages.length);
  assert.deepEqual([messages.length, server.text], [1, TEXT]);
});

test('another tab gets a content that is stored nowhere from the tab that has it', async () => {
  const [first, second] = [await Tab.open(false), await Tab.open(false)];
  databaseOf(`outbox:${owner}`).maxBlobBytes = 3;
  await first.outbox.add(BOB, 'photo', null, [photo()]);
  await until(() => second.outbox.length);
  assert.equal(await (await second.outbox.blobOf('photo')).text(), TEXT);
});

test('a file that can no longer be read is said to be so', async () => {
  const tab = await Tab.open();
  const gone = { ...photo(), blob: Object.assign(new Blob(['x']), { slice: () => ({ arrayBuffer: () => Promise.reject(new Error('NotReadableError')) }) }) };
  await tab.outbox.add(BOB, 'photo', null, [gone]);
  await until(() => tab.outbox.to(BOB)[0]?.state === 'failed');
  const [entry] = tab.outbox.to(BOB);
  assert.match(entry.reason, /photo\.jpg/);
  assert.equal(entry.isHopeless, true);
});

test('after logging out nothing is uploaded, and nothing is left', async () => {
  answerRequests(server, (method) => {
    requests.push(method);
    return method === 'PUT' ? new Promise(() => {}) : null;
  });
  const tab = await Tab.open();
  await tab.outbox.add(BOB, 'photo', null, [photo()]);
  await until(() => requests.includes('PUT'));
  tab.outbox.close();
  await until(() => aborted.length);
  assert.deepEqual(aborted, ['PUT']);
  await tab.outbox.deleteStored();
  assert.equal(databaseOf(`outbox:${owner}`), undefined);
  await settled();
  assert.deepEqual([server.files.size, messages], [0, []]);
});

test('a database of the version before gets the store of files, and keeps what waits', async () => {
  const opening = indexedDB.open(`outbox:${owner}`, 3);
  await new Promise((resolve) => {
    opening.onupgradeneeded = () => ['entries', 'trails', 'changes'].forEach((name) => opening.result.createObjectStore(name, { keyPath: 'clientId' }));
    opening.onsuccess = resolve;
  });
  databaseOf(`outbox:${owner}`).stores.get('entries').records.set('old', { clientId: 'old', receiverId: BOB, message: 'old', createdAt: 1, state: 'waiting' });
  const tab = await Tab.open(false);
  await tab.outbox.add(BOB, 'photo', null, [photo()]);
  assert.deepEqual([stored('entries').length, stored('blobs')], [2, ['photo']]);
});

test('a server without a disk is said after some tries, not before', async () => {
  const { OutboxFiles } = await import('../../chat/static/js/outbox-files.js');
  const ack = { status: 503, data: { error: { code: 'unavailable', message: 'No room', retry: true } } };
  const request = () => async (method) => (method === 'GET' ? { status: 200, data: { offset: 0 } } : ack);
  const files = new OutboxFiles(owner, async () => new Blob([TEXT]), () => {}, request);
  const entry = { clientId: 'm', files: [photo()] };
  const retries = [];
  for (entry.attempts = 1; entry.attempts <= 5; entry.attempts += 1) retries.push((await files.upload(entry)).ack.error.retry);
  assert.deepEqual(retries, [true, true, true, true, false]);
});

/** Opens a tab whose upload is held up, and returns it with the entry. */
async function openUploading() {
  answerRequests(server, (method, url) => {
    requests.push(method);
    return method === 'PUT' && url.includes('photo') ? new Promise(() => {}) : null;
  });
  const tab = await Tab.open();
  await tab.outbox.add(BOB, 'photo', null, [photo()]);
  await until(() => requests.includes('PUT'));
  return [tab, tab.outbox.to(BOB)[0]];
}

test('taken back here, it stops here, and what was written after it leaves', async () => {
  const [tab, { clientId }] = await openUploading();
  await tab.outbox.add(BOB, 'after it');
  await tab.outbox.amend(clientId, () => null);
  await until(() => messages.length);
  assert.deepEqual(messages.map(({ message }) => message), ['after it']);
  assert.deepEqual(aborted, ['PUT']);
});

test('what has come from the server by another way is uploaded no more', async () => {
  const [tab, { clientId }] = await openUploading();
  tab.outbox.stored({ clientId, seq: 1, conversationId: 9 });
  await until(() => aborted.length);
  assert.deepEqual([aborted, tab.outbox.length], [['PUT'], 0]);
});

test('what does not fit into the browser can be taken back too', async () => {
  const tab = await Tab.open(false);
  databaseOf(`outbox:${owner}`).maxBlobBytes = 3;
  await tab.outbox.add(BOB, 'photo', null, [photo()]);
  assert.equal(await tab.outbox.amend(tab.outbox.to(BOB)[0].clientId, () => null), true);
  assert.equal(tab.outbox.length, 0);
});
